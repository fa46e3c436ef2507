"""What stands in braces and in lists of labels: matchers, quoted UTF-8 names, `by (...)`, `on (...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.matching import matches_empty
from holdfast.telemetry.metrics.promql.checks import check_selector
from holdfast.telemetry.metrics.promql.nodes import Span, VectorSelector
from holdfast.telemetry.metrics.promql.quoting import is_utf8, quote, unquote
from holdfast.telemetry.metrics.promql.tokens import LABEL_NAMES, MATCH_OPERATORS
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.stream import TokenStream
    from holdfast.telemetry.metrics.promql.tokens import Token

_MATCHING: Final = "label matching"
_GROUPING: Final = "grouping opts"
_EXPRESSIONS: Final = {MatchOp.MATCHES, MatchOp.NOT_MATCHES}


def parse_selector(stream: TokenStream) -> VectorSelector:
    """Read `name`, `name{...}` or `{...}`; a name in front is the last of the matchers."""
    start, name = stream.token.start, ""
    if stream.token.key != "{":
        name = stream.take().text
    matchers = _matchers(stream) if stream.token.key == "{" else ()
    if name:
        matchers = (*matchers, Matcher(METRIC_NAME, MatchOp.EQUAL, name))
    selector = VectorSelector(name, matchers, span=Span(start, stream.last_end()))
    if not stream.is_info_filter:
        stream.remember(check_selector(selector))
    return selector


def parse_grouping(stream: TokenStream) -> tuple[str, ...]:
    """Read `(a, "b.c", )`."""
    stream.expect("(", _GROUPING, '"("')
    labels: list[str] = []
    while stream.token.key != ")":
        labels.append(_grouping_label(stream))
        if stream.token.key == ",":
            stream.take()
        elif stream.token.key != ")":
            raise stream.unexpected(_GROUPING, '"," or ")"')
    stream.take()
    return tuple(labels)


def _matchers(stream: TokenStream) -> tuple[Matcher, ...]:
    stream.take()
    matchers: list[Matcher] = []
    while stream.token.key != "}":
        matchers.append(_matcher(stream))
        if stream.token.key == ",":
            stream.take()
        elif stream.token.key != "}":
            raise stream.unexpected(_MATCHING, '"," or "}"')
    stream.take()
    return tuple(matchers)


def _matcher(stream: TokenStream) -> Matcher:
    token = stream.token
    if token.key == "string":
        stream.take()
        label = unquote(token.text)
        if stream.token.key not in MATCH_OPERATORS:
            return Matcher(METRIC_NAME, MatchOp.EQUAL, label)
    elif token.key == "identifier":
        stream.take()
        label = token.text
        if stream.token.key not in MATCH_OPERATORS:
            raise stream.unexpected(_MATCHING, "label matching operator")
    else:
        raise stream.unexpected(_MATCHING, 'identifier or "}"')
    op = MatchOp(stream.take().key)
    value = stream.expect("string", _MATCHING, "string")
    matcher = Matcher(label, op, unquote(value.text))
    if op in _EXPRESSIONS:
        _check_expression(stream, matcher, Span(token.start, value.end))
    return matcher


def _check_expression(stream: TokenStream, matcher: Matcher, span: Span) -> None:
    try:
        matches_empty(matcher)
    except InvalidError as error:
        raise stream.refusal(span, error.message) from error


def _grouping_label(stream: TokenStream) -> str:
    token = stream.token
    if token.key == "string":
        stream.take()
        label = unquote(token.text)
    elif token.key in LABEL_NAMES:
        label = stream.take().text
    else:
        raise stream.unexpected(_GROUPING, "label")
    if not label or not is_utf8(label):
        raise stream.refusal(_span(token), f"invalid label name for grouping: {quote(label)}")
    return label


def _span(token: Token) -> Span:
    return Span(token.start, token.end)
