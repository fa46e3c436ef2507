"""What a query needs before it can be evaluated: durations as numbers, and one selection per selector.

All selections of a query go to the source at once. Evaluating comes after (`evaluator`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError, QuerySyntaxError
from holdfast.telemetry.metrics.promql.evaluation.binary import TRIMS
from holdfast.telemetry.metrics.promql.evaluation.durations import DurationFolder
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.evaluation.vectors import info_matchers
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    AtModifier,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)
from holdfast.telemetry.metrics.promql.walking import links_of
from holdfast.telemetry.metrics.samples import MatchOp
from holdfast.telemetry.metrics.selection import Selection

WANT_STARTS: Final = frozenset({"rate", "increase", "irate", "resets", "start_timestamp"})
NEED_STATS: Final = frozenset({"histogram_count", "histogram_sum", "histogram_avg"})
NEED_BUCKETS: Final = frozenset({"histogram_quantile", "histogram_quantiles", "histogram_fraction", "info"})
ANCHORED_FOR: Final = ("changes", "delta", "increase", "rate", "resets")
SMOOTHED_FOR: Final = ("delta", "increase", "rate")
FURTHEST_MS: Final = 2**61  # nothing stands beyond, and offsets and windows can still be reckoned from there


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a selector or subquery looks: `selection` numbers what was fetched, `inner` are a subquery's steps.

    `is_stats`: only count and sum of histograms are wanted, which Prometheus then reads with resets detected anew.
    """

    range_ms: int
    offset_ms: int
    at_ms: int | None
    selection: int = -1
    inner: Steps | None = None
    is_stats: bool = False


