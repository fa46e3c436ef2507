"""The engine of LogQL: a query becomes lines, or numbers at moments.

What the store's engine can do goes down to it; the pipeline does the rest on pages of lines, in threads. Does not
parse (`logql`), queue, or write out.
"""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.logs.logql.nodes import (
    Binary,
    LabelReplace,
    LogSelector,
    MetricExpr,
    RangeAggregation,
    VectorAggregation,
)
from holdfast.telemetry.logs.querying.answers import LinesAnswer, NumbersAnswer, gather
from holdfast.telemetry.logs.querying.counting import count, is_countable
from holdfast.telemetry.logs.querying.limits import LogQueryLimits, Meter
from holdfast.telemetry.logs.querying.needs import handed_down, trimmed
from holdfast.telemetry.logs.querying.outer import Leaves, evaluate, is_number, translate
from holdfast.telemetry.logs.querying.reading import Span, read_entries
from holdfast.telemetry.logs.querying.sampling import sample
from holdfast.telemetry.logs.querying.stepping import step_by_step
from holdfast.telemetry.logs.querying.windows import Ints, Windows, aggregate
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Grid
from holdfast.telemetry.metrics.promql import nodes as promql
from holdfast.telemetry.metrics.samples import MatchOp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.pipeline import Entry
    from holdfast.telemetry.logs.selection import RecordSource


_SPARE_STEPS: Final = 2


@dataclass(frozen=True, slots=True)
class Moments:
    """When a metric query is evaluated: `start_ns` to `end_ns`, both included, every `step_ns`; 0 for one moment."""

    start_ns: int
    end_ns: int
    step_ns: int = 0

    def times(self) -> Ints:
        """Give the moments."""
        if not self.step_ns:
            return np.array([self.start_ns], dtype=np.int64)
        return np.arange(self.start_ns, self.end_ns + 1, self.step_ns, dtype=np.int64)

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.end_ns - self.start_ns) // self.step_ns + 1 if self.step_ns else 1


class LogEngine:
    """Evaluates LogQL over a source of records."""

    def __init__(self, source: RecordSource, limits: LogQueryLimits | None = None) -> None:
        self._source = source
        self.limits = limits or LogQueryLimits()

    async def lines(
        self, tenant: TenantId, query: LogSelector, span: Span, *, limit: int = 100, interval_ns: int = 0
    ) -> LinesAnswer:
        """Give the first lines of the direction, gathered by labels; each at least `interval_ns` from the last.

        Raises:
            LogqlError: a stage cannot work.
            LimitError, TimedOutError: it costs too much; what the source raises comes through.
        """
        self.check_limit(limit)
        meter = Meter(self.limits)
        entries = await self._entries(tenant, query, span, meter, limit=limit, interval_ns=interval_ns)
        return LinesAnswer(gather(entries), meter.cost)

    def check_limit(self, limit: int) -> None:
        """Refuse to give more lines at once than `max_entries`.

        Raises:
            LimitError: it is more.
        """
        most = self.limits.max_entries
        if limit > most:
            raise LimitError(
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {most})",
                hint="ask for fewer lines at once, or raise log_queries.max_entries",
            )

    async def entries(self, tenant: TenantId, query: LogSelector, span: Span, *, limit: int) -> list[Entry]:
        """Give the first entries of the direction, not gathered; raises as `lines` does, but of the limit."""
        return await self._entries(tenant, query, span, Meter(self.limits), limit=limit)

    async def _entries(
        self, tenant: TenantId, query: LogSelector, span: Span, meter: Meter, *, limit: int, interval_ns: int = 0
    ) -> list[Entry]:
        found: list[Entry] = []
        most = 0 if interval_ns else limit  # of lines that lie too close none counts
        async with aclosing(read_entries(self._source, tenant, query, span, meter, limit=most)) as pages:
            async for entries in pages:
                found += _apart(entries, interval_ns, found[-1].ts_ns if found else None) if interval_ns else entries
                if limit and len(found) >= limit:
                    return found[:limit]
        return found

    def check_steps(self, moments: Moments, *, spare: int = 0) -> None:
        """Refuse more moments than `max_steps`, and those that rounding adds.

        Raises:
            LimitError: there are more.
        """
        if moments.count > self.limits.max_steps + spare:
            raise LimitError(
                f"exceeded maximum resolution of {self.limits.max_steps:,} points per time series. Try increasing the"
                " value of the step parameter",
                hint=f"the query has {moments.count:,} points; log_queries.max_steps is the limit",
            )

    async def numbers(self, tenant: TenantId, query: MetricExpr, moments: Moments) -> NumbersAnswer:
        """Give the values at each moment.

        Raises:
            LogqlError: a stage cannot work.
            PipelineError: lines with errors would be counted.
            QueryExecutionError: sides of an operation do not match.
            LimitError, TimedOutError: it costs too much; what the source raises comes through.
        """
        self.check_steps(moments, spare=_SPARE_STEPS)
        meter = Meter(self.limits)
        times = moments.times()
        leaves, known = Leaves(), dict[int, promql.Expr]()
        for node in _leaves(query):
            known[id(node)] = leaves.add(await self._evaluate(tenant, node, times, meter))
        tree = translate(query, known)
        grid = await evaluate(tenant, tree, leaves, steps=len(times), is_range=bool(moments.step_ns))
        meter.check_series(len(grid.labels))
        if moments.step_ns or not _is_sorted(query):
            grid = _by_labels(grid)
        return NumbersAnswer(times.tolist(), grid, is_number(query), meter.cost)

    async def _evaluate(
        self, tenant: TenantId, node: RangeAggregation | VectorAggregation, times: Ints, meter: Meter
    ) -> Grid:
        if isinstance(node, VectorAggregation):
            inner = handed_down(node)
            assert inner is not None  # or it would be no leaf
            return await self._reduced(tenant, trimmed(inner), times, meter)
        return await self._reduced(tenant, trimmed(node), times, meter)

    async def _reduced(self, tenant: TenantId, node: RangeAggregation, times: Ints, meter: Meter) -> Grid:
        """Let the store's engine do it as far as it can."""
        if is_countable(node):
            grid = await count(self._source, tenant, node, times, meter)
        else:
            grid = await step_by_step(self._source, tenant, node, times, meter)
        if grid is None:
            grid = await self._range(tenant, node, times, meter)
        return _absent(node, grid.present) if node.op == "absent_over_time" else grid

    async def _range(self, tenant: TenantId, node: RangeAggregation, times: Ints, meter: Meter) -> Grid:
        ends = times - node.offset_ns
        span = (int(ends[0]) - node.range_ns + 1, int(ends[-1]) + 1)  # (t - range, t] in whole nanoseconds
        series = await sample(self._source, tenant, node, span, meter)
        values = np.zeros((len(series), len(times)))
        present = np.zeros((len(series), len(times)), dtype=np.bool_)
        for row, (ts_ns, numbers) in enumerate(series.values()):
            windows = Windows(np.array(ts_ns, np.int64), np.array(numbers), ends, node.range_ns)
            values[row] = aggregate(node.op, windows, param=node.param, is_unwrapped=node.unwrap is not None)
            present[row] = windows.counts > 0
        return Grid(list(series), values, present)


