"""Which type an expression has, and which combinations of types PromQL refuses, in Prometheus' words.

Each check gives the first thing that is wrong with one node, as a place and a sentence, or None; the parser asks
while it builds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.matching import matches_empty
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Span,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
)
from holdfast.telemetry.metrics.promql.quoting import quote
from holdfast.telemetry.metrics.promql.signatures import AGGREGATIONS, FUNCTIONS
from holdfast.telemetry.metrics.promql.tokens import COMPARISONS, SET_OPERATORS

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.signatures import Signature
    from holdfast.telemetry.metrics.promql.tokens import Token

Problem = tuple[Span, str]

_DOCUMENTED: Final = {ValueType.VECTOR: "instant vector", ValueType.MATRIX: "range vector"}
_FIXED: Final = {
    VectorSelector: ValueType.VECTOR,
    NumberLiteral: ValueType.SCALAR,
    Aggregation: ValueType.VECTOR,
    MatrixSelector: ValueType.MATRIX,
    Subquery: ValueType.MATRIX,
    StringLiteral: ValueType.STRING,
}
_NUMERIC: Final = {ValueType.SCALAR, ValueType.VECTOR}


def type_of(expr: Expr) -> ValueType:
    """Give the type of an expression."""
    is_operand = False
    while True:
        fixed = _FIXED.get(type(expr))
        if fixed is not None:
            return fixed if not is_operand or fixed is ValueType.SCALAR else ValueType.VECTOR
        match expr:
            case Call():
                return FUNCTIONS[expr.function].returns
            case Paren() | Unary():
                expr = expr.expr
            case Binary():
                if type_of(expr.right) is not ValueType.SCALAR:
                    return ValueType.VECTOR
                expr, is_operand = expr.left, True
            case _:
                return ValueType.NONE


def check_selector(selector: VectorSelector) -> Problem | None:
    """A name is given once, and something must choose, so that no typo selects everything."""
    if selector.name:
        twice = next((matcher for matcher in selector.matchers[:-1] if matcher.label == METRIC_NAME), None)
        if twice is None:
            return None
        problem = f"metric name must not be set twice: {quote(selector.name)} or {quote(twice.value)}"
        return selector.span, problem
    if all(matches_empty(matcher) for matcher in selector.matchers):
        return selector.span, "vector selector must contain at least one non-empty matcher"
    return None


def check_aggregation(aggregation: Aggregation) -> Problem | None:
    """The parts of an aggregation have the types that it takes."""
    found = type_of(aggregation.expr)
    if found is not ValueType.VECTOR:
        return aggregation.expr.span, _expected(ValueType.VECTOR, "aggregation expression", found)
    wanted = AGGREGATIONS[aggregation.op].param
    if wanted is None or aggregation.param is None:
        return None
    found = type_of(aggregation.param)
    if found is wanted:
        return None
    return aggregation.param.span, _expected(wanted, "aggregation parameter", found)


def check_call(call: Call, signature: Signature) -> Problem | None:
    """A function has as many arguments as it takes, of the types that it takes."""
    return _check_count(call, signature) or _check_info(call) or _check_types(call, signature)


def check_unary(unary: Unary) -> Problem | None:
    """A sign stands before numbers and instant vectors only."""
    found = type_of(unary.expr)
    if found in _NUMERIC:
        return None
    problem = "unary expression only allowed on expressions of type scalar or instant vector, got"
    return unary.span, f"{problem} {quote(_documented(found))}"


def check_subquery(subquery: Subquery) -> Problem | None:
    """A subquery runs an instant vector."""
    found = type_of(subquery.expr)
    if found is ValueType.VECTOR:
        return None
    return subquery.span, f"subquery is only allowed on instant vector, got {found} instead"


def check_binary(
    binary: Binary, types: tuple[ValueType, ValueType], operator: Token, matching: Matching
) -> Problem | None:
    """Both sides, of these types, the modifiers and the operator go together; `matching` is as written."""
    left, right = types
    place = Span(operator.start, operator.end)
    is_scalar = left is ValueType.SCALAR and right is ValueType.SCALAR
    if binary.returns_bool and binary.op not in COMPARISONS:
        return place, "bool modifier can only be used on comparison operators"
    if binary.op in COMPARISONS and not binary.returns_bool and is_scalar:
        return place, "comparisons between scalars must use BOOL modifier"
    if matching.is_on:
        both = next((label for label in matching.labels if label in matching.include), None)
        if both is not None:
            return place, f"label {quote(both)} must not occur in ON and GROUP clause at once"
    for side, found in ((binary.left, left), (binary.right, right)):
        if found not in _NUMERIC:
            return side.span, "binary expression must contain only scalar and instant vector types"
    if left is ValueType.VECTOR and right is ValueType.VECTOR:
        return _check_set(binary, matching)
    return _check_scalar(binary, matching)


def _check_scalar(binary: Binary, matching: Matching) -> Problem | None:
    if matching.labels:
        return binary.span, "vector matching only allowed between instant vectors"
    if matching.fill_left is not None or matching.fill_right is not None:
        return binary.span, "filling in missing series only allowed between instant vectors"
    if binary.op in SET_OPERATORS:
        return binary.span, f"set operator {quote(binary.op)} not allowed in binary scalar expression"
    return None


def _check_set(binary: Binary, matching: Matching) -> Problem | None:
    if binary.op not in SET_OPERATORS:
        return None
    if matching.card in {"one-to-many", "many-to-one"}:
        return binary.span, f"no grouping allowed for {quote(binary.op)} operation"
    if matching.fill_left is not None or matching.fill_right is not None:
        return binary.span, "filling in missing series not allowed for set operators"
    return None


def _check_count(call: Call, signature: Signature) -> Problem | None:
    given, named = len(call.args), quote(call.function)
    if signature.variadic == 0:
        if given == len(signature.args):
            return None
        return call.span, f"expected {len(signature.args)} argument(s) in call to {named}, got {given}"
    least = len(signature.args) - 1
    if given < least:
        return call.span, f"expected at least {least} argument(s) in call to {named}, got {given}"
    most = least + signature.variadic
    if signature.variadic > 0 and given > most:
        return call.span, f"expected at most {most} argument(s) in call to {named}, got {given}"
    return None


def _check_info(call: Call) -> Problem | None:
    if call.function != "info" or len(call.args) < 2:
        return None
    chooser = call.args[1]
    if type_of(chooser) is not ValueType.VECTOR:
        return call.span, _expected(ValueType.VECTOR, 'call to function "info"', type_of(chooser))
    if not isinstance(chooser, VectorSelector):
        return chooser.span, "expected label selectors only"
    if chooser.name:
        return chooser.span, "expected label selectors only, got vector selector instead"
    return None


def _check_types(call: Call, signature: Signature) -> Problem | None:
    for number, arg in enumerate(call.args):
        wanted = signature.args[min(number, len(signature.args) - 1)]
        found = type_of(arg)
        if found is not wanted:
            return arg.span, f"{_expected(wanted, f'call to function {quote(call.function)}', found)}"
    return None


def _expected(wanted: ValueType, where: str, found: ValueType) -> str:
    return f"expected type {_documented(wanted)} in {where}, got {_documented(found)}"


def _documented(found: ValueType) -> str:
    return _DOCUMENTED.get(found, found.value)
