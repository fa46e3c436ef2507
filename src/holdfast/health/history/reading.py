"""Asks the store for the past of checks: runs, latency, uptime. All sums happen in the engine, not here.

Uptime is up and degraded time over known time; unknown time counts for neither, it lowers the coverage.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from holdfast.health.engine import Recent
from holdfast.health.history.schema import PHASES
from holdfast.health.probes import Fact, Phases
from holdfast.health.verdict import Verdict
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store

HOUR_S: Final = 3600.0
_PHASE_COLUMNS: Final = ", ".join(PHASES)


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run as the history has it."""

    at: datetime
    verdict: Verdict
    observed: Verdict
    message: str
    duration_s: float
    phases: Phases
    attempts: int
    facts: Mapping[str, Fact]
    blocked_by: str | None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of the answers' time in seconds; None without an answer."""

    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    max_s: float | None


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """One step: percentiles and phase means of the answers, and how many runs had which verdict."""

    at: datetime
    percentiles: Percentiles
    phases: Phases
    counts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True)
class Held:
    """Seconds for which each verdict was true, out of `window_s`."""

    window_s: float
    seconds: Mapping[Verdict, float] = field(default_factory=dict)

    @property
    def known_s(self) -> float:
        """Seconds of which we know whether it worked."""
        return sum(self.seconds.get(verdict, 0.0) for verdict in (Verdict.UP, Verdict.DEGRADED, Verdict.DOWN))

    @property
    def ratio(self) -> float | None:
        """Up and degraded time over known time; None when nothing is known."""
        down_s, known_s = self.seconds.get(Verdict.DOWN, 0.0), self.known_s
        return (known_s - down_s) / known_s if known_s > 0 else None

    @property
    def coverage(self) -> float:
        """Known time over the window."""
        return min(1.0, self.known_s / self.window_s) if self.window_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class HeldBucket:
    """One part of a window."""

    at: datetime
    seconds: Mapping[Verdict, float]


class History:
    """The past of one tenant's checks."""

    def __init__(self, store: Store, tenant: TenantId = DEFAULT_TENANT) -> None:
        self._store = store
        self._tenant = tenant

    async def runs(
        self, check: str, start: datetime, end: datetime, *, limit: int, verdicts: Collection[Verdict] = ()
    ) -> list[PastRun]:
        """Give runs with `start <= at < end`, newest first, at most `limit`; only of these visible verdicts, if any."""
        sql = f"""
            SELECT at, verdict, observed, message, duration_s, {_PHASE_COLUMNS}, attempts, facts, blocked_by
            FROM check_results
            WHERE tenant = {{tenant:String}} AND check_name = {{check:String}}
              AND at >= {{start:DateTime64(3, 'UTC')}} AND at < {{end:DateTime64(3, 'UTC')}}
              AND (empty({{verdicts:Array(String)}}) OR has({{verdicts:Array(String)}}, verdict))
            ORDER BY at DESC LIMIT {{limit:UInt32}}"""
        values = {"verdicts": [verdict.value for verdict in verdicts], "limit": limit}
        return [_to_run(row) for row in await self._rows(sql, check, start, end, **values)]

    async def latency(self, check: str, start: datetime, end: datetime, step_s: float) -> list[LatencyPoint]:
        """Give percentiles for each step that has runs, oldest first. Steps begin at `start`."""
        means = ", ".join(f"avgIf({phase}, is_answer) AS {phase}" for phase in PHASES)
        counts = ", ".join(f"countIf(observed = '{verdict}') AS {verdict}" for verdict in Verdict)
        sql = f"""
            SELECT intDiv(toUnixTimestamp64Milli(at) - {{start_ms:Int64}}, {{step_ms:Int64}}) AS step,
                   {_percentiles()}, {means}, {counts}
            FROM (SELECT *, observed IN ('up', 'degraded') AS is_answer FROM check_results
                  WHERE tenant = {{tenant:String}} AND check_name = {{check:String}} AND attempts > 0
                    AND at >= {{start:DateTime64(3, 'UTC')}} AND at < {{end:DateTime64(3, 'UTC')}})
            GROUP BY step ORDER BY step"""
        values = {"start_ms": round(start.timestamp() * 1000), "step_ms": max(1, round(step_s * 1000))}
        rows = await self._rows(sql, check, start, end, **values)
        return [_to_point(row, start + timedelta(seconds=row["step"] * step_s)) for row in rows]

    async def percentiles(self, check: str, start: datetime, end: datetime) -> Percentiles:
        """Give the percentiles over the whole time."""
        sql = f"""
            SELECT {_percentiles()}
            FROM (SELECT duration_s, observed IN ('up', 'degraded') AS is_answer FROM check_results
                  WHERE tenant = {{tenant:String}} AND check_name = {{check:String}} AND attempts > 0
                    AND at >= {{start:DateTime64(3, 'UTC')}} AND at < {{end:DateTime64(3, 'UTC')}})"""
        (row,) = await self._rows(sql, check, start, end)
        return _to_percentiles(row)

    async def held(self, check: str, start: datetime, end: datetime, buckets: int) -> list[HeldBucket]:
        """Give the seconds of each verdict in `buckets` equal parts of the time, oldest first, empty ones too.

        Parts of an hour and more are read from the hours, shorter ones from the runs.
        """
        width_s = (end - start).total_seconds() / buckets
        if width_s >= HOUR_S:
            rows = await self._rows(_HELD_BY_HOURS, check, start - timedelta(hours=1), end, **_widths(start, width_s))
        else:
            rows = await self._rows(_HELD_BY_RUNS, check, start, end + timedelta(days=1), **_widths(start, width_s))
        found = {row["bucket"]: row for row in rows if 0 <= row["bucket"] < buckets}
        return [
            HeldBucket(start + timedelta(seconds=number * width_s), _to_seconds(found.get(number, {})))
            for number in range(buckets)
        ]

    async def uptimes(self, now: datetime, windows: Mapping[str, timedelta]) -> dict[str, dict[str, Held]]:
        """Give every check's seconds in each window that ends now; the hour at its edge counts by share."""
        sums, values = [], {}
        for number, length in enumerate(windows.values()):
            values[f"from{number}"] = (now - length).timestamp()
            share = f"greatest(0, least(1, (toUnixTimestamp(hour) + 3600 - {{from{number}:Float64}}) / 3600))"
            sums += [f"sum({verdict}_s * {share}) AS {verdict}_{number}" for verdict in Verdict]
        sql = f"""
            SELECT check_name, {", ".join(sums)} FROM check_hours
            WHERE tenant = {{tenant:String}} AND hour >= {{since:DateTime('UTC')}} GROUP BY check_name"""
        since = now - max(windows.values()) - timedelta(hours=1)
        table = await self._store.query(sql, {**values, "since": since}, tenant=self._tenant)
        return {
            row["check_name"]: {
                name: Held(length.total_seconds(), {verdict: row[f"{verdict}_{number}"] for verdict in Verdict})
                for number, (name, length) in enumerate(windows.items())
            }
            for row in table.to_pylist()
        }

    async def recent(self, since: datetime, count: int) -> dict[str, list[Recent]]:
        """Give the last `count` runs of every check since then, oldest first."""
        sql = """
            SELECT check_name, at, verdict, duration_s FROM check_results
            WHERE tenant = {tenant:String} AND at >= {since:DateTime64(3, 'UTC')}
            ORDER BY check_name, at DESC LIMIT {count:UInt32} BY check_name"""
        table = await self._store.query(sql, {"since": since, "count": count}, tenant=self._tenant)
        found: dict[str, list[Recent]] = {}
        for row in table.to_pylist():
            point = Recent(_utc(row["at"]), Verdict(row["verdict"]), row["duration_s"])
            found.setdefault(row["check_name"], []).insert(0, point)
        return found

    async def _rows(
        self, sql: str, check: str, start: datetime, end: datetime, **values: object
    ) -> list[dict[str, Any]]:
        table = await self._store.query(
            sql, {"check": check, "start": start, "end": end, **values}, tenant=self._tenant
        )
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows


_HELD_BY_HOURS: Final = f"""
    SELECT intDiv(toInt64(toUnixTimestamp(hour)) + 1800 - toInt64({{begin_s:Float64}}), {{width_s:Float64}}) AS bucket,
           {", ".join(f"sum({verdict}_s) AS {verdict}" for verdict in Verdict)}
    FROM check_hours
    WHERE tenant = {{tenant:String}} AND check_name = {{check:String}}
      AND hour > {{start:DateTime('UTC')}} AND hour < {{end:DateTime('UTC')}}
    GROUP BY bucket"""

# A run tells of the time before it, which may reach over several buckets: each gets its part.
_HELD_BY_RUNS: Final = f"""
    SELECT bucket, {", ".join(f"sumIf(part, held_verdict = '{verdict}') AS {verdict}" for verdict in Verdict)}
    FROM (
        SELECT held_verdict,
               toUnixTimestamp64Milli(at) / 1000 - {{begin_s:Float64}} AS until,
               until - held_s AS since,
               arrayJoin(range(toUInt32(greatest(0, floor(since / {{width_s:Float64}}))),
                               toUInt32(greatest(0, floor(until / {{width_s:Float64}}) + 1)))) AS bucket,
               least(until, (bucket + 1) * {{width_s:Float64}}) - greatest(since, bucket * {{width_s:Float64}}) AS part
        FROM check_results
        WHERE tenant = {{tenant:String}} AND check_name = {{check:String}} AND held_s > 0
          AND at >= {{start:DateTime64(3, 'UTC')}} AND at < {{end:DateTime64(3, 'UTC')}}
    )
    WHERE part > 0 GROUP BY bucket"""


def _percentiles() -> str:
    parts = [f"quantileIf({level})(duration_s, is_answer) AS p{name}_s" for name, level in _LEVELS.items()]
    return ", ".join([*parts, "maxIf(duration_s, is_answer) AS max_s", "countIf(is_answer) AS answers"])


_LEVELS: Final = {50: 0.5, 95: 0.95, 99: 0.99}


def _widths(start: datetime, width_s: float) -> dict[str, float]:
    return {"begin_s": start.timestamp(), "width_s": width_s}


def _to_percentiles(row: Mapping[str, Any]) -> Percentiles:
    if not row["answers"]:
        return Percentiles(None, None, None, None)
    return Percentiles(row["p50_s"], row["p95_s"], row["p99_s"], row["max_s"])


def _to_phases(row: Mapping[str, Any]) -> Phases:
    return Phases(*(row[phase] for phase in PHASES))


def _to_point(row: Mapping[str, Any], at: datetime) -> LatencyPoint:
    return LatencyPoint(at, _to_percentiles(row), _to_phases(row), {verdict: row[verdict] for verdict in Verdict})


def _to_seconds(row: Mapping[str, Any]) -> dict[Verdict, float]:
    return {verdict: float(row.get(verdict.value, 0.0)) for verdict in Verdict}


def _to_run(row: Mapping[str, Any]) -> PastRun:
    return PastRun(
        at=_utc(row["at"]),
        verdict=Verdict(row["verdict"]),
        observed=Verdict(row["observed"]),
        message=row["message"],
        duration_s=row["duration_s"],
        phases=_to_phases(row),
        attempts=row["attempts"],
        facts=orjson.loads(row["facts"]) if row["facts"] else {},
        blocked_by=row["blocked_by"] or None,
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
