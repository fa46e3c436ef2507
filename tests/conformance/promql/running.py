"""Runs a script: loads its samples, evaluates each query as Prometheus' runner does, and gives what went wrong.

An instant query is also asked with all its selectors pinned by `@` at other times, and as the middle of a range.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from conformance.promql.comparing import MismatchError, Result, check_messages, compare, result_of
from conformance.promql.scripts import Clear, Command, Evaluation, Load
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of, name_of
from holdfast.telemetry.metrics.promql import Answer, Engine, Expr, ValueType, parse, print_expr
from holdfast.telemetry.metrics.promql.histograms import native_from_classic
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    AtModifier,
    Binary,
    Call,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)

MINUTE_MS = 60_000
# What they give depends on when they are asked, whatever their arguments are pinned to.
UNPINNABLE = {
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "time",
    "timestamp",
    "start",
    "end",
    "range",
    "step",
}
ASKS_FOR_THE_QUERY = re.compile(r"(start|end|range|step)\(\)")

Sample = tuple[float | Histogram, int]  # with its start, 0 for none
Samples = dict[Labels, dict[int, Sample]]
Store = Callable[[TenantId, Samples], Awaitable[None]]


class Runner:
    """One script's world; `put` stores the samples of a tenant, who has none yet."""

    def __init__(self, engine: Engine, put: Store, name: str) -> None:
        self._engine = engine
        self._put = put
        self._name = name
        self._worlds = 0
        self._samples: Samples = {}
        self._is_stored = True
        self._tenant = TenantId(name)

    async def run(self, commands: list[Command]) -> tuple[int, dict[int, str]]:
        """Give how many evaluations there were, and what is wrong with those that failed, by line."""
        count, failures = 0, {}
        for command in commands:
            match command:
                case Clear():
                    self._samples = {}
                    self._is_stored = False
                case Load():
                    load(self._samples, command)
                    self._is_stored = False
                case Evaluation():
                    count += 1
                    await self._store()
                    problem = await self._judge(command)
                    if problem:
                        failures[command.line] = f"{command.query}: {problem}"
        return count, failures

    async def _store(self) -> None:
        """Store what is there for a new tenant, so that nothing has to be forgotten."""
        if not self._is_stored:
            self._worlds += 1
            self._tenant = TenantId(f"{self._name}-{self._worlds}")
            await self._put(self._tenant, self._samples)
            self._is_stored = True

    async def _judge(self, evaluation: Evaluation) -> str:
        try:
            if evaluation.end_ms is not None:
                await self._check(evaluation, self._range(evaluation.query, evaluation))
            else:
                for query, at_ms in moments(evaluation.query, evaluation.start_ms):
                    await self._check_instant(evaluation, query, at_ms)
        except MismatchError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 -- an evaluation that breaks is a failed one, the others go on
            return f"{type(error).__name__}: {error}"
        return ""

    async def _range(self, query: str, evaluation: Evaluation) -> Answer:
        assert evaluation.end_ms is not None
        return await self._engine.range(
            self._tenant, query, evaluation.start_ms, evaluation.end_ms, evaluation.step_ms or MINUTE_MS
        )

    async def _check(self, evaluation: Evaluation, asked: Awaitable[Answer]) -> Result | None:
        try:
            answer = await asked
        except HoldfastError as error:
            if not evaluation.fails:
                raise
            check_messages("failure", evaluation.fails, is_allowed=True, found=(error.message,))
            return None
        if evaluation.fails:
            raise MismatchError("wanted a failure, got an answer")
        allows_warnings, allows_infos = evaluation.allows_warnings, evaluation.allows_infos
        check_messages("warning", evaluation.warnings, is_allowed=allows_warnings, found=answer.warnings)
        check_messages("info", evaluation.infos, is_allowed=allows_infos, found=answer.infos)
        result = result_of(answer)
        compare(evaluation if evaluation.end_ms is not None else _at(evaluation, answer), result)
        return result

    async def _check_instant(self, evaluation: Evaluation, query: str, at_ms: int) -> None:
        try:
            result = await self._check(evaluation, self._engine.instant(self._tenant, query, at_ms))
            is_asked_again = result is not None and evaluation.text is None and evaluation.points_at_ms is None
            if result is None or not is_asked_again or ASKS_FOR_THE_QUERY.search(query):
                return
            answer = await self._engine.range(self._tenant, query, at_ms - MINUTE_MS, at_ms + MINUTE_MS, MINUTE_MS)
            if evaluation.is_ordered:
                return
            rows = [(labels, {at_ms: row[at_ms]}) for labels, row in result_of(answer).rows if at_ms in row]
            if result.scalar is not None:
                again = Result(ValueType.SCALAR, [], scalar=rows[0][1][at_ms])
            else:
                again = Result(ValueType.VECTOR, rows)
            try:
                compare(replace(evaluation, start_ms=at_ms), again)
            except MismatchError as error:
                raise MismatchError(f"as a range: {error}") from error
        except (MismatchError, HoldfastError) as error:
            if query == evaluation.query:
                raise
            raise MismatchError(f"as {query} at {at_ms}: {error}") from error


