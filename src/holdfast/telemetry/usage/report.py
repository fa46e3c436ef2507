"""Puts together who keeps and reads how much, from what the signals count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.ledger import Cut, Signal, read_services
from holdfast.telemetry.logs.keeping import read_labels, read_usage
from holdfast.telemetry.usage.documents import LimitUse, Reader, SignalUse, UsageReport, Use, UseOfDay

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store, Table
    from holdfast.telemetry.ledger import Ledger
    from holdfast.telemetry.logs.keeping import LogRead, LogReads, LogUse
    from holdfast.telemetry.usage.settings import UsageSettings

SERVICE: Final = "service_name"
_GIB: Final = Decimal(1 << 30)
_LISTED: Final = 100
_EPOCH: Final = date(1970, 1, 1)
_DAY_SLOTS: Final = 24  # the slots of spans are hours
_SPANS: Final = """
    SELECT service, toInt64(count()) AS spans FROM trace_spans
    WHERE tenant = {tenant:String} AND slot >= {first:Int32} AND slot < {last:Int32}
    GROUP BY service ORDER BY spans DESC LIMIT 10000"""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """Where the figures come from."""

    store: Store
    reads: LogReads
    signals: Mapping[str, Sequence[Table]]
    spans: Table
    ledger: Ledger


class UsageReports:
    """Makes reports of usage."""

    def __init__(self, counted: Counted, settings: UsageSettings) -> None:
        self._counted = counted
        self._settings = settings

    async def read(self, tenant: TenantId, first: date, last: date, limits: Sequence[LimitUse]) -> UsageReport:
        """Report on the days from `first` to `last`.

        Raises:
            LimitError, TimedOutError: it costs more than a query may.
            UnavailableError: the store does not answer.
        """
        counted, settings = self._counted, self._settings
        kept = await read_usage(counted.store, tenant, first, last, "")
        labels = await read_labels(counted.store, tenant)
        reads = await counted.reads.between(tenant, first, last)
        streams = _by(kept, reads, labels, lambda pairs: pairs)
        services = _by(kept, reads, labels, lambda pairs: ((SERVICE, dict(pairs).get(SERVICE, "")),))
        await self._add_spans(tenant, first, last, services)
        return UsageReport(
            first,
            last,
            settings.currency,
            float(settings.stored_gib_month),
            float(settings.read_gib),
            await self._signals(tenant),
            self._priced(services.values()),
            self._priced(streams.values())[:_LISTED],
            len(streams),
            _readers(reads),
            _days(kept, reads, first, last),
            limits,
            await self._dropped(tenant, first, last),
        )

    async def _dropped(self, tenant: TenantId, first: date, last: date) -> dict[str, int]:
        """Give the log records that were left out by reason, in all processes and whatever restarted since."""
        with suppress(HoldfastError):  # what the store does not take now is counted as waiting, and told by its metrics
            await self._counted.ledger.write()
        begin = datetime.combine(first, time(), UTC)
        end = datetime.combine(last + timedelta(days=1), time(), UTC)
        found: Counter[str] = Counter()
        for each in await read_services(self._counted.store, tenant, Cut(begin, end, Signal.LOGS)):
            if each.reason and each.records:
                found[each.reason] += each.records
        return dict(found)

    async def _add_spans(self, tenant: TenantId, first: date, last: date, services: dict[Labels, Use]) -> None:
        begin, end = (first - _EPOCH).days * _DAY_SLOTS, ((last - _EPOCH).days + 1) * _DAY_SLOTS
        table = await self._counted.store.query(_SPANS, {"first": begin, "last": end}, tenant=tenant)
        shares = (await self._counted.store.volume.shares(self._counted.spans, ("tenant", "slot"))).to_pylist()
        disk = sum(row["bytes"] for row in shares if row["tenant"] == tenant and begin <= row["slot"] < end)
        rows = table.to_pylist()
        total = sum(row["spans"] for row in rows)
        for row in rows:
            key = ((SERVICE, row["service"]),)
            share = round(disk * row["spans"] / total)
            before = services.get(key) or Use(dict(key))
            services[key] = replace(before, spans=row["spans"], span_disk_bytes=share)

    async def _signals(self, tenant: TenantId) -> Sequence[SignalUse]:
        volume = self._counted.store.volume
        found = []
        for signal, tables in self._counted.signals.items():
            sizes = await volume.sizes(tables)
            ours = 0.0
            for table in tables:
                rows = (await volume.shares(table, ("tenant",))).to_pylist()
                ours += sum(row["bytes"] for row in rows if row["tenant"] == tenant)
            whole = sum(taken.size_bytes for taken in sizes.values())
            found.append(SignalUse(signal, min(round(ours), whole), whole))
        return found

    def _priced(self, uses: Iterable[Use]) -> list[Use]:
        settings = self._settings
        has_price = bool(settings.stored_gib_month or settings.read_gib)

        def cost(use: Use) -> float | None:
            if not has_price:
                return None
            stored = Decimal(use.disk_bytes + use.span_disk_bytes) / _GIB * settings.stored_gib_month
            return float(stored + Decimal(use.read_bytes) / _GIB * settings.read_gib)

        priced = [replace(use, cost=cost(use)) for use in uses]
        return sorted(priced, key=lambda use: (use.disk_bytes + use.span_disk_bytes, use.bytes), reverse=True)


def _by(
    kept: Sequence[LogUse], reads: Sequence[LogRead], labels: Mapping[int, Labels], key_of: Callable[[Labels], Labels]
) -> dict[Labels, Use]:
    found: dict[Labels, Use] = {}
    for use in kept:
        key = key_of(tuple(sorted(use.labels.items())))
        before = found.get(key) or Use(dict(key))
        found[key] = replace(
            before,
            records=before.records + use.records,
            bytes=before.bytes + use.bytes,
            disk_bytes=before.disk_bytes + use.disk_bytes,
        )
    for read in reads:
        key = key_of(labels.get(read.stream_id, ()))
        before = found.get(key) or Use(dict(key))
        found[key] = replace(
            before, read_records=before.read_records + read.records, read_bytes=before.read_bytes + read.bytes
        )
    return found


def _readers(reads: Sequence[LogRead]) -> Sequence[Reader]:
    sums: dict[str, list[int]] = {}
    for read in reads:
        own = sums.setdefault(read.reader, [0, 0])
        own[0] += read.records
        own[1] += read.bytes
    found = [Reader(name, *own) for name, own in sums.items()]
    return sorted(found, key=lambda reader: reader.bytes, reverse=True)[:_LISTED]


def _days(kept: Sequence[LogUse], reads: Sequence[LogRead], first: date, last: date) -> Sequence[UseOfDay]:
    found = {}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        uses = [use for use in kept if use.day == day]
        found[day] = UseOfDay(
            day,
            sum(use.records for use in uses),
            sum(use.bytes for use in uses),
            sum(use.disk_bytes for use in uses),
            sum(read.bytes for read in reads if read.day == day),
        )
    return list(found.values())