def _apart(entries: list[Entry], interval_ns: int, last_ns: int | None) -> list[Entry]:
    """Give those that lie at least `interval_ns` behind the one before."""
    found = []
    for entry in entries:
        if last_ns is None or abs(entry.ts_ns - last_ns) >= interval_ns:
            found.append(entry)
            last_ns = entry.ts_ns
    return found


def _absent(node: RangeAggregation, present: npt.NDArray[np.bool_]) -> Grid:
    """Give one series where there are no lines, with the labels for which the selector names one value."""
    absent = np.logical_not(present.any(axis=0, keepdims=True))
    named = Counter(one.label for one in node.selector.matchers)
    equal = [one for one in node.selector.matchers if one.op is MatchOp.EQUAL and named[one.label] == 1]
    labels = labels_of((one.label, one.value) for one in equal)
    return Grid([labels], np.ones(absent.shape), absent)


def _by_labels(grid: Grid) -> Grid:
    order = sorted(range(len(grid.labels)), key=lambda row: grid.labels[row])
    return Grid([grid.labels[row] for row in order], grid.values[order], grid.present[order])


def _is_sorted(node: MetricExpr) -> bool:
    """Tell whether a query asks for an order by value anywhere, as Loki looks for it."""
    match node:
        case VectorAggregation():
            return node.op in {"sort", "sort_desc"} or _is_sorted(node.expr)
        case LabelReplace():
            return _is_sorted(node.expr)
        case Binary():
            return _is_sorted(node.left) or _is_sorted(node.right)
        case _:
            return False


def _leaves(node: MetricExpr) -> Iterator[RangeAggregation | VectorAggregation]:
    """Give what is read from lines: range aggregations, with the aggregation around them where they can do it too."""
    match node:
        case RangeAggregation():
            yield node
        case VectorAggregation():
            if handed_down(node) is not None:
                yield node
            else:
                yield from _leaves(node.expr)
        case LabelReplace():
            yield from _leaves(node.expr)
        case Binary():
            yield from _leaves(node.left)
            yield from _leaves(node.right)
        case _:
            return
