"""Curves by PromQL over the time before, the window and the window of last week, and what of them moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.correlate.findings import Evidence, EvidenceKind, Finding, Lane
from holdfast.telemetry.correlate.moment import WEEK, Moment
from holdfast.telemetry.correlate.movement import Movement, judge
from holdfast.telemetry.correlate.wording import describe_movement, rank_of
from holdfast.telemetry.metrics.promql import Engine, QueryLimits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.promql import Grid

    Values = npt.NDArray[np.float64]

_WEEK_MS: Final = int(WEEK.total_seconds() * 1000)
_AT_ONCE: Final = 4
_SHORTEST_LOOKBACK_MS: Final = 150_000  # two scrapes a minute apart, and a late one


@dataclass(frozen=True, slots=True)
class Question:
    """A curve that is asked for, and how findings speak of it.

    Attributes:
        query: in PromQL.
        title: gives the name of one of its series.
        subject: gives how a sentence calls it.
        unit: of its values: `/s`, `ms`, `s`, `%`, `bytes` or none.
        is_count: a series that is not there counts as nothing having happened.
        weight: how much more a movement of it says than one of anything; 0 to 1.
        least: the smallest difference that counts.
        most: series that are compared.
    """

    lane: Lane
    service: str
    query: str
    title: Callable[[Mapping[str, str]], str]
    subject: Callable[[Mapping[str, str]], str]
    unit: str = ""
    is_count: bool = False
    weight: float = 0.7
    least: float = 0.0
    most: int = 50
    narrow: Callable[[Mapping[str, str]], str] | None = None
    is_bad_up: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One series: values of the time before, of the window, and of last week's window, NaN where there is none."""

    labels: Mapping[str, str]
    before: Values
    window: Values
    week: Values | None


class CurveReader:
    """Asks for curves of one moment."""

    def __init__(self, engine: Engine, tenant: TenantId, moment: Moment, limits: QueryLimits) -> None:
        self._engine = engine
        self._tenant = tenant
        self._limits = limits
        self.moment = moment
        self.samples_left = limits.max_samples

    async def findings(self, question: Question, *, has_week: bool) -> list[Finding]:
        """Give what moved, the most striking series first.

        Raises:
            LimitError: too much would have to be read.
        """
        curves = await self._read(question, has_week=has_week)
        return await asyncio.to_thread(self._judge, question, curves)

    async def _read(self, question: Question, *, has_week: bool) -> list[Curve]:
        moment = self.moment
        grid = await self._ask(question.query, moment.before, moment.end)
        if grid is None:
            return []
        values = _filled(grid, is_count=question.is_count)
        weeks: dict[tuple[tuple[str, str], ...], Values] = {}
        if has_week:
            earlier = await self._ask(question.query, moment.start - WEEK, moment.end - WEEK)
            if earlier is not None:
                rows = _filled(earlier, is_count=question.is_count)
                weeks = dict(zip(map(tuple, earlier.labels), rows, strict=True))
        return [
            Curve(dict(labels), row[: moment.steps], row[moment.steps :], weeks.get(tuple(labels)))
            for labels, row in zip(grid.labels, values, strict=True)
        ]

    async def _ask(self, query: str, start: datetime, end: datetime) -> Grid | None:
        if self.samples_left <= 0:
            raise LimitError("as many samples were read as one answer may read", hint="ask for a shorter window")
        step_ms = self.moment.step_s * 1000
        limits = QueryLimits(self._limits.max_series, self.samples_left, self._limits.max_steps, self._limits.max_bytes)
        answer = await self._engine.range(
            self._tenant,
            query,
            int(start.timestamp() * 1000) + step_ms,
            int(end.timestamp() * 1000),
            step_ms,
            lookback_ms=max(_SHORTEST_LOOKBACK_MS, step_ms),
            limits=limits,
        )
        self.samples_left -= answer.stats.samples
        return answer.grid

    def _judge(self, question: Question, curves: Sequence[Curve]) -> list[Finding]:
        moved = [
            (movement, curve)
            for curve in curves[: question.most]
            if (movement := judge(curve.before, curve.window, curve.week, least=question.least, tries=len(curves)))
            is not None
        ]
        found = [self._finding(question, movement, curve) for movement, curve in moved]
        return sorted(found, key=lambda finding: -finding.rank)

    def _finding(self, question: Question, movement: Movement, curve: Curve) -> Finding:
        moment = self.moment
        query = question.narrow(curve.labels) if question.narrow else question.query
        naming = Naming(
            question.title(curve.labels),
            question.subject(curve.labels),
            question.unit,
            rank_of(movement, question.weight, is_bad=question.is_bad_up),
        )
        return moved_finding(
            (question.lane, question.service),
            movement,
            moment,
            naming,
            evidence=Evidence(EvidenceKind.PROMQL, query, moment.before, moment.end),
            curve=np.concatenate((curve.before, curve.window)),
        )


@dataclass(frozen=True, slots=True)
class Naming:
    """How a moved curve is spoken of: a title, a subject of a sentence, the unit of its values, its rank."""

    title: str
    subject: str
    unit: str
    rank: float


def moved_finding(
    place: tuple[Lane, str], movement: Movement, moment: Moment, naming: Naming, *, evidence: Evidence, curve: Values
) -> Finding:
    """Give a movement of a curve as a finding in a lane, of a service."""
    lane, service = place
    return Finding(
        lane,
        service,
        naming.title,
        moment.time_of(movement.first),
        moment.time_of(movement.last + 1),
        movement.direction,
        round(movement.sure, 3),
        round(naming.rank, 4),
        describe_movement(naming.subject, movement, naming.unit),
        evidence,
        naming.unit,
        movement.before,
        movement.now,
        movement.last_week,
        movement.is_usual,
        curve=[None if np.isnan(value) else float(f"{value:.5g}") for value in curve.tolist()],
    )


def _filled(grid: Grid, *, is_count: bool) -> Values:
    values = np.where(grid.present & np.isfinite(grid.values), grid.values, np.nan)
    return np.nan_to_num(values) if is_count else values