@dataclass(slots=True)
class Plan:
    """The reach of every selector and subquery, by the identity of its node, and what to fetch."""

    reaches: dict[int, Reach] = field(default_factory=dict)
    selections: list[Selection] = field(default_factory=list)

    def reach(self, node: VectorSelector | MatrixSelector | Subquery) -> Reach:
        """Give where a node looks."""
        return self.reaches[id(node)]


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans one query, whose steps are `steps`."""

    steps: Steps
    folder: DurationFolder
    lookback_ms: int
    default_subquery_step_ms: int
    plan: Plan = field(default_factory=Plan)

    def prepare(self, tree: Expr) -> Plan:
        """Plan a whole query; errors as of `visit`."""
        self.visit(tree, self.steps)
        for key in find_stats(tree, is_inside=False):
            self.plan.reaches[key] = replace(self.plan.reaches[key], is_stats=True)
        return self.plan

    def visit(self, node: Expr, steps: Steps, function: str = "") -> None:
        """Plan a node that is evaluated at `steps`; `function` is what stands right around it.

        Raises:
            QuerySyntaxError: a duration makes no sense.
            QueryExecutionError: a modifier does not go with the function.
        """
        match node:
            case VectorSelector():
                self._selector(node, node, 0, steps, function)
            case MatrixSelector():
                self._matrix(node, steps, function)
            case Subquery():
                self._subquery(node, steps)
            case Paren() | Unary():
                self.visit(node.expr, steps, function)
            case Binary():
                links = links_of(node)
                for operand in (links[0].left, *(link.right for link in links)):
                    self.visit(operand, steps)
            case Aggregation():
                self.visit(node.expr, steps, node.op)
                if node.param is not None:
                    self.visit(node.param, steps)
            case Call():
                self._call(node, steps)
            case _:
                pass

    def _call(self, node: Call, steps: Steps) -> None:
        if node.function == "info":
            self._info(node, steps)
            return
        for arg in node.args:
            self.visit(arg, steps, node.function)

    def _info(self, node: Call, steps: Steps) -> None:
        """Fetch info series for when the selectors within the first argument look, as Prometheus does."""
        self.visit(node.args[0], steps, "info")
        at_ms, offset_ms = self._reference(node.args[0])
        chosen = node.args[1].matchers if len(node.args) > 1 and isinstance(node.args[1], VectorSelector) else ()
        start, end = (steps.start_ms, steps.end_ms) if at_ms is None else (at_ms, at_ms)
        selection = Selection(
            info_matchers(chosen), start - offset_ms - self.lookback_ms, end - offset_ms, steps.step_ms, 0, "info"
        )
        self.plan.reaches[id(node)] = Reach(0, offset_ms, at_ms, self._fetch(selection))

    def _reference(self, node: Expr) -> tuple[int | None, int]:
        """Give when, seen from outside, the first selector within an expression looks: its `@` and its offset."""
        at_ms, offset_ms = None, 0
        for step in path_to_selector(node):
            if isinstance(step, Subquery | VectorSelector):
                if step.at is not None:
                    at_ms, offset_ms = self._at(step.at), 0
                offset_ms += self.folder.fold(step.offset, may_be_negative=True)
        return at_ms, offset_ms

    def _matrix(self, node: MatrixSelector, steps: Steps, function: str) -> None:
        mode = node.selector.mode
        allowed = {"anchored": ANCHORED_FOR, "smoothed": SMOOTHED_FOR}.get(mode, ())
        if mode and function not in allowed:
            names = ", ".join(allowed)
            raise QueryExecutionError(f"{mode} modifier can only be used with: {names} - not with {function}")
        self._selector(node, node.selector, self.folder.fold(node.range), steps, function)

    def _selector(
        self,
        node: VectorSelector | MatrixSelector,
        selector: VectorSelector,
        range_ms: int,
        steps: Steps,
        function: str,
    ) -> None:
        offset_ms = self.folder.fold(selector.offset, may_be_negative=True)
        at_ms = self._at(selector.at)
        first, last = (steps.start_ms, steps.end_ms) if at_ms is None else (at_ms, at_ms)
        is_range = isinstance(node, MatrixSelector)
        before = range_ms if is_range else self.lookback_ms
        before += self.lookback_ms if selector.mode and is_range else 0
        after = self.lookback_ms if selector.mode == "smoothed" else 0
        selection = Selection(
            selector.matchers,
            first - offset_ms - before,
            last - offset_ms + after,
            0 if steps.is_single else steps.step_ms,
            range_ms,
            f"{function} {selector.mode}" if selector.mode else function,
            needs_starts=function in WANT_STARTS,
        )
        self.plan.reaches[id(node)] = Reach(range_ms, offset_ms, at_ms, self._fetch(selection))

    def _subquery(self, node: Subquery, steps: Steps) -> None:
        range_ms = self.folder.fold(node.range)
        step_ms = self.folder.fold(node.step) if node.step is not None else self.default_subquery_step_ms
        if step_ms == 0 and node.step is not None:
            raise QuerySyntaxError("duration must be at least a millisecond", span=node.step.span)
        offset_ms = self.folder.fold(node.offset, may_be_negative=True)
        at_ms = self._at(node.at)
        inner = steps.subquery(range_ms=range_ms, step_ms=step_ms, offset_ms=offset_ms, at_ms=at_ms)
        self.plan.reaches[id(node)] = Reach(range_ms, offset_ms, at_ms, inner=inner)
        self.visit(node.expr, inner)

    def _at(self, at: AtModifier | None) -> int | None:
        if at is None:
            return None
        if at.bound is not None:
            return self.steps.start_ms if at.bound == "start" else self.steps.end_ms
        assert at.ts_ms is not None
        return max(-FURTHEST_MS, min(at.ts_ms, FURTHEST_MS))

    def _fetch(self, selection: Selection) -> int:
        if selection in self.plan.selections:
            return self.plan.selections.index(selection)
        self.plan.selections.append(selection)
        return len(self.plan.selections) - 1


def path_to_selector(node: Expr) -> list[Expr]:
    """Give the nodes from this one down to the first selector within it, in the order of the text; none without one."""
    if isinstance(node, VectorSelector):
        return [node]
    for child in children(node):
        path = path_to_selector(child)
        if path:
            return [node, *path]
    return []


def find_stats(node: Expr, *, is_inside: bool) -> list[int]:
    """Give the identities of selectors of which only the histograms' counts and sums are used."""
    if isinstance(node, VectorSelector | MatrixSelector):
        return [id(node)] if is_inside else []
    if isinstance(node, Subquery) or (isinstance(node, Call) and node.function in NEED_BUCKETS):
        return []
    if isinstance(node, Binary) and node.op in TRIMS:
        return []
    inside = is_inside or (isinstance(node, Call) and node.function in NEED_STATS)
    return [key for child in children(node) for key in find_stats(child, is_inside=inside)]


def children(node: Expr) -> tuple[Expr, ...]:
    """Give the expressions that a node is made of; of a chain of operations all, up to one that trims histograms."""
    match node:
        case MatrixSelector():
            return (node.selector,)
        case Paren() | Unary() | Subquery() | Aggregation():
            return (node.expr,)
        case Binary():
            rights = [node.right]
            while isinstance(node.left, Binary) and node.left.op not in TRIMS:
                node = node.left
                rights.append(node.right)
            return (node.left, *reversed(rights))
        case Call():
            return node.args
        case _:
            return ()


def describe(selection: Selection) -> str:
    """Write a selection as a selector, for messages."""
    name = next((m.value for m in selection.matchers if m.label == METRIC_NAME and m.op is MatchOp.EQUAL), "")
    rest = [m for m in selection.matchers if not (m.label == METRIC_NAME and m.value == name)]
    inside = ", ".join(f'{m.label}{m.op}"{m.value}"' for m in rest)
    return f"{name}{{{inside}}}" if inside or not name else name
