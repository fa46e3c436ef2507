"""The engine of PromQL: a query's text and a moment, or a range of moments, become an answer.

Fetches everything that a query selects with one call to the source, then evaluates: little at once, much in a worker
thread. Does not parse (`parser`), store, queue or write out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from holdfast.kernel.errors import LimitError
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.promql.answers import Answer, Grid, QueryStats
from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.evaluation import (
    AbandonedError,
    Budget,
    DurationFolder,
    Evaluator,
    Frame,
    Notes,
    Planner,
    Query,
    Samples,
    Scalars,
    Steps,
    Value,
    drop_names,
    read_range,
)
from holdfast.telemetry.metrics.promql.limits import QueryLimits
from holdfast.telemetry.metrics.promql.nodes import Expr, MatrixSelector, StringLiteral, Subquery, ValueType
from holdfast.telemetry.metrics.promql.parser import parse
from holdfast.telemetry.metrics.promql.walking import bare
from holdfast.telemetry.metrics.selection import SampleSource, SelectionLimits, SeriesColumns

_SMALL_TEXT: Final = 500
_SMALL_SAMPLES: Final = 25_000
_SMALL_CELLS: Final = 4_000


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine behaves towards all queries; `has_type_labels`: series carry `__type__` and `__unit__`."""

    has_type_labels: bool = False
    limits: QueryLimits = field(default_factory=QueryLimits)


class Engine:
    """Evaluates PromQL over a source of samples; `default_subquery_step_ms` is asked for each query anew."""

    def __init__(
        self,
        source: SampleSource,
        *,
        lookback_ms: int = 300_000,
        default_subquery_step_ms: Callable[[], int] = lambda: 60_000,
        options: EngineOptions | None = None,
    ) -> None:
        self._source = source
        self._lookback_ms = lookback_ms
        self._subquery_step_ms = default_subquery_step_ms
        self._options = options or EngineOptions()

    async def instant(
        self,
        tenant: TenantId,
        query: str | Expr,
        at_ms: int,
        *,
        lookback_ms: int | None = None,
        limits: QueryLimits | None = None,
        text: str = "",
    ) -> Answer:
        """Evaluate at one moment; `text` gives the positions of notes their lines if `query` is already parsed.

        Raises:
            QuerySyntaxError: the text is no PromQL.
            QueryExecutionError: it cannot be answered.
            LimitError, TimedOutError: it is too dear; what the source raises comes through.
        """
        request = _Request(tenant, Steps(at_ms, at_ms, 1), 0, lookback_ms or self._lookback_ms, limits)
        return await self._answer(request, query, text)

    async def range(
        self,
        tenant: TenantId,
        query: str | Expr,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        *,
        lookback_ms: int | None = None,
        limits: QueryLimits | None = None,
        text: str = "",
    ) -> Answer:
        """Evaluate at evenly spaced moments, both ends included; errors as of `instant`."""
        steps = Steps(start_ms, end_ms, step_ms)
        request = _Request(tenant, steps, step_ms, lookback_ms or self._lookback_ms, limits)
        most = (limits or self._options.limits).max_steps
        if steps.count - 1 > most:  # a step leads from one moment to the next, as Prometheus counts them
            raise LimitError(
                f"the query has {steps.count - 1:,} steps; the limit max_steps is {most:,}", hint="use a longer step"
            )
        return await self._answer(request, query, text)

    async def _answer(self, request: _Request, query: str | Expr, text: str) -> Answer:
        tree, text = (parse(query), query) if isinstance(query, str) else (query, text)
        planner = Planner(
            request.steps,
            DurationFolder(request.steps, request.step_ms),
            request.lookback_ms,
            self._subquery_step_ms(),
        )
        core = bare(tree)
        if request.step_ms and isinstance(core, MatrixSelector | Subquery | StringLiteral):
            kind = "string" if isinstance(core, StringLiteral) else "range vector"
            raise QuerySyntaxError(
                f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector', span=tree.span
            )
        planner.prepare(tree)
        limits = request.limits or self._options.limits
        began = time.perf_counter()
        columns = await self._fetch(request.tenant, planner, limits)
        fetched = time.perf_counter()
        state = Query(
            request.steps,
            planner.plan,
            columns,
            Notes(text),
            Budget(limits),
            request.lookback_ms,
            self._options.has_type_labels,
            request.step_ms,
        )
        answer = evaluate(state, tree) if _is_small(state, tree) else await self._compute(state, tree)
        times = (fetched - began, time.perf_counter() - fetched)
        return _with_stats(answer, state, times)

    async def _fetch(self, tenant: TenantId, planner: Planner, limits: QueryLimits) -> list[SeriesColumns]:
        selections = planner.plan.selections
        if not selections:
            return []
        bounds = SelectionLimits(limits.max_series, limits.max_samples)
        return await self._source.select(tenant, selections, bounds)

    @staticmethod
    async def _compute(state: Query, tree: Expr) -> Answer:
        try:
            return await asyncio.to_thread(evaluate, state, tree)
        except asyncio.CancelledError:
            state.budget.abandoned.set()
            raise
        except AbandonedError:
            raise asyncio.CancelledError from None


