"""Text becomes nodes: log queries, and metric queries by operator precedence. Stages stand in `pipeline_grammar`."""

from __future__ import annotations

from typing import Final

from holdfast.telemetry.logs.logql import checks
from holdfast.telemetry.logs.logql.nodes import (
    Binary,
    Expr,
    Grouping,
    LabelReplace,
    LogSelector,
    MetricExpr,
    Number,
    RangeAggregation,
    Unwrap,
    VectorAggregation,
    VectorOf,
)
from holdfast.telemetry.logs.logql.pipeline_grammar import parse_matchers, parse_stages
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns, parse_range_ns
from holdfast.telemetry.logs.logql.tokens import RANGE_OPS, VECTOR_OPS, Kind, Token, TokenStream
from holdfast.telemetry.metrics.promql.nodes import Matching, Span
from holdfast.telemetry.metrics.promql.quoting import unquote
from holdfast.telemetry.metrics.samples import Matcher

PRECEDENCE: Final = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, ">": 3, ">=": 3, "<": 3, "<=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6,
}  # fmt: skip
_DEEPEST: Final = 100


def parse(text: str) -> Expr:
    """Read a query.

    Raises:
        LogqlError: it is none; the message has Loki's form, and says the line and the column.
    """
    stream = TokenStream(text)
    expr = _parse_log(stream) or _expression(stream, 0, 0)
    stream.expect_end()
    return expr


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """Read a selector of streams alone, such as those of `match[]`; `{}` selects everything.

    Raises:
        LogqlError: it is none.
    """
    stream = TokenStream(text)
    matchers = parse_matchers(stream)
    stream.expect_end()
    return matchers


def _parse_log(stream: TokenStream) -> LogSelector | None:
    """Read a log query, in parentheses or not; None if the text is a metric query."""
    start, depth = stream.mark(), 0
    while stream.accept("("):
        depth += 1
    if stream.token.text != "{" or stream.token.kind is not Kind.PUNCTUATION:
        stream.reset(start)
        return None
    selector, unwrap = _selector(stream)
    if unwrap is not None:
        raise stream.refusal("syntax error: unexpected unwrap in a query for lines", unwrap.span)
    for _ in range(depth):
        stream.expect(")")
    return selector


def _selector(stream: TokenStream) -> tuple[LogSelector, Unwrap | None]:
    opening = stream.token
    matchers = parse_matchers(stream)
    checks.check_matchers(matchers)
    stages, unwrap = parse_stages(stream)
    return LogSelector(matchers, stages, span=Span(opening.start, stream.last_end())), unwrap


def _expression(stream: TokenStream, floor: int, depth: int) -> MetricExpr:
    if depth > _DEEPEST:
        raise stream.refusal(f"the query is nested more than {_DEEPEST} deep", stream.token.span)
    left = _operand(stream, depth)
    while (precedence := _precedence(stream.token)) > floor:
        operator = stream.take()
        returns_bool = stream.accept("bool")
        matching = _matching(stream)
        right = _expression(stream, precedence - (operator.text == "^"), depth + 1)
        span = Span(left.span.start, right.span.end)
        left = checks.checked_binary(Binary(operator.text, left, right, returns_bool, matching, span=span))
    return left


def _precedence(token: Token) -> int:
    return PRECEDENCE.get(token.text, 0) if token.kind in {Kind.WORD, Kind.OPERATOR} else 0


def _operand(stream: TokenStream, depth: int) -> MetricExpr:
    token = stream.token
    if token.kind is Kind.NUMBER or token.text in {"-", "+"}:
        return _number(stream)
    if stream.accept("("):
        inner = _expression(stream, 0, depth + 1)
        stream.expect(")", "")
        return inner
    if token.kind is not Kind.WORD:
        raise stream.unexpected()
    if token.text in RANGE_OPS:
        return _range_aggregation(stream)
    if token.text in VECTOR_OPS:
        return _vector_aggregation(stream, depth)
    if token.text == "vector":
        return _vector(stream)
    if token.text == "label_replace":
        return _label_replace(stream, depth)
    raise stream.unexpected()


def _number(stream: TokenStream) -> Number:
    start = stream.token.start
    sign = -1.0 if stream.token.text == "-" else 1.0
    if stream.token.text in {"-", "+"}:
        stream.take()
    token = stream.expect_kind(Kind.NUMBER)
    return Number(sign * float(token.text), span=Span(start, token.end))


def _vector(stream: TokenStream) -> VectorOf:
    word = stream.take()
    stream.expect("(")
    value = _number(stream).value
    stream.expect(")")
    return VectorOf(value, span=Span(word.start, stream.last_end()))


