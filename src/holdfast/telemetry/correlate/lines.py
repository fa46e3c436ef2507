"""The logs of a service around a moment: how many lines of each level came, and of each pattern."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.correlate.curves import Naming, moved_finding
from holdfast.telemetry.correlate.findings import Evidence, EvidenceKind, Finding, Lane, Part
from holdfast.telemetry.correlate.moment import WEEK, Moment
from holdfast.telemetry.correlate.movement import Direction, Movement, judge
from holdfast.telemetry.correlate.wording import rank_of
from holdfast.telemetry.logs.level_words import Level
from holdfast.telemetry.logs.patterns import PatternScope, PatternSeries
from holdfast.telemetry.logs.records import DETECTED_LEVEL
from holdfast.telemetry.logs.selection import RecordSelection
from holdfast.telemetry.metrics.promql.quoting import quote

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.patterns import PatternKeeping
    from holdfast.telemetry.logs.selection import RecordSource
    from holdfast.telemetry.metrics.samples import Matcher

    Counts = npt.NDArray[np.float64]

_WEIGHTS: Final = {Level.FATAL: 1.0, Level.CRITICAL: 1.0, Level.ERROR: 1.0, Level.WARN: 0.8}
_USUAL_WEIGHT: Final = 0.55
_PER_MIN: Final = "lines/min"
_MOST_PATTERNS: Final = 500
_MOST_FOUND: Final = 20
_DAY_S: Final = 86_400
_LEAST_NEW: Final = 3  # lines of a new pattern, unless its level is grave
_SHOWN: Final = 90  # characters of a pattern in a title


async def look_at_levels(
    part: Part, source: RecordSource, tenant: TenantId, matchers: tuple[Matcher, ...], service: str, moment: Moment
) -> None:
    """Compare how many lines of each level came."""

    async def count(start: datetime, end: datetime) -> dict[str, Counts]:
        start_ns = int(start.timestamp()) * 10**9
        selection = RecordSelection(matchers, start_ns, int(end.timestamp()) * 10**9)
        step_ns = moment.step_s * 10**9
        found = await source.counts(tenant, selection, step_ns=step_ns, by=(DETECTED_LEVEL,))
        steps = round((end - start) / moment.step)
        levels: dict[str, Counts] = {}
        for (level,), begin_ns, records in zip(found.groups, found.begins_ns, found.records, strict=True):
            place = int(begin_ns - start_ns) // step_ns
            levels.setdefault(level or Level.UNKNOWN, np.zeros(steps))[place] += int(records)
        return levels

    levels = await count(moment.before, moment.end)
    weeks = await count(moment.start - WEEK, moment.end - WEEK)
    selector = ", ".join(f"{each.label}{each.op}{quote(each.value)}" for each in matchers)
    for level, counts in levels.items():
        part.looked_at += 1
        week = _per_min(weeks.get(level, np.zeros(moment.steps)), moment) if weeks else None
        weight, is_bad = _WEIGHTS.get(Level(level), _USUAL_WEIGHT), level in _WEIGHTS
        query = f"{{{selector}}} | {DETECTED_LEVEL}={quote(level)}"
        found = _judge(counts, moment, week)
        if found is not None:
            naming = Naming(
                f"{level} lines", f"Lines of level {level}", _PER_MIN, rank_of(found, weight, is_bad=is_bad)
            )
            evidence = Evidence(EvidenceKind.LOGQL, query, moment.before, moment.end)
            place, curve = (Lane.LOGS, service), _per_min(counts, moment)
            part.findings.append(moved_finding(place, found, moment, naming, evidence=evidence, curve=curve))


async def look_at_patterns(part: Part, keeping: PatternKeeping, tenant: TenantId, service: str, moment: Moment) -> None:
    """Compare how many lines of each pattern came, and tell which patterns are new."""
    before_s, start_s, end_s = (int(at.timestamp()) for at in (moment.before, moment.start, moment.end))
    week_s = int(WEEK.total_seconds())

    async def read(start_s: int, end_s: int) -> list[PatternSeries]:
        scope = PatternScope(start_s, end_s, moment.step_s, (service,), limit=_MOST_PATTERNS)
        return await keeping.read(tenant, scope)

    series = await read(before_s, end_s)
    if len(series) == _MOST_PATTERNS:
        part.cut(f"only the {_MOST_PATTERNS} patterns with most lines were compared")
    weeks = {each.key: each for each in await read(start_s - week_s, end_s - week_s)}
    day = PatternScope(before_s - _DAY_S, before_s, _DAY_S, (service,), limit=20 * _MOST_PATTERNS)
    known = {each.key for each in await keeping.read(tenant, day)}
    found: list[Finding] = []
    for each in series:
        part.looked_at += 1
        counts = _counts(each, before_s, 2 * moment.steps, moment.step_s)
        earlier = weeks.get(each.key)
        week = _counts(earlier, start_s - week_s, moment.steps, moment.step_s) if earlier else np.zeros(moment.steps)
        is_new = bool(known) and each.first_s >= start_s and each.key not in known and earlier is None
        movement = _new(each, counts, moment) if is_new else _judge(counts, moment, week if weeks else None)
        if movement is not None:
            found.append(_finding(each, movement, service, counts, moment))
    found.sort(key=lambda finding: -finding.rank)
    part.findings += found[:_MOST_FOUND]
    if len(found) > _MOST_FOUND:
        part.cut(f"{len(found) - _MOST_FOUND} more patterns moved less")


def _judge(counts: Counts, moment: Moment, week: Counts | None) -> Movement | None:
    """Judge counts as lines per minute; a line or two more or less in a step is chance (Poisson)."""
    before = counts[: moment.steps]
    typical = max(float(np.median(before)), float(np.mean(before)))
    least = 2 * max(1.0, np.sqrt(typical)) * 60 / moment.step_s
    return judge(
        _per_min(before, moment), _per_min(counts[moment.steps :], moment), week, least=0.99 * float(least) / 2
    )


def _new(each: PatternSeries, counts: Counts, moment: Moment) -> Movement | None:
    is_grave = _WEIGHTS.get(Level(each.key.level), 0) >= 1
    if each.lines < _LEAST_NEW and not is_grave:
        return None
    places = np.flatnonzero(counts[moment.steps :])
    first, last = int(places[0]), int(places[-1])
    rate = each.lines / ((last - first + 1) * moment.step_s) * 60
    return Movement(first, last, 0.0, rate, None, float(each.lines), 0.95, Direction.NEW, is_usual=False)


def _finding(each: PatternSeries, movement: Movement, service: str, counts: Counts, moment: Moment) -> Finding:
    weight = _WEIGHTS.get(Level(each.key.level), _USUAL_WEIGHT)
    if movement.direction is Direction.NEW and weight == _USUAL_WEIGHT:
        weight = 0.7
    title = each.text if len(each.text) <= _SHOWN else f"{each.text[: _SHOWN - 1]}…"
    query = f"{{service_name={quote(service)}}} |> {_quoted(each.text)}"
    rank = rank_of(movement, weight, is_bad=weight >= _WEIGHTS[Level.WARN])
    finding = moved_finding(
        (Lane.PATTERNS, service),
        movement,
        moment,
        Naming(title, f"Lines like “{title}”", _PER_MIN, rank),
        evidence=Evidence(EvidenceKind.LOGQL, query, moment.before, moment.end),
        curve=_per_min(counts, moment),
    )
    if movement.direction is not Direction.NEW:
        return finding
    reason = f"A new pattern of level {each.key.level}, “{title}”: {each.lines} lines, and none in the day before."
    return replace(finding, reason=reason)


def _counts(each: PatternSeries, start_s: int, steps: int, step_s: int) -> Counts:
    counts = np.zeros(steps)
    for begin_s, lines in each.samples:
        place = (begin_s - start_s) // step_s
        if 0 <= place < steps:
            counts[place] += lines
    return counts


def _per_min(counts: Counts, moment: Moment) -> Counts:
    return counts * (60 / moment.step_s)


def _quoted(text: str) -> str:
    return quote(text) if "`" in text else f"`{text}`"