def _is_small(state: Query, tree: Expr) -> bool:
    """Tell whether an answer takes about a millisecond: then a thread of its own would cost more than it gives."""
    plan = state.plan
    series = sum(len(columns.labels) for columns in state.columns)
    return (
        tree.span.end - tree.span.start <= _SMALL_TEXT
        and not any(reach.inner is not None for reach in plan.reaches.values())
        and sum(len(columns.values) for columns in state.columns) <= _SMALL_SAMPLES
        and series * state.steps.count <= _SMALL_CELLS
        and state.steps.count <= _SMALL_CELLS
        and not any(columns.histograms is not None for columns in state.columns)
    )


@dataclass(frozen=True, slots=True)
class _Request:
    tenant: TenantId
    steps: Steps
    step_ms: int
    lookback_ms: int
    limits: QueryLimits | None


def evaluate(state: Query, tree: Expr) -> Answer:
    """Evaluate a query whose samples are there; takes as long as it takes, so it runs in a thread."""
    evaluator = Evaluator(state)
    inner = bare(tree)
    with np.errstate(all="ignore"):  # infinities and NaN are values here
        if isinstance(inner, MatrixSelector | Subquery):
            return _range_vector(evaluator, inner)
        return _to_answer(state, evaluator.evaluate(tree, state.steps))


def _to_answer(state: Query, value: Value) -> Answer:
    times = state.steps.times()
    if isinstance(value, str):
        return Answer(ValueType.STRING, times, text=value)
    if isinstance(value, Scalars):
        grid = Grid([()], value.values[None, :], np.ones((1, len(times)), dtype=np.bool_))
        return Answer(ValueType.SCALAR, times, grid)
    frame = value.without_empty_rows()
    if not any(frame.labels is columns.labels for columns in state.columns) or frame.drops.any():
        frame = drop_names(frame)  # a source gives each label set once
    is_range = state.step_ms > 0
    if is_range and len(frame.labels) > 1:
        frame = frame.take(sorted(range(len(frame.labels)), key=frame.labels.__getitem__))
    kind = ValueType.MATRIX if is_range else ValueType.VECTOR
    return Answer(kind, times, Grid(frame.labels, frame.values, frame.present, frame.histograms))


def _range_vector(evaluator: Evaluator, node: MatrixSelector | Subquery) -> Answer:
    steps = evaluator.query.steps
    source = read_range(evaluator, node, steps)
    begin, end = int(source.ends[0]) - source.reach.range_ms, int(source.ends[0])
    series = _cut(source.samples, begin, end)
    return Answer(ValueType.MATRIX, steps.times(), series=series)


def _cut(samples: Samples, begin_ms: int, end_ms: int) -> SeriesColumns:
    """Give the samples in (begin, end], without series that have none, sorted by labels."""
    inside = (samples.ts > begin_ms) & (samples.ts <= end_ms)
    before = np.concatenate(([0], np.cumsum(inside)))[samples.offsets]  # samples inside, before each row
    counts = np.diff(before)
    rows = sorted(np.flatnonzero(counts).tolist(), key=samples.labels.__getitem__)
    offsets = np.concatenate(([0], np.cumsum(counts[rows]))).astype(np.int64)
    index = np.flatnonzero(inside)[np.arange(offsets[-1]) + np.repeat(before[rows] - offsets[:-1], counts[rows])]
    frame = drop_names(
        Frame(
            [samples.labels[row] for row in rows],
            np.zeros((len(rows), 1)),
            np.ones((len(rows), 1), dtype=np.bool_),
            samples.drops[rows],
        )
    )
    return SeriesColumns(
        frame.labels,
        offsets,
        samples.ts[index],
        samples.values[index],
        None if samples.histograms is None else samples.histograms[index],
    )


def _with_stats(answer: Answer, state: Query, times: tuple[float, float]) -> Answer:
    fetched = [len(columns.ts_ms) for columns in state.columns]
    peak = state.budget.peak_bytes + sum(16 * count for count in fetched)
    series = sum(len(columns.labels) for columns in state.columns)
    stats = QueryStats(series, sum(fetched), peak, *times)
    return Answer(
        answer.type,
        answer.steps_ms,
        answer.grid,
        answer.series,
        answer.text,
        state.notes.warnings,
        state.notes.infos,
        stats,
    )
