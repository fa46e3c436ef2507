"""What stands around range aggregations is PromQL over their results, so PromQL's evaluator does it.

Moments become steps of a second on a clock of their own, for PromQL counts in milliseconds and LogQL in nanoseconds;
with a lookback of half a step each step sees its own values only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql import Engine, Grid, QueryExecutionError, QueryLimits, ValueType
from holdfast.telemetry.metrics.promql import nodes as promql
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.selection import Selection, SelectionLimits, SeriesColumns

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

_STEP_MS: Final = 1000
_BEGIN_MS: Final = 1_000_000
_LOOKBACK_MS: Final = 500
_AT: Final = promql.Span(0, 0)
_MATCHING: Final = promql.Matching("many-to-many")
_SETS: Final = frozenset({"and", "or", "unless"})
_CALLS: Final = frozenset({"sort", "sort_desc"})
_DUPLICATES: Final = re.compile(
    r"found duplicate series for the match group .* on the (left|right) hand-side of the operation: .*\];", re.DOTALL
)
_OPS: Final = {"/": "/0"}  # by zero it is no number, in LogQL
_ROW: Final = "__row__"  # tells series apart to which `label_replace` gives the same labels: LogQL adds them up
_RENAMED: Final = {"approx_topk": "topk"}


class Leaves:
    """The results of range aggregations, as a source of samples."""

    def __init__(self) -> None:
        self._grids: list[Grid] = []

    def add(self, grid: Grid) -> promql.Expr:
        """Take a result and give the selector that reads it."""
        name = f"leaf_{len(self._grids)}"
        self._grids.append(grid)
        return promql.VectorSelector(name, (Matcher(METRIC_NAME, MatchOp.EQUAL, name),), span=_AT)

    async def select(
        self, tenant: TenantId, selections: Sequence[Selection], limits: SelectionLimits | None = None
    ) -> list[SeriesColumns]:
        """Give the results that the selectors name."""
        del tenant, limits
        return [self._columns(selection.matchers[0].value) for selection in selections]

    def _columns(self, name: str) -> SeriesColumns:
        grid = self._grids[int(name.removeprefix("leaf_"))]
        rows, columns = np.nonzero(grid.present)
        offsets = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(grid.labels)))))
        labels = [((METRIC_NAME, name), (_ROW, str(row)), *one) for row, one in enumerate(grid.labels)]
        times = _BEGIN_MS + columns.astype(np.int64) * _STEP_MS
        return SeriesColumns(labels, offsets.astype(np.int64), times, grid.values[rows, columns])


def translate(node: nodes.MetricExpr, leaves: dict[int, promql.Expr]) -> promql.Expr:
    """Give the PromQL of an expression whose leaves, by `id`, are known."""
    if id(node) in leaves:
        return leaves[id(node)]
    match node:
        case nodes.Number():
            return promql.NumberLiteral(node.value, span=_AT)
        case nodes.VectorOf():
            return promql.Call("vector", (promql.NumberLiteral(node.value, span=_AT),), span=_AT)
        case nodes.LabelReplace():
            texts = (node.target, node.replacement, node.source, node.pattern)
            literals = [promql.StringLiteral(text, span=_AT) for text in texts]
            return promql.Call("label_replace", (translate(node.expr, leaves), *literals), span=_AT)
        case nodes.VectorAggregation():
            return _aggregation(node, leaves)
        case nodes.Binary():
            return _binary(node, leaves)
        case nodes.RangeAggregation():
            message = "a range aggregation was not evaluated"
            raise AssertionError(message)


def _aggregation(node: nodes.VectorAggregation, leaves: dict[int, promql.Expr]) -> promql.Expr:
    inner = translate(node.expr, leaves)
    if node.op in _CALLS:
        return promql.Call(node.op, (inner,), span=_AT)
    param = None if node.param is None else promql.NumberLiteral(float(node.param), span=_AT)
    grouping = node.grouping or nodes.Grouping(())
    op = _RENAMED.get(node.op, node.op)
    labels = (*grouping.labels, _ROW) if grouping.is_without else grouping.labels
    return promql.Aggregation(op, inner, param, labels, grouping.is_without, span=_AT)


def _binary(node: nodes.Binary, leaves: dict[int, promql.Expr]) -> promql.Expr:
    left, right = translate(node.left, leaves), translate(node.right, leaves)
    matching = None
    if not is_number(node.left) and not is_number(node.right):
        card = "many-to-many" if node.op in _SETS else node.matching.card
        labels = node.matching.labels if node.matching.is_on else (*node.matching.labels, _ROW)
        matching = promql.Matching(card, node.matching.is_on, labels, node.matching.include)
    returns_bool = node.returns_bool or (matching is None and is_number(node.left) and is_number(node.right))
    return promql.Binary(_OPS.get(node.op, node.op), left, right, returns_bool, matching, span=_AT)


def is_number(node: nodes.MetricExpr) -> bool:
    """Tell whether an expression is a bare number."""
    if isinstance(node, nodes.Binary):
        return is_number(node.left) and is_number(node.right)
    return isinstance(node, nodes.Number)


async def evaluate(tenant: TenantId, tree: promql.Expr, leaves: Leaves, *, steps: int, is_range: bool) -> Grid:
    """Evaluate at as many moments as there are steps."""
    try:
        grid = await _grid(tenant, tree, leaves, steps=steps, is_range=is_range)
    except QueryExecutionError as error:
        raise QueryExecutionError(
            _DUPLICATES.sub(r"found duplicate series on the \1 hand-side;", error.message)
        ) from error
    return Grid([_named(labels) for labels in grid.labels], grid.values, grid.present)


async def _grid(tenant: TenantId, tree: promql.Expr, leaves: Leaves, *, steps: int, is_range: bool) -> Grid:
    engine = Engine(leaves, lookback_ms=_LOOKBACK_MS)
    limits = QueryLimits(max_steps=max(steps, 1))
    if is_range:
        end_ms = _BEGIN_MS + (steps - 1) * _STEP_MS
        answer = await engine.range(tenant, tree, _BEGIN_MS, end_ms, _STEP_MS, limits=limits)
    else:
        answer = await engine.instant(tenant, tree, _BEGIN_MS, limits=limits)
    assert answer.grid is not None
    assert answer.type is not ValueType.STRING
    return answer.grid


def _named(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in {METRIC_NAME, _ROW})
