"""What stands behind an expression: `[5m]`, `[30m:1m]`, `offset 5m`, `@ end()`, `anchored`, `smoothed`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from holdfast.telemetry.metrics.promql.checks import check_subquery
from holdfast.telemetry.metrics.promql.duration_grammar import parse_length, parse_literal, parse_offset
from holdfast.telemetry.metrics.promql.nodes import (
    AtModifier,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Span,
    Subquery,
    VectorSelector,
)

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.nodes import Duration
    from holdfast.telemetry.metrics.promql.stream import TokenStream

MODIFIERS: Final = frozenset({"[", "offset", "@", "anchored", "smoothed"})
_LENGTH: Final = "number, duration, step(), or range()"
_WHERE: Final = "must be preceded by an instant vector selector or range vector selector or a subquery"
_ONLY_SELECTORS: Final = "ranges only allowed for vector selectors"
_MAX_SECONDS: Final = 2**63


def parse_modifiers(stream: TokenStream, expr: Expr) -> Expr:
    """Read all that stands behind an operand."""
    while stream.token.key in MODIFIERS:
        match stream.token.key:
            case "[":
                expr = _parse_brackets(stream, expr)
            case "offset":
                expr = _parse_offset(stream, expr)
            case "@":
                expr = _parse_at(stream, expr)
            case "anchored":
                expr = _parse_mode(stream, expr, "anchored")
            case _:
                expr = _parse_mode(stream, expr, "smoothed")
    return expr


def _parse_brackets(stream: TokenStream, expr: Expr) -> Expr:
    opening = stream.take()
    outer, stream.context = stream.context, ("subquery or range selector", _LENGTH)
    length = parse_length(stream)
    if stream.token.key == "]":
        stream.take()
        stream.context = outer
        return _matrix(stream, expr, length, opening.start)
    stream.expect(":", "subquery or range", '":" or "]"')
    step = None
    if stream.token.key != "]":
        stream.context = ("subquery selector", 'number, duration, step(), range(), or "]"')
        step = parse_length(stream)
        if stream.token.key != "]":
            raise stream.unexpected("subquery selector", '"]"')
    stream.take()
    stream.context = outer
    subquery = Subquery(expr, length, step, span=Span(expr.span.start, stream.last_end()))
    stream.remember(check_subquery(subquery))
    return subquery


def _matrix(stream: TokenStream, expr: Expr, length: Duration, opening: int) -> Expr:
    place = Span(opening, stream.last_end())
    if not isinstance(expr, VectorSelector):
        raise stream.refusal(place, _ONLY_SELECTORS)
    if expr.offset is not None:
        raise stream.refusal(place, "no offset modifiers allowed before range")
    if expr.at is not None:
        raise stream.refusal(place, "no @ modifiers allowed before range")
    return MatrixSelector(expr, length, span=Span(expr.span.start, stream.last_end()))


def _parse_offset(stream: TokenStream, expr: Expr) -> Expr:
    stream.take()
    outer, stream.context = stream.context, ("offset", _LENGTH)
    offset = parse_offset(stream)
    stream.context = outer
    target = _target(stream, expr, "offset modifier")
    if target.offset is not None and not (isinstance(target.offset, NumberLiteral) and target.offset.value == 0):
        raise stream.refusal(expr.span, "offset may not be set multiple times")
    return _with(stream, expr, offset=offset)


def _parse_at(stream: TokenStream, expr: Expr) -> Expr:
    stream.take()
    outer, stream.context = stream.context, ("@", "timestamp")
    at = _bound(stream) if stream.token.key in {"start", "end"} else _timestamp(stream, expr)
    stream.context = outer
    if _target(stream, expr, "@ modifier").at is not None:
        raise stream.refusal(expr.span, "@ <timestamp> may not be set multiple times")
    return _with(stream, expr, at=at)


def _bound(stream: TokenStream) -> AtModifier:
    bound: Literal["start", "end"] = "start" if stream.take().key == "start" else "end"
    stream.expect("(")
    stream.expect(")")
    return AtModifier(bound=bound)


def _timestamp(stream: TokenStream, expr: Expr) -> AtModifier:
    sign = -1 if stream.token.key == "-" else 1
    if stream.token.key in {"+", "-"}:
        stream.take()
    if stream.token.key not in {"number", "duration"}:
        raise stream.unexpected()
    seconds = sign * parse_literal(stream).value
    if not -_MAX_SECONDS < seconds < _MAX_SECONDS:
        shown = f"{seconds:f}" if math.isfinite(seconds) else _odd(seconds)
        raise stream.refusal(expr.span, f"timestamp out of bounds for @ modifier: {shown}")
    return AtModifier(ts_ms=int(math.copysign(math.floor(abs(seconds) * 1000 + 0.5), seconds)))


def _odd(seconds: float) -> str:
    if math.isnan(seconds):
        return "NaN"
    return "+Inf" if seconds > 0 else "-Inf"


def _parse_mode(stream: TokenStream, expr: Expr, mode: Literal["anchored", "smoothed"]) -> Expr:
    stream.take()
    if not stream.options.extended_selectors:
        raise stream.refusal(expr.span, f"{mode} modifier is experimental and not enabled")
    if isinstance(expr, Subquery):
        raise stream.refusal(expr.span, f"{mode} modifier is not supported for subqueries")
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    if not isinstance(selector, VectorSelector):
        raise stream.refusal(expr.span, f"{mode} modifier not implemented")
    if selector.mode not in {"", mode}:
        raise stream.refusal(expr.span, "anchored and smoothed modifiers cannot be used together")
    moded = replace(selector, mode=mode)
    return replace(expr, selector=moded) if isinstance(expr, MatrixSelector) else moded


def _target(stream: TokenStream, expr: Expr, modifier: str) -> VectorSelector | Subquery:
    match expr:
        case VectorSelector() | Subquery():
            return expr
        case MatrixSelector():
            return expr.selector
        case _:
            raise stream.refusal(expr.span, f"{modifier} {_WHERE}")


def _with(stream: TokenStream, expr: Expr, *, offset: Duration | None = None, at: AtModifier | None = None) -> Expr:
    span = Span(expr.span.start, stream.last_end())
    match expr:
        case VectorSelector() | Subquery():
            return replace(expr, offset=offset or expr.offset, at=at or expr.at, span=span)
        case MatrixSelector(selector=selector):
            changed = replace(selector, offset=offset or selector.offset, at=at or selector.at)
            return MatrixSelector(changed, expr.range, span=span)
        case _:
            return expr
