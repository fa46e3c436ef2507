"""Where samples come out: the latest value of a metric, or its values on a grid of times.

Plain reading for pages and sparklines. Rates, joins and arithmetic are PromQL's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import TenantId
from holdfast.store import Store
from holdfast.telemetry.metrics.samples import Matcher, MatchOp, Point, Series
from holdfast.telemetry.metrics.sink import ANNOUNCE_EVERY

LOOKBACK: Final = timedelta(minutes=5)  # how long a value stays the current one, as in Prometheus
MAX_STEPS: Final = 11_000  # points per series, as in Prometheus

_COMPARE: Final = {
    MatchOp.EQUAL: "labels[{{l{0}:String}}] = {{v{0}:String}}",
    MatchOp.NOT_EQUAL: "labels[{{l{0}:String}}] != {{v{0}:String}}",
    MatchOp.MATCHES: "match(labels[{{l{0}:String}}], {{v{0}:String}})",
    MatchOp.NOT_MATCHES: "NOT match(labels[{{l{0}:String}}], {{v{0}:String}})",
}
_SERIES: Final = """
    SELECT series_id, anyLast(labels) AS labels, max(last_seen) AS seen FROM metric_series
    WHERE tenant = {tenant:String} AND name = {name:String}
    GROUP BY series_id HAVING seen >= {seen:DateTime64(3, 'UTC')}"""
_LATEST: Final = """
    SELECT labels, at, value FROM (
        SELECT series_id, max(ts) AS at, argMax(value, ts) AS value FROM metric_samples
        WHERE tenant = {tenant:String} AND series_id IN (SELECT series_id FROM chosen)
          AND ts > {start:DateTime64(3, 'UTC')} AND ts <= {end:DateTime64(3, 'UTC')}
        GROUP BY series_id) AS newest
    INNER JOIN chosen USING series_id"""
_GRID: Final = """
    SELECT labels, slots, values FROM (
        SELECT series_id, groupArray(slot) AS slots, groupArray(last) AS values FROM (
            SELECT series_id, argMax(value, ts) AS last,
              toInt64(ceil((toUnixTimestamp64Milli(ts) - {first:Int64}) / {step:Int64})) AS slot
            FROM metric_samples
            WHERE tenant = {tenant:String} AND series_id IN (SELECT series_id FROM chosen)
              AND ts > {start:DateTime64(3, 'UTC')} AND ts <= {end:DateTime64(3, 'UTC')}
            GROUP BY series_id, slot ORDER BY series_id, slot)
        GROUP BY series_id) AS grid
    INNER JOIN chosen USING series_id"""


class MetricSource:
    """Reads samples of one tenant at a time."""

    def __init__(self, store: Store, *, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()

    async def latest(
        self,
        tenant: TenantId,
        name: str,
        matchers: Sequence[Matcher] = (),
        *,
        at: datetime | None = None,
        lookback: timedelta = LOOKBACK,
    ) -> list[Series]:
        """Give each series' newest value at `at` (now if not given), if it is not older than `lookback`."""
        end = at or self._clock.now()
        start = end - lookback
        chosen, values = _choose(name, matchers, start)
        sql = f"WITH chosen AS ({chosen}) {_LATEST}"
        table = await self._store.query(sql, {**values, "start": start, "end": end}, tenant=tenant)
        return [Series(name, dict(row["labels"]), (Point(row["at"], row["value"]),)) for row in _by_labels(table)]

    async def range(
        self,
        tenant: TenantId,
        name: str,
        matchers: Sequence[Matcher] = (),
        *,
        start: datetime,
        end: datetime,
        step: timedelta,
        lookback: timedelta = LOOKBACK,
    ) -> list[Series]:
        """Give each series' value at `start`, `start + step`, ... up to `end`.

        The value at a time is the newest one up to then, if it is not older than `lookback` rounded up to whole steps;
        where there is none, there is no point.

        Raises:
            InvalidError: the step is not positive, or there would be more than 11,000 points.
        """
        if step <= timedelta() or end < start or (end - start) / step > MAX_STEPS:
            raise InvalidError(
                f"{start} to {end} by {step} is no grid", hint=f"at most {MAX_STEPS} steps, each longer than nothing"
            )
        chosen, values = _choose(name, matchers, start - lookback)
        values |= {
            "start": start - lookback,
            "end": end,
            "first": int(start.timestamp() * 1000),
            "step": int(step / timedelta(milliseconds=1)),
        }
        table = await self._store.query(f"WITH chosen AS ({chosen}) {_GRID}", values, tenant=tenant)
        steps, held = int((end - start) / step), -(-lookback // step)
        found = (
            (row["labels"], _carried(zip(row["slots"], row["values"], strict=True), steps, held))
            for row in _by_labels(table)
        )
        return [
            Series(name, dict(labels), tuple(Point(start + slot * step, value) for slot, value in points))
            for labels, points in found
            if points
        ]


def _choose(name: str, matchers: Sequence[Matcher], start: datetime) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"name": name, "seen": start - ANNOUNCE_EVERY}
    sql = _SERIES
    for number, matcher in enumerate(matchers):
        values[f"l{number}"] = matcher.label
        is_expression = matcher.op in {MatchOp.MATCHES, MatchOp.NOT_MATCHES}
        values[f"v{number}"] = f"^(?s:{matcher.value})$" if is_expression else matcher.value
        sql += " AND " + _COMPARE[matcher.op].format(number)
    return sql, values


def _by_labels(table: Any) -> list[dict[str, Any]]:
    """Give the rows in the order of their labels; sorting maps in the engine takes as long as the whole query."""
    rows: list[dict[str, Any]] = table.to_pylist()
    rows.sort(key=itemgetter("labels"))
    return rows


def _carried(known: Iterable[tuple[int, float]], steps: int, held: int) -> list[tuple[int, float]]:
    """Give the value at every step, each known one held for at most `held` steps."""
    return list(_carry(known, steps, held))


def _carry(known: Iterable[tuple[int, float]], steps: int, held: int) -> Iterator[tuple[int, float]]:
    before: tuple[int, float] | None = None
    for slot, value in [*known, (steps + 1, 0.0)]:
        if before is not None:
            first, last = max(before[0], 0), min(slot - 1, before[0] + held - 1, steps)
            yield from ((filled, before[1]) for filled in range(first, last + 1))
        before = slot, value
