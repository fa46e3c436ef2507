"""Walks the tree of a query and evaluates each node at all steps at once.

What single functions do stands in `vectors`, `ranges`, `aggregations` and `binary`; here is only who is called when.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation import binary
from holdfast.telemetry.metrics.promql.evaluation.aggregating import aggregate
from holdfast.telemetry.metrics.promql.evaluation.calling import call_function
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, Scalars
from holdfast.telemetry.metrics.promql.evaluation.query import Query
from holdfast.telemetry.metrics.promql.evaluation.ranging import call_over_range, find_range
from holdfast.telemetry.metrics.promql.evaluation.reading import read_instant
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Expr,
    NumberLiteral,
    Paren,
    StringLiteral,
    Unary,
    VectorSelector,
)
from holdfast.telemetry.metrics.promql.walking import links_of

Value = Frame | Scalars | str


class Evaluator:
    """Evaluates the nodes of one query."""

    query: Query

    def __init__(self, query: Query) -> None:
        self.query = query

    def evaluate(self, node: Expr, steps: Steps) -> Value:
        """Give the value of a node at these steps.

        Raises:
            QueryExecutionError: the query cannot be answered.
            LimitError, TimedOutError: it is too dear.
        """
        budget = self.query.budget
        budget.check()
        return self._hold(budget.live_bytes, self._dispatch(node, steps))

    def _hold(self, before: int, value: Value) -> Value:
        """Take note of the memory that a value holds besides what was held before."""
        budget = self.query.budget
        if not isinstance(value, str):
            budget.live_bytes = before + value.nbytes
            budget.peak_bytes = max(budget.peak_bytes, budget.live_bytes)
        return value

    def frame(self, node: Expr, steps: Steps) -> Frame:
        """Give the value of a node that is a vector."""
        value = self.evaluate(node, steps)
        assert isinstance(value, Frame)
        return value

    def scalars(self, node: Expr, steps: Steps) -> Scalars:
        """Give the value of a node that is a scalar."""
        value = self.evaluate(node, steps)
        assert isinstance(value, Scalars)
        return value

    def _dispatch(self, node: Expr, steps: Steps) -> Value:
        value: Value
        match node:
            case Paren():
                value = self.evaluate(node.expr, steps)
            case NumberLiteral():
                value = Scalars(np.full(steps.count, node.value))
            case StringLiteral():
                value = node.value
            case VectorSelector():
                value = read_instant(self.query, node, steps).frame
            case Unary():
                value = self._unary(node, steps)
            case Binary():
                value = self._binary(node, steps)
            case Aggregation():
                value = aggregate(self, node, steps)
            case Call() if find_range(node) >= 0:
                value = call_over_range(self, node, steps)
            case Call():
                value = call_function(self, node, steps)
            case _:
                raise AssertionError(f"{type(node).__name__} has no value by itself")
        return value

    def _unary(self, node: Unary, steps: Steps) -> Value:
        value = self.evaluate(node.expr, steps)
        if node.op == "+" or isinstance(value, str):
            return value
        if isinstance(value, Scalars):
            return Scalars(-value.values)
        return replace(
            value, values=-value.values, drops=np.ones_like(value.drops), histograms=negate(value.histograms)
        )

    def _binary(self, node: Binary, steps: Steps) -> Value:
        """Compute a chain of operations link by link: it may be longer than Python's stack is deep."""
        links, before = links_of(node), self.query.budget.live_bytes
        value = self.evaluate(links[0].left, steps)
        for link in links:
            value = self._hold(before, self._combine(link, value, self.evaluate(link.right, steps)))
        return value

    def _combine(self, node: Binary, left: Value, right: Value) -> Value:
        match left, right:
            case Scalars(), Scalars():
                return binary.scalar_with_scalar(node, left, right)
            case Frame(), Scalars():
                return binary.vector_with_scalar(node, left, right, self.query.notes, is_swapped=False)
            case Scalars(), Frame():
                return binary.vector_with_scalar(node, right, left, self.query.notes, is_swapped=True)
            case Frame(), Frame() if node.op in binary.SETS:
                return binary.combine_sets(node, left, right)
            case Frame(), Frame():
                return binary.vector_with_vector(node, left, right, self.query.notes)
            case _:
                raise AssertionError("the parser lets no strings through")


def negate(cells: np.ndarray | None) -> np.ndarray | None:
    """Give histograms with all counts negated."""
    if cells is None:
        return None
    flipped = [histograms.scale(cell, -1.0) if isinstance(cell, Histogram) else None for cell in cells.flat]
    result = np.full(cells.size, None, dtype=np.object_)
    result[:] = flipped
    return result.reshape(cells.shape)