def _label_replace(stream: TokenStream, depth: int) -> LabelReplace:
    word = stream.take()
    stream.expect("(")
    expr = _expression(stream, 0, depth + 1)
    if stream.token.text != ",":
        raise stream.unexpected()
    texts: list[str] = []
    for _ in range(4):
        stream.expect(",")
        texts.append(unquote(stream.expect_kind(Kind.STRING).text))
    stream.expect(")")
    target, replacement, source, pattern = texts
    span = Span(word.start, stream.last_end())
    checks.check_replacement(target, pattern)
    return LabelReplace(expr, target, replacement, source, pattern, span=span)


def _range_aggregation(stream: TokenStream) -> RangeAggregation:
    word = stream.take()
    grouping = _grouping(stream)
    stream.expect("(")
    param = None
    if stream.token.kind is Kind.NUMBER or stream.token.text in {"-", "+"}:
        param = _number(stream).value
        stream.expect(",")
    selector, unwrap, range_ns, offset_ns = _log_range(stream)
    stream.expect(")")
    grouping = grouping or _grouping(stream)
    span = Span(word.start, stream.last_end())
    node = RangeAggregation(word.text, selector, range_ns, offset_ns, unwrap, param, grouping, span=span)
    checks.check_range(node)
    return node


def _log_range(stream: TokenStream) -> tuple[LogSelector, Unwrap | None, int, int]:
    """Read `{..} | stages [5m] offset 1h`; the range may also stand before the stages, or all in parentheses."""
    if stream.accept("("):
        selector, unwrap, range_ns, offset_ns = _log_range_or_selector(stream)
        stream.expect(")")
    else:
        selector, unwrap, range_ns, offset_ns = _log_range_or_selector(stream)
    if not range_ns:
        range_ns, offset_ns = _range(stream)
    return selector, unwrap, range_ns, offset_ns


def _log_range_or_selector(stream: TokenStream) -> tuple[LogSelector, Unwrap | None, int, int]:
    opening = stream.token
    if stream.token.text == "(":
        return _log_range(stream)
    selector, unwrap = _selector(stream)
    if stream.token.kind is not Kind.RANGE:
        return selector, unwrap, 0, 0
    range_ns, offset_ns = _range(stream)
    stages, late_unwrap = parse_stages(stream)
    if stages or late_unwrap:
        span = Span(opening.start, stream.last_end())
        selector = LogSelector(selector.matchers, selector.stages + stages, span=span)
    return selector, unwrap or late_unwrap, range_ns, offset_ns


def _range(stream: TokenStream) -> tuple[int, int]:
    token = stream.expect_kind(Kind.RANGE, "")
    range_ns = parse_range_ns(token.text[1:-1])
    offset_ns = 0
    if stream.accept("offset"):
        sign = -1 if stream.accept("-") else 1
        length = stream.expect_kind(Kind.DURATION)
        offset_ns = sign * (parse_duration_ns(length.text, knows_days=True) or 0)
    return range_ns, offset_ns


def _vector_aggregation(stream: TokenStream, depth: int) -> VectorAggregation:
    word = stream.take()
    grouping = _grouping(stream)
    stream.expect("(")
    param: float | None = None
    if stream.token.kind is Kind.NUMBER and stream.following() == ",":
        param = _number(stream).value
        stream.expect(",")
    expr = _expression(stream, 0, depth + 1)
    stream.expect(")", "")
    grouping = grouping or _grouping(stream)
    span = Span(word.start, stream.last_end())
    return checks.checked_aggregation(word.text, expr, param, grouping, span)


def _grouping(stream: TokenStream) -> Grouping | None:
    if stream.token.text not in {"by", "without"} or stream.token.kind is not Kind.WORD:
        return None
    is_without = stream.take().text == "without"
    return Grouping(_names(stream), is_without)


def _names(stream: TokenStream) -> tuple[str, ...]:
    stream.expect("(")
    names: list[str] = []
    while not stream.accept(")"):
        if names:
            stream.expect(",")
        names.append(stream.expect_kind(Kind.WORD).text)
    return tuple(names)


def _matching(stream: TokenStream) -> Matching:
    if stream.token.text not in {"on", "ignoring"}:
        return Matching()
    is_on = stream.take().text == "on"
    labels = _names(stream)
    if stream.token.text not in {"group_left", "group_right"}:
        return Matching("one-to-one", is_on, labels)
    is_left = stream.take().text == "group_left"
    include = _names(stream) if stream.token.text == "(" else ()
    return Matching("many-to-one" if is_left else "one-to-many", is_on, labels, include)
