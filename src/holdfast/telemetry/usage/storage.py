"""What the store is made of: tables, their parts and records, merges that run, the disk, and how long things live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from holdfast.telemetry.usage.documents import KeptFor, RunningMerge, StorageReport, StoredTable

if TYPE_CHECKING:
    from holdfast.store import Store, StoreSettings, Table
    from holdfast.telemetry.logs import LogsSettings
    from holdfast.telemetry.metrics import MetricsSettings
    from holdfast.telemetry.metrics.settings import KeepRule


@dataclass(frozen=True, slots=True)
class Stored:
    """The tables of each signal, and how many seconds a slot of a table is, where it has slots."""

    store: Store
    signals: Mapping[str, Sequence[Table]]
    slot_s: Mapping[str, int]
    settings: StoreSettings
    metrics: MetricsSettings
    logs: LogsSettings


async def read_storage(stored: Stored) -> StorageReport:
    """Report on all tenants' data.

    Raises:
        UnavailableError: the store does not answer.
    """
    volume, settings = stored.store.volume, stored.settings
    sizes = await volume.sizes([table for tables in stored.signals.values() for table in tables])
    merges = [RunningMerge(**row) for row in await volume.merges()]
    tables = []
    for signal, declared in stored.signals.items():
        for table in declared:
            taken = sizes[table.name]
            oldest, newest = await _ends(stored, table) if taken.rows else (None, None)
            running = sum(merge.table == table.name for merge in merges)
            tables.append(
                StoredTable(
                    *(table.name, signal, taken.rows, taken.size_bytes, taken.parts, taken.parts_waiting),
                    *(running, oldest, newest),
                )
            )
    free, whole = await volume.disk()
    is_full = free is not None and free < settings.reserve
    return StorageReport(
        stored.store.place, free, whole, settings.reserve, is_full, tables, merges, list(_retention(stored))
    )


async def _ends(stored: Stored, table: Table) -> tuple[datetime | None, datetime | None]:
    """Give when the oldest and the newest slot begin and end, off the index."""
    slot_s = stored.slot_s.get(table.name)
    if slot_s is None:
        return None, None
    slots = (await stored.store.volume.shares(table, ("tenant", "slot")))["slot"].to_pylist()
    if not slots:
        return None, None
    newest = min(datetime.fromtimestamp((max(slots) + 1) * slot_s, UTC), datetime.now(UTC))
    return datetime.fromtimestamp(min(slots) * slot_s, UTC), newest


def _retention(stored: Stored) -> Sequence[KeptFor]:
    settings, metrics, logs = stored.settings, stored.metrics, stored.logs
    found = [*_kept("metrics", metrics.keep), *_kept("logs", logs.keep)]
    for key, keep_s in sorted(settings.retention_of.items(), key=lambda pair: _exactness(pair[0])):
        tenant, slash, stream = key.rpartition("/")
        signal = "all" if slash and stream == "*" else stream
        found.append(KeptFor(signal, tenant, "", float(keep_s), f"telemetry.retention_of.{key!r}"))
    if metrics.rollups.enabled:
        for stream, keep_s, name in (
            ("metrics_5m", metrics.rollups.keep_5m, "keep_5m"),
            ("metrics_1h", metrics.rollups.keep_1h, "keep_1h"),
        ):
            if stream not in settings.retention_of:
                found.append(KeptFor(stream, "", "", float(keep_s), f"metrics.rollups.{name}"))
    return [*found, KeptFor("all", "", "", float(settings.retention), "telemetry.retention")]


def _kept(signal: str, rules: Sequence[KeepRule]) -> Sequence[KeptFor]:
    return [
        KeptFor(signal, rule.tenant, rule.match, float(rule.keep), f"{signal}.keep[{number}]")
        for number, rule in enumerate(rules)
    ]


def _exactness(key: str) -> int:
    return 0 if "/" in key and not key.endswith("/*") else 1 if "/" in key else 2
