"""Text becomes nodes: log queries, and metric queries by operator precedence. Stages stand in `pipeline_grammar`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.logql import checks
from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.folding import fold, is_foldable
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
from holdfast.telemetry.logs.logql.tokens import PRECEDENCE, VECTOR_OPS, Kind, Token, TokenStream
from holdfast.telemetry.metrics.promql.nodes import Matching, Span
from holdfast.telemetry.metrics.promql.quoting import unquote
from holdfast.telemetry.metrics.samples import Matcher

_DEEPEST: Final = 100
_LONGEST: Final = 131_072  # letters, as in Loki


def parse(text: str) -> Expr:
    """Read a query.

    Raises:
        LogqlError: it is none; the message has Loki's form, and says the line and the column.
    """
    _check_length(text)
    if not text:
        raise LogqlError("syntax error: unexpected $end")
    stream = TokenStream(text)
    if stream.token.text == "variants" and stream.following() == "(":
        raise LogqlError("multi variant queries are no longer supported")
    expr = _side(stream, 0, 0)
    stream.expect_end()
    stream.tell_postponed()
    return expr


def _check_length(text: str) -> None:
    if len(text) >= _LONGEST:
        raise LogqlError(f"input size too long ({len(text)} > {_LONGEST})")


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """Read a selector of streams alone, such as those of `match[]`; `{}` selects everything.

    Raises:
        LogqlError: it is none.
        InvalidError: it is another query.
    """
    _check_length(text)
    stream = TokenStream(text)
    if stream.token.text == "{":
        matchers = parse_matchers(stream)
        if stream.token.kind is Kind.END:
            return matchers
    parse(text)
    raise InvalidError("only label matchers is supported", hint="leave out all but {...}")


def _selector(stream: TokenStream, told: str = "{", *, may_unwrap: bool = True) -> tuple[LogSelector, Unwrap | None]:
    opening = stream.token
    matchers = parse_matchers(stream, told)
    stages, unwrap = parse_stages(stream, may_unwrap=may_unwrap)
    span = Span(opening.start, stream.last_end())
    stream.judge(partial(checks.check_matchers, matchers), span)
    stream.judge(partial(checks.check_line_filters, stages), span, rank=1)
    return LogSelector(matchers, stages, span=span), unwrap


def _expression(stream: TokenStream, floor: int, depth: int) -> MetricExpr:
    """Read a metric query; a log query in its place is told by what stands behind it, as in Loki."""
    expr = _side(stream, floor, depth)
    if isinstance(expr, LogSelector):
        raise stream.unexpected()
    return expr


def _side(stream: TokenStream, floor: int, depth: int) -> Expr:
    if depth > _DEEPEST:
        raise stream.refusal(f"the query is nested more than {_DEEPEST} deep", stream.token.span)
    left = _operand(stream, depth)
    while (precedence := _precedence(stream.token)) > floor:
        stream.count("operations")
        operator = stream.take()
        returns_bool = stream.accept("bool")
        matching = _matching(stream)
        right = _side(stream, precedence - (operator.text == "^"), depth + 1)
        span = Span(left.span.start, right.span.end)
        sides = [_numbers(stream, operator.text, side, span) for side in (left, right)]
        node = Binary(operator.text, sides[0], sides[1], returns_bool, matching, span=span)
        stream.judge(partial(checks.check_binary, node), span)
        left = _folded(node)
    return left


def _folded(node: Binary) -> MetricExpr:
    """Give the number that an operation between two is."""
    if isinstance(node.left, Number) and isinstance(node.right, Number) and is_foldable(node.op):
        return Number(fold(node.op, node.left.value, node.right.value), span=node.span)
    return node


def _numbers(stream: TokenStream, op: str, side: Expr, span: Span) -> MetricExpr:
    """Give a side of an operation; for lines a number, which comes to nobody, for they are refused."""
    if not isinstance(side, LogSelector):
        return side
    leg = "left" if side.span.start == span.start else "right"
    stream.judge(partial(checks.refuse_lines, op, side, leg), span)
    return VectorOf(0.0, span=side.span)


def _precedence(token: Token) -> int:
    return PRECEDENCE.get(token.text, 0) if token.kind in {Kind.WORD, Kind.OPERATOR} else 0


def _operand(stream: TokenStream, depth: int) -> Expr:
    token = stream.token
    if token.text == "{" and token.kind is Kind.PUNCTUATION:
        return _selector(stream, may_unwrap=False)[0]
    if token.kind is Kind.NUMBER or token.text in {"-", "+"}:
        return _number(stream)
    if stream.accept("("):
        inner = _side(stream, 0, depth + 1)
        stream.expect(")", "")
        return inner
    if not stream.is_function():
        raise stream.unexpected()
    read = _vector_aggregation if token.text in VECTOR_OPS else _READERS.get(token.text, _range_aggregation)
    return read(stream, depth)


def _number(stream: TokenStream) -> Number:
    start = stream.token.start
    sign = -1.0 if stream.token.text == "-" else 1.0
    if stream.token.text in {"-", "+"}:
        stream.take()
    token = stream.expect_kind(Kind.NUMBER)
    return Number(sign * float(token.text), span=Span(start, token.end))


def _vector(stream: TokenStream, depth: int) -> VectorOf:
    del depth
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
    stream.judge(partial(checks.check_replacement, target, pattern), span)
    return LabelReplace(expr, target, replacement, source, pattern, span=span)


def _range_aggregation(stream: TokenStream, depth: int) -> RangeAggregation:
    del depth
    word = stream.take()
    grouping = _grouping(stream)
    stream.expect("(")
    param, told = None, "NUMBER or { or ("
    if stream.token.kind is Kind.NUMBER:
        param, told = _number(stream).value, "{ or ("
        stream.expect(",")
    selector, unwrap, range_ns, offset_ns = _log_range(stream, told)
    stream.expect(")")
    grouping = grouping or _grouping(stream)
    span = Span(word.start, stream.last_end())
    node = RangeAggregation(word.text, selector, range_ns, offset_ns, unwrap, param, grouping, span=span)
    stream.judge(partial(checks.check_range, node), span)
    return node


def _log_range(stream: TokenStream, told: str = "{ or (") -> tuple[LogSelector, Unwrap | None, int, int]:
    """Read `{..} | stages [5m] offset 1h`; the range may also stand before the stages, or all in parentheses."""
    if stream.accept("("):
        selector, unwrap, range_ns, offset_ns = _log_range_or_selector(stream)
        stream.expect(")", ")" if range_ns else "RANGE or ) or |" if unwrap else "")
        is_closed = True
    else:
        selector, unwrap, range_ns, offset_ns = _log_range_or_selector(stream, told)
        is_closed = False
    if not range_ns:
        range_ns, offset_ns = _range(stream, "RANGE" if is_closed else "RANGE or |" if unwrap else "")
    return selector, unwrap, range_ns, offset_ns


def _log_range_or_selector(stream: TokenStream, told: str = "{ or (") -> tuple[LogSelector, Unwrap | None, int, int]:
    opening = stream.token
    if stream.token.text == "(":
        return _log_range(stream)
    selector, unwrap = _selector(stream, told)
    if stream.token.kind is not Kind.RANGE:
        return selector, unwrap, 0, 0
    range_ns, offset_ns = _range(stream)
    stages, late_unwrap = parse_stages(stream)
    if stages or late_unwrap:
        span = Span(opening.start, stream.last_end())
        selector = LogSelector(selector.matchers, selector.stages + stages, span=span)
    return selector, unwrap or late_unwrap, range_ns, offset_ns


def _range(stream: TokenStream, told: str = "") -> tuple[int, int]:
    token = stream.expect_kind(Kind.RANGE, told)
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
    stream.judge(partial(checks.check_aggregation, word.text, expr, param, grouping), span)
    if grouping is not None and not grouping.labels and not grouping.is_without:
        grouping = None  # by () is what there is without it
    return VectorAggregation(word.text, expr, None if param is None else int(param), grouping, span=span)


_READERS: Final[dict[str, Callable[[TokenStream, int], MetricExpr]]] = {
    "vector": _vector,
    "label_replace": _label_replace,
}


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
            stream.expect(",", ", or )")
        names.append(stream.expect_name("IDENTIFIER" if names else "IDENTIFIER or )").text)
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
