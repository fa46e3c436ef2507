"""What the counts mean: rates, the most frequent, what is slow, new, rare, and when records came in bursts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from typing import Final

from holdfast.telemetry.logs.files.analysing import Analysed
from holdfast.telemetry.logs.files.tally import BAD, MOST_PATHS, OTHERS, Durations, PatternTally, Tally

TOP: Final = 20
_ENOUGH: Final = 20  # records in a part, that a change of its rate means something
_FACTOR: Final = 3.0
_BURST: Final = 5.0  # times the median minute
_LEAST_BURST: Final = 20
_POINTS: Final = 120
_MINUTE_S: Final = 60
_SERVER_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Named:
    """A value, how often it came, and its share of all."""

    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Slow:
    """Durations in seconds."""

    count: int
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class PathFinding:
    """Requests to a path."""

    path: str
    requests: int
    errors: int
    slow: Slow | None


@dataclass(frozen=True, slots=True)
class PatternFinding:
    """A pattern: how often, in the first, second and last third, and what that means.

    Attributes:
        news: `new` (none in the first third), `gone` (none in the last), `more`, `less`, `rare`, or empty.
    """

    pattern: str
    sample: str
    level: str
    count: int
    share: float
    thirds: tuple[int, ...]
    news: str


@dataclass(frozen=True, slots=True)
class Burst:
    """Minutes in a row in which far more came than usual."""

    begin: datetime
    minutes: int
    records: int
    usual_per_minute: float
    kind: str


@dataclass(frozen=True, slots=True)
class Point:
    """Records and faults of a step of time."""

    at: datetime
    records: int
    errors: int


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is told of some files; every list is the most important first; `inexact` says what is no exact count."""

    files: Mapping[str, str]
    lines: int
    records: int
    bytes: int
    unread: int
    unread_samples: Sequence[str]
    cut: int
    first_at: datetime | None
    last_at: datetime | None
    error_rate: float
    levels: Sequence[Named]
    statuses: Sequence[Named]
    methods: Sequence[Named]
    clients: Sequence[Named]
    exceptions: Sequence[Named]
    paths: Sequence[PathFinding]
    slowest: Sequence[PathFinding]
    slow: Slow | None
    patterns: Sequence[PatternFinding]
    changed: Sequence[PatternFinding]
    rare: Sequence[PatternFinding]
    pattern_count: int
    bursts: Sequence[Burst]
    step_s: int
    series: Sequence[Point]
    inexact: Sequence[str] = ()


def find(analysed: Analysed, *, top: int = TOP) -> Findings:
    """Give what is told of some files; lists have at most `top` entries."""
    tally = analysed.tally
    patterns = [_pattern(row, tally) for row in tally.patterns]
    paths = [
        PathFinding(name, row.requests, row.errors, _slow(row.durations))
        for name, row in sorted(tally.paths.items(), key=lambda item: (-item[1].requests, item[0]))
    ]
    slowest = sorted((each for each in paths if each.slow), key=_total_s, reverse=True)
    step, series = _series(tally)
    return Findings(
        files=analysed.formats,
        lines=tally.lines,
        records=tally.records,
        bytes=tally.size,
        unread=tally.unread,
        unread_samples=tally.unread_samples,
        cut=tally.cut,
        first_at=_at(min(tally.minutes)) if tally.minutes else None,
        last_at=_at(max(tally.minutes)) if tally.minutes else None,
        error_rate=sum(tally.levels[level] for level in BAD) / max(sum(tally.levels.values()), 1),
        levels=_named(tally.levels, top),
        statuses=_named(Counter({str(status): count for status, count in tally.statuses.items()}), top),
        methods=_named(tally.methods, top),
        clients=_named(tally.clients, top),
        exceptions=_named(tally.exceptions, top),
        paths=paths[:top],
        slowest=slowest[:top],
        slow=_slow(tally.durations),
        patterns=patterns[:top],
        changed=[each for each in patterns if each.news not in {"", "rare"}][:top],
        rare=[each for each in reversed(patterns) if each.news == "rare"][:top],
        pattern_count=len(patterns),
        bursts=_bursts(tally.minutes, "records") + _bursts(tally.bad_minutes, "errors"),
        step_s=step,
        series=series,
        inexact=_inexact(tally),
    )


