"""Durations, which may be reckoned: `[5m]`, `[1h / 2]`, `offset -(step() * 2)`, `[max_of(step(), 1m):30s]`.

A leaf is a number of seconds. What can be known without the query's times is refused here: lengths that are not
positive, division by zero, more than 292 years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.promql.literals import parse_duration, parse_number
from holdfast.telemetry.metrics.promql.nodes import DurationExpr, NumberLiteral, Span
from holdfast.telemetry.metrics.promql.tokens import PRECEDENCE, RIGHT_ASSOCIATIVE, UNARY_PRECEDENCE

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.nodes import Duration
    from holdfast.telemetry.metrics.promql.stream import TokenStream
    from holdfast.telemetry.metrics.promql.tokens import Token

_OPERATORS: Final = frozenset({"+", "-", "*", "/", "%", "^"})
_SIGNS: Final = frozenset({"+", "-"})
_LITERALS: Final = frozenset({"number", "duration"})
_NULLARY: Final = frozenset({"step", "range"})
_BINARY: Final = {"min": "min", "max": "max", "min_of": "min", "max_of": "max"}
_BY_ZERO: Final = {"/": "division by zero", "%": "modulo by zero"}
_MAX_S: Final = 2**63 / 1e9


def parse_literal(stream: TokenStream) -> NumberLiteral:
    """Read a number or a duration; the next token is one."""
    token = stream.take()
    span = Span(token.start, token.end)
    try:
        if token.key == "number":
            return NumberLiteral(parse_number(token.text), span=span)
        return NumberLiteral(parse_duration(token.text) / 1000, is_duration=True, span=span)
    except ValueError as error:
        raise stream.refusal(span, str(error)) from error


def parse_length(stream: TokenStream) -> Duration:
    """Read a range or a step, which is longer than nothing."""
    duration = _reckoned(stream)
    if isinstance(duration, NumberLiteral) and not duration.value > 0:
        raise stream.refusal(duration.span, "duration must be greater than 0")
    return duration


def parse_offset(stream: TokenStream) -> Duration:
    """Read an offset; unless it stands in parentheses, it ends before the next operator: `a offset 1m + 1`."""
    token = stream.token
    if token.key not in _SIGNS:
        return _reckoned(stream) if token.key == "(" else _operand(stream)
    stream.take()
    is_sign_of_more = stream.token.key in _SIGNS
    inner = _reckoned(stream, UNARY_PRECEDENCE + 1) if is_sign_of_more else _operand(stream)
    return _signed(stream, token, inner)


def negated(literal: NumberLiteral, start: int) -> NumberLiteral:
    """Give the literal with its sign in front turned into its value."""
    return NumberLiteral(-literal.value, literal.is_duration, span=Span(start, literal.span.end))


def _reckoned(stream: TokenStream, floor: int = 0) -> Duration:
    stream.enter()
    left = _signed_operand(stream)
    links = 0
    while stream.token.key in _OPERATORS and PRECEDENCE[stream.token.key] >= floor:
        stream.enter()
        links += 1
        operator = stream.take()
        precedence = PRECEDENCE[operator.key]
        right = _reckoned(stream, precedence if operator.key in RIGHT_ASSOCIATIVE else precedence + 1)
        _check_enabled(stream, left.span)
        if isinstance(right, NumberLiteral) and right.value == 0 and operator.key in _BY_ZERO:
            raise stream.refusal(Span(operator.start, operator.end), _BY_ZERO[operator.key])
        left = DurationExpr(operator.key, left, right, span=Span(left.span.start, right.span.end))
    for _ in range(links + 1):
        stream.leave()
    return left


def _signed_operand(stream: TokenStream) -> Duration:
    token = stream.token
    if token.key not in _SIGNS:
        return _operand(stream)
    stream.take()
    return _signed(stream, token, _reckoned(stream, UNARY_PRECEDENCE + 1))


def _signed(stream: TokenStream, sign: Token, inner: Duration) -> Duration:
    if isinstance(inner, NumberLiteral):
        if sign.key == "-":
            return negated(inner, sign.start)
        return NumberLiteral(inner.value, inner.is_duration, span=Span(sign.start, inner.span.end))
    if sign.key == "+":
        return inner
    return DurationExpr("-", None, inner, span=Span(sign.start, stream.last_end()))


def _operand(stream: TokenStream) -> Duration:
    token = stream.token
    if token.key in _LITERALS:
        return _checked(stream, parse_literal(stream))
    if token.key == "(":
        return _parenthesised(stream)
    if token.key in _NULLARY:
        stream.take()
        stream.expect("(")
        stream.expect(")")
        return DurationExpr(token.key, span=Span(token.start, stream.last_end()))
    function = _BINARY.get(token.text.lower())
    if function is None:
        raise stream.unexpected()
    return _smaller_or_larger(stream, function)


def _parenthesised(stream: TokenStream) -> Duration:
    start = stream.take().start
    inner = _reckoned(stream)
    stream.expect(")")
    _check_enabled(stream, inner.span)
    return DurationExpr("()", None, inner, span=Span(start, stream.last_end()))


def _smaller_or_larger(stream: TokenStream, function: str) -> Duration:
    start = stream.take().start
    stream.expect("(")
    left = _reckoned(stream)
    stream.expect(",")
    right = _reckoned(stream)
    stream.expect(")")
    return DurationExpr(function, left, right, span=Span(start, stream.last_end()))


def _checked(stream: TokenStream, literal: NumberLiteral) -> NumberLiteral:
    if abs(literal.value) > _MAX_S:  # NaN is let through, as in Prometheus
        raise stream.refusal(literal.span, "duration out of range")
    return literal


def _check_enabled(stream: TokenStream, span: Span) -> None:
    if not stream.options.duration_expressions:
        raise stream.refusal(span, "experimental duration expression is not enabled")
