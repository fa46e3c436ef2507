"""Reads conditions on labels: `level="error" and (took > 1s or size <= 5KB)`, where a comma or a space is `and` too."""

from __future__ import annotations

import re
from typing import Final

from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.nodes import (
    Both,
    Condition,
    Either,
    IpCondition,
    NumberCondition,
    TextCondition,
    Unit,
)
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns, parse_size_bytes
from holdfast.telemetry.logs.logql.tokens import COMPARISONS, KEYWORDS, Kind, TokenStream
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.quoting import unquote
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

_LABEL: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
_BEGIN: Final = "IDENTIFIER or ("
_GROUP: Final = re.compile(r"(?<!\\)\(\?P?<(\w+)>")
TEXT_OPS: Final = {"=": MatchOp.EQUAL, "!=": MatchOp.NOT_EQUAL, "=~": MatchOp.MATCHES, "!~": MatchOp.NOT_MATCHES}
NUMBER_OPS: Final = frozenset({"==", "=", "!=", ">", ">=", "<", "<="})


def parse_conditions(stream: TokenStream, told: str = _BEGIN) -> Condition:
    """Read a condition with everything that `or`, `and`, a comma or a space joins to it; `and` binds more strongly.

    `told` is what an error says was expected at its beginning.
    """
    left = _conjunction(stream, told)
    while stream.token.text == "or" and stream.token.kind is Kind.WORD:
        stream.take()
        right = _conjunction(stream)
        left = Either(left, right, span=Span(left.span.start, right.span.end))
    return left


def _conjunction(stream: TokenStream, told: str = _BEGIN) -> Condition:
    left = _listed(stream, told)
    while stream.token.text == "and" and stream.token.kind is Kind.WORD:
        stream.take()
        right = _listed(stream)
        left = Both(left, right, span=Span(left.span.start, right.span.end))
    return left


def _listed(stream: TokenStream, told: str = _BEGIN) -> Condition:
    """Read a condition and, behind a comma or a space, all that follows: that belongs together, an `or` in it too."""
    left = _single(stream, told)
    if not _goes_on(stream):
        return left
    stream.accept(",")
    right = parse_conditions(stream)
    return Both(left, right, span=Span(left.span.start, right.span.end))


def _goes_on(stream: TokenStream) -> bool:
    token = stream.token
    if token.text == "," and token.kind is not Kind.STRING:
        return True
    is_word = token.kind is Kind.WORD and token.text not in {"or", "and"}
    is_next = is_word and stream.following() in {*TEXT_OPS, *NUMBER_OPS}
    return is_next or (token.text == "(" and token.kind is Kind.PUNCTUATION)


def _single(stream: TokenStream, told: str) -> Condition:
    if stream.accept("("):
        stream.count("nested conditions")
        inner = parse_conditions(stream)
        stream.expect(")")
        return inner
    if stream.token.text in KEYWORDS and stream.following() not in COMPARISONS:
        raise stream.unexpected(told)
    stream.count("matchers")
    label = stream.expect_name(told)
    operator = stream.token
    if operator.text not in NUMBER_OPS and operator.text not in TEXT_OPS:
        raise stream.unexpected()
    stream.take()
    value = stream.token
    if value.kind is Kind.STRING and operator.text in TEXT_OPS:
        stream.take()
        matcher = make_matcher(label.text, operator.text, unquote(value.text))
        return TextCondition(matcher, span=Span(label.start, value.end))
    if value.text == "ip" and stream.following() == "(" and operator.text in {"=", "!="}:
        pattern = parse_ip(stream)
        return IpCondition(label.text, pattern, operator.text == "!=", span=Span(label.start, stream.last_end()))
    if operator.text not in NUMBER_OPS:
        raise stream.unexpected("STRING")
    amount, unit = _quantity(stream)
    op = "==" if operator.text == "=" else operator.text
    return NumberCondition(label.text, op, amount, unit, span=Span(label.start, stream.last_end()))


def _quantity(stream: TokenStream) -> tuple[float, Unit]:
    sign = -1.0 if stream.token.text == "-" else 1.0
    if stream.token.text in {"-", "+"}:
        stream.take()
    token = stream.token
    if token.kind not in {Kind.NUMBER, Kind.DURATION, Kind.SIZE}:
        raise stream.unexpected()
    stream.take()
    if token.kind is Kind.NUMBER:
        return sign * float(token.text), Unit.NUMBER
    if token.kind is Kind.DURATION:
        length = parse_duration_ns(token.text, knows_days=True)
        if length is None:
            raise stream.refusal(f"invalid duration {token.text}", token.span)
        return sign * length / 1e9, Unit.DURATION
    size = parse_size_bytes(token.text)
    if size is None:
        raise stream.refusal(f"invalid size {token.text}", token.span)
    return sign * size, Unit.BYTES


def parse_ip(stream: TokenStream) -> str:
    """Read `ip("10.0.0.0/8")`."""
    stream.expect("ip")
    stream.expect("(")
    pattern = unquote(stream.expect_kind(Kind.STRING).text)
    stream.expect(")")
    return pattern


def make_matcher(label: str, op: str, value: str) -> Matcher:
    """Give a matcher whose expression is known to be good.

    Raises:
        LogqlError: it is no RE2.
    """
    from_text = TEXT_OPS[op]
    if from_text in {MatchOp.MATCHES, MatchOp.NOT_MATCHES} and (problem := compile_expression(value)[1]):
        raise LogqlError(problem)
    return Matcher(label, from_text, value)


def check_parser(pattern: str) -> None:
    """Refuse what `| regexp` cannot take labels with.

    Raises:
        LogqlError: naming what is wrong with it.
    """
    expression, problem = compile_expression(pattern)
    names = [] if problem else list(expression.groupindex)
    if not names:
        problem = problem or "at least one named capture must be supplied"
    if odd := [name for name in names if not _LABEL.fullmatch(name)]:
        problem = f"invalid extracted label name '{odd[0]}'"
    written = _GROUP.findall(pattern)
    if twice := [name for name in names if written.count(name) > 1]:
        problem = f"duplicate extracted label name '{twice[0]}'"
    if problem:
        raise LogqlError(f"invalid regexp parser: {problem}")