def _inexact(tally: Tally) -> list[str]:
    """Say which figures are not counted to the last one."""
    told = ["percentiles to one percent"] if tally.durations.count else []
    if OTHERS in tally.clients:
        told.append(
            f"clients: {tally.clients[OTHERS]:,} requests of rare ones are counted together, and miss elsewhere"
        )
    if OTHERS in tally.paths:
        told.append(
            f"paths: {tally.paths[OTHERS].requests:,} requests beyond the first {MOST_PATHS:,} paths are together"
        )
    if tally.others:
        told.append(f"patterns: {tally.others:,} records of rare ones are in none")
    return told


def _named(counter: Counter[str], top: int) -> list[Named]:
    total = max(sum(counter.values()), 1)
    most = nsmallest(top, counter.items(), key=_most_first)
    return [Named(name, count, count / total) for name, count in most]


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    """Give the place of a count: of equal ones by their names, whichever process came to its end first."""
    return -counted[1], counted[0]


def _slow(durations: Durations) -> Slow | None:
    if not durations.count:
        return None
    p50, p90, p95, p99 = (durations.quantile(share) for share in (0.5, 0.9, 0.95, 0.99))
    return Slow(durations.count, p50, p90, p95, p99, durations.longest_s)


def _total_s(each: PathFinding) -> float:
    return each.slow.p95_s if each.slow else 0.0


def _pattern(row: PatternTally, tally: Tally) -> PatternFinding:
    share = row.records / max(tally.records, 1)
    return PatternFinding(row.text, row.sample, row.level, row.records, share, tuple(row.parts), _news(row, tally))


def _news(row: PatternTally, tally: Tally) -> str:
    first, _, last = row.parts
    if tally.records < 3 * _ENOUGH:
        return ""
    if not first and last >= 1 and row.records >= 2:
        return "new"
    if not last and first >= _ENOUGH:
        return "gone"
    if last >= _ENOUGH and last >= _FACTOR * first:
        return "more"
    if first >= _ENOUGH and first >= _FACTOR * last:
        return "less"
    return "rare" if row.records <= max(1, tally.records // 10_000) else ""


def _bursts(minutes: Counter[int], kind: str) -> list[Burst]:
    if not minutes:
        return []
    counts = sorted(minutes.values())
    usual = counts[len(counts) // 2]
    least = max(_BURST * usual, _LEAST_BURST)
    if len(counts) < 5:
        return []
    bursts: list[Burst] = []
    for minute in sorted(each for each, count in minutes.items() if count >= least):
        count = minutes[minute]
        before = bursts[-1] if bursts else None
        if before is not None and before.begin.timestamp() // _MINUTE_S + before.minutes == minute:
            bursts[-1] = Burst(before.begin, before.minutes + 1, before.records + count, usual, kind)
        else:
            bursts.append(Burst(_at(minute), 1, count, usual, kind))
    return sorted(bursts, key=lambda burst: -burst.records)[:10]


def _series(tally: Tally) -> tuple[int, list[Point]]:
    if not tally.minutes:
        return _MINUTE_S, []
    first, last = min(tally.minutes), max(tally.minutes)
    step = max(1, math.ceil((last - first + 1) / _POINTS))
    records, errors = Counter[int](), Counter[int]()
    for source, target in ((tally.minutes, records), (tally.bad_minutes, errors)):
        for minute, count in source.items():
            target[(minute - first) // step] += count
    places = range((last - first) // step + 1)
    return step * _MINUTE_S, [Point(_at(first + place * step), records[place], errors[place]) for place in places]


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * _MINUTE_S, UTC)
