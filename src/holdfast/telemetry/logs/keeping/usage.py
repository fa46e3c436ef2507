"""What logs cost: records, letters and room on the disk, by day and by the value of a label, such as the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.logs.tables import RECORDS, SLOT_NS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store

_DAY_SLOTS: Final = 86_400 * 10**9 // SLOT_NS
_EPOCH: Final = date(1970, 1, 1)
_COUNTS: Final = """
    SELECT intDiv(slot, {day:Int32}) AS day, stream_id, toInt64(count()) AS records, toInt64(sum(length(body))) AS bytes
    FROM log_records WHERE tenant = {tenant:String} AND slot >= {first:Int32} AND slot < {last:Int32}
    GROUP BY day, stream_id ORDER BY day, bytes DESC LIMIT {most:UInt32}"""
_LABELS: Final = """
    SELECT stream_id, anyLast(labels) AS labels FROM log_streams WHERE tenant = {tenant:String} GROUP BY stream_id"""
_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class LogUse:
    """What one service, or one stream, took on one day (UTC).

    Attributes:
        day: by the time of the records.
        labels: the label asked for, or all labels of the stream.
        records: how many are kept.
        bytes: letters of their bodies.
        disk_bytes: about what they take on the disk: the share of the day's by letters.
    """

    day: date
    labels: Mapping[str, str]
    records: int
    bytes: int
    disk_bytes: int


async def read_usage(store: Store, tenant: TenantId, first: date, last: date, by: str) -> Sequence[LogUse]:
    """Give what is kept of each day from `first` to `last`, by the values of a label; by stream if it is empty.

    Raises:
        LimitError, TimedOutError: it costs more than a query may.
        UnavailableError: the store does not answer.
    """
    begin, end = (first - _EPOCH).days * _DAY_SLOTS, ((last - _EPOCH).days + 1) * _DAY_SLOTS
    within = {"day": _DAY_SLOTS, "first": begin, "last": end, "most": _MOST}
    counts = (await store.query(_COUNTS, within, tenant=tenant)).to_pylist()
    labels = {identity: dict(pairs) for identity, pairs in (await read_labels(store, tenant)).items()}
    disk = await _disk_by_day(store, tenant)
    letters: dict[int, int] = {}
    found: dict[tuple[int, tuple[tuple[str, str], ...]], list[int]] = {}
    for row in counts:
        pairs = labels.get(row["stream_id"], {})
        key = (row["day"], ((by, pairs.get(by, "")),) if by else tuple(sorted(pairs.items())))
        sums = found.setdefault(key, [0, 0])
        sums[0] += row["records"]
        sums[1] += row["bytes"]
        letters[row["day"]] = letters.get(row["day"], 0) + row["bytes"]
    uses = [
        LogUse(_EPOCH + timedelta(days=day), dict(pairs), records, size, _share(disk, letters, day, size))
        for (day, pairs), (records, size) in found.items()
    ]
    return sorted(uses, key=lambda use: (use.day, use.bytes), reverse=True)


async def read_labels(store: Store, tenant: TenantId) -> Mapping[int, tuple[tuple[str, str], ...]]:
    """Give the labels of every stream, by its id.

    Raises:
        UnavailableError: the store does not answer.
    """
    rows = (await store.query(_LABELS, tenant=tenant)).to_pylist()
    return {row["stream_id"]: tuple(sorted(dict(row["labels"]).items())) for row in rows}


async def _disk_by_day(store: Store, tenant: TenantId) -> dict[int, float]:
    shares: list[dict[str, Any]] = (await store.volume.shares(RECORDS, ("tenant", "slot"))).to_pylist()
    days: dict[int, float] = {}
    for row in shares:
        if row["tenant"] == tenant:
            day = row["slot"] // _DAY_SLOTS
            days[day] = days.get(day, 0.0) + row["bytes"]
    return days


def _share(disk: Mapping[int, float], letters: Mapping[int, int], day: int, size: int) -> int:
    return round(disk.get(day, 0.0) * size / letters[day]) if letters[day] else 0


def today(now: datetime) -> date:
    """Give the day of a time, in UTC."""
    return now.astimezone(UTC).date()
