"""Text becomes nodes: a parser by operator precedence that gives Prometheus' tree and Prometheus' first error.

Syntax is refused where it is met; wrong types are remembered and refused at the end, because a query that is no query
at all is the more useful thing to say. Selectors stand in `label_grammar`, ranges and offsets in `modifier_grammar`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.promql.checks import check_aggregation, check_binary, check_call, check_unary, type_of
from holdfast.telemetry.metrics.promql.duration_grammar import negated, parse_literal
from holdfast.telemetry.metrics.promql.label_grammar import parse_grouping, parse_selector
from holdfast.telemetry.metrics.promql.matching_grammar import parse_bool, parse_matching
from holdfast.telemetry.metrics.promql.modifier_grammar import MODIFIERS, parse_modifiers
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Expr,
    Matching,
    NumberLiteral,
    Paren,
    Span,
    StringLiteral,
    Unary,
    ValueType,
)
from holdfast.telemetry.metrics.promql.quoting import quote, unquote
from holdfast.telemetry.metrics.promql.signatures import AGGREGATIONS, FUNCTIONS
from holdfast.telemetry.metrics.promql.stream import ParserOptions, TokenStream
from holdfast.telemetry.metrics.promql.tokens import (
    METRIC_NAMES,
    PRECEDENCE,
    RIGHT_ASSOCIATIVE,
    SET_OPERATORS,
    UNARY_PRECEDENCE,
    Kind,
)

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.samples import Matcher

_FLAG: Final = "--enable-feature=promql-experimental-functions"
_STARTERS: Final = METRIC_NAMES | {"(", "{", "+", "-", "number", "duration", "string"}
_ALL: Final = ParserOptions()
_PLAIN: Final = Matching()
_SETS: Final = Matching("many-to-many")
_BETWEEN_SCALARS: Final = (ValueType.SCALAR, ValueType.SCALAR)
_BETWEEN_VECTORS: Final = (ValueType.VECTOR, ValueType.VECTOR)


def parse(text: str, *, options: ParserOptions = _ALL) -> Expr:
    """Read a query.

    Raises:
        QuerySyntaxError: it is none, or its types do not go together; message and place are Prometheus'.
    """
    stream = TokenStream(text, options)
    if stream.is_finished():
        raise stream.refusal(Span(0, 0), "no expression found in input")
    expr = _expression(stream)
    if not stream.is_finished():
        raise stream.unexpected()
    stream.finish()
    return expr


def parse_matchers(text: str, *, options: ParserOptions = _ALL) -> tuple[Matcher, ...]:
    """Read a selector alone, such as those of `match[]`.

    Raises:
        QuerySyntaxError: it is none, or would select everything.
    """
    stream = TokenStream(text, options)
    if stream.token.key != "{" and stream.token.key not in METRIC_NAMES:
        raise stream.unexpected()
    selector = parse_selector(stream)
    if not stream.is_finished():
        raise stream.unexpected()
    stream.finish()
    return selector.matchers


def _expression(stream: TokenStream, floor: int = 0) -> Expr:
    """Read operands and the operators between them that bind at least as strongly as `floor`."""
    stream.enter()
    left = _operand(stream)
    left_type = type_of(left)
    while (precedence := PRECEDENCE.get(stream.token.key, -1)) >= floor:
        operator = stream.take()
        returns_bool = parse_bool(stream)
        written = parse_matching(stream)
        right = _expression(stream, precedence if operator.key in RIGHT_ASSOCIATIVE else precedence + 1)
        types = left_type, type_of(right)
        binary = Binary(
            operator.key,
            left,
            right,
            returns_bool,
            _as_understood(written, operator.key) if types == _BETWEEN_VECTORS else None,
            span=Span(left.span.start, right.span.end),
        )
        stream.remember(check_binary(binary, types, operator, written))
        left, left_type = binary, ValueType.SCALAR if types == _BETWEEN_SCALARS else ValueType.VECTOR
    stream.leave()
    return left


def _as_understood(written: Matching, operator: str) -> Matching:
    if operator not in SET_OPERATORS:
        return written
    return _SETS if written is _PLAIN else Matching("many-to-many", written.is_on, written.labels)


def _operand(stream: TokenStream) -> Expr:
    key = stream.token.key
    if key in {"+", "-"}:
        return _signed(stream)
    expr = _simple(stream)
    return parse_modifiers(stream, expr) if stream.token.key in MODIFIERS else expr


def _simple(stream: TokenStream) -> Expr:
    token = stream.token
    if token.kind is Kind.AGGREGATOR and stream.following() in {"(", "by", "without"}:
        return _aggregation(stream)
    if token.kind in {Kind.IDENTIFIER, Kind.PREPROCESSOR} and stream.following() == "(":
        return _call(stream)
    if token.key == "{" or token.key in METRIC_NAMES:
        return parse_selector(stream)
    if token.key in {"number", "duration"}:
        return parse_literal(stream)
    if token.key == "string":
        stream.take()
        return StringLiteral(unquote(token.text), span=Span(token.start, token.end))
    if token.key != "(":
        raise stream.unexpected()
    stream.take()
    inner = _expression(stream)
    closing = stream.expect(")")
    return Paren(inner, span=Span(token.start, closing.end))


def _signed(stream: TokenStream) -> Expr:
    """Read a sign and what it stands before; it binds like `*`, and is part of a number."""
    sign = stream.take()
    expr = _expression(stream, UNARY_PRECEDENCE + 1)
    if isinstance(expr, NumberLiteral):
        if sign.key == "-":
            return negated(expr, sign.start)
        return NumberLiteral(expr.value, expr.is_duration, span=Span(sign.start, expr.span.end))
    unary = Unary("-" if sign.key == "-" else "+", expr, span=Span(sign.start, expr.span.end))
    stream.remember(check_unary(unary))
    return unary


def _aggregation(stream: TokenStream) -> Expr:
    word = stream.take()
    outer, stream.context = stream.context, ("aggregation", "")
    modifier, grouping = _grouping(stream)
    if stream.token.key != "(":
        raise stream.unexpected()
    args = _arguments(stream)
    end = stream.last_end()
    if not modifier:
        modifier, grouping = _grouping(stream)
        end = stream.last_end() if modifier else end
    stream.context = outer
    span = Span(word.start, end)
    takes_param = _check_arguments(stream, word.key, len(args), span)
    aggregation = Aggregation(
        word.key,
        args[-1],
        args[0] if takes_param else None,
        grouping,
        modifier == "without",
        span=span,
    )
    stream.remember(check_aggregation(aggregation))
    return aggregation


def _grouping(stream: TokenStream) -> tuple[str, tuple[str, ...]]:
    if stream.token.key not in {"by", "without"}:
        return "", ()
    return stream.take().key, parse_grouping(stream)


def _check_arguments(stream: TokenStream, op: str, given: int, span: Span) -> bool:
    signature = AGGREGATIONS[op]
    if not given:
        raise stream.refusal(span, "no arguments for aggregate expression provided")
    if signature.is_experimental and not stream.options.experimental_functions:
        raise stream.refusal(span, f"{op}() is experimental and must be enabled with {_FLAG}")
    wanted = 1 if signature.param is None else 2
    if given != wanted:
        problem = "wrong number of arguments for aggregate expression provided"
        raise stream.refusal(span, f"{problem}, expected {wanted}, got {given}")
    return signature.param is not None


def _call(stream: TokenStream) -> Expr:
    word = stream.take()
    name = word.text
    args = _arguments(stream, is_info=name == "info")
    signature = FUNCTIONS.get(name)
    if signature is None:
        raise stream.refusal(Span(word.start, word.end), f"unknown function with name {quote(name)}")
    if signature.is_experimental and not stream.options.experimental_functions:
        raise stream.refusal(Span(word.start, word.end), f"function {quote(name)} is not enabled")
    call = Call(name, tuple(args), span=Span(word.start, stream.last_end()))
    stream.remember(check_call(call, signature))
    return call


def _arguments(stream: TokenStream, *, is_info: bool = False) -> list[Expr]:
    stream.expect("(")
    args: list[Expr] = []
    if stream.token.key == ")":
        stream.take()
        return args
    outer, stream.is_info_filter = stream.is_info_filter, False
    while True:
        args.append(_expression(stream))
        stream.is_info_filter = is_info and stream.token.key == "," and len(args) == 1
        if stream.token.key != ",":
            break
        comma = stream.take()
        if stream.token.key not in _STARTERS and stream.token.kind is not Kind.ERROR:
            raise stream.refusal(Span(comma.start, comma.end), "trailing commas not allowed in function call args")
    stream.is_info_filter = outer
    stream.expect(")")
    return args