def _at(evaluation: Evaluation, answer: Answer) -> Evaluation:
    """Give the evaluation with its points at the time of the answer."""
    return replace(evaluation, start_ms=int(answer.steps_ms[0]))


def load(samples: Samples, command: Load) -> None:
    """Add the samples of a load, and native histograms made of classic ones if it says so."""
    for series, starts in command.series:
        row = samples.setdefault(series.labels, {})
        for place, (noted, start) in enumerate(zip(series.values, starts, strict=True)):
            if noted.value is not None:
                ts_ms = place * command.step_ms
                row[ts_ms] = noted.value, 0 if start is None else ts_ms + start
    if command.with_nhcb:
        for labels, row in native_series(command):
            samples.setdefault(labels, {}).update(row)


def native_series(command: Load) -> Iterator[tuple[Labels, dict[int, Sample]]]:
    """Make native histograms with custom buckets of the classic ones."""
    parts: dict[Labels, dict[int, dict[str | float, float]]] = {}
    for series, _ in command.series:
        stem, _, suffix = name_of(series.labels).rpartition("_")
        pairs = dict(series.labels)
        if suffix == "bucket":
            part: str | float = float(pairs.pop("le"))
        elif suffix in {"count", "sum"}:
            part = suffix
        else:
            continue
        moments_of = parts.setdefault(labels_of(pairs | {METRIC_NAME: stem}), {})
        for place, noted in enumerate(series.values):
            if isinstance(noted.value, float):
                moments_of.setdefault(place * command.step_ms, {})[part] = noted.value
    for labels, moments_of in parts.items():
        row: dict[int, Sample] = {}
        for ts_ms, found in sorted(moments_of.items()):
            buckets = [(bound, count) for bound, count in found.items() if not isinstance(bound, str)]
            row[ts_ms] = native_from_classic(buckets, count=found.get("count"), total=found.get("sum", 0.0)), 0
        yield labels, row


def moments(query: str, at_ms: int) -> list[tuple[str, int]]:
    """Give the query at its time, and with its selectors pinned to that time at others."""
    try:
        tree = parse(query)
    except HoldfastError:
        return [(query, at_ms)]
    if any(isinstance(node, Call) and node.function in UNPINNABLE for node in walk(tree)):
        return [(query, at_ms)]
    pinned = print_expr(pin(tree, at_ms))
    times = [-1000, 0, 1000] if at_ms == 0 else [-10 * at_ms, 0, at_ms // 5, at_ms, 10 * at_ms]
    return [(query, at_ms), *((pinned, each) for each in times)]


def walk(expr: Expr) -> Iterator[Expr]:
    """Give an expression and all within it, but not what stands in a subquery, which is pinned as a whole."""
    yield expr
    match expr:
        case Binary():
            inner = (expr.left, expr.right)
        case Call():
            inner = expr.args
        case Aggregation():
            inner = (expr.expr, *((expr.param,) if expr.param is not None else ()))
        case Paren() | Unary():
            inner = (expr.expr,)
        case _:
            inner = ()
    for each in inner:
        yield from walk(each)


def pin(expr: Expr, at_ms: int) -> Expr:
    """Pin all selectors that are not pinned; what is within a subquery follows it."""
    match expr:
        case VectorSelector() | Subquery() if expr.at is None or expr.at.ts_ms is None:
            changes: dict[str, object] = {"at": AtModifier(at_ms)}
        case MatrixSelector():
            changes = {"selector": pin(expr.selector, at_ms)}
        case Binary():
            changes = {"left": pin(expr.left, at_ms), "right": pin(expr.right, at_ms)}
        case Call():
            changes = {"args": tuple(pin(arg, at_ms) for arg in expr.args)}
        case Aggregation():
            param = pin(expr.param, at_ms) if expr.param is not None else None
            changes = {"expr": pin(expr.expr, at_ms), "param": param}
        case Paren() | Unary():
            changes = {"expr": pin(expr.expr, at_ms)}
        case _:
            changes = {}
    return replace(expr, **changes)
