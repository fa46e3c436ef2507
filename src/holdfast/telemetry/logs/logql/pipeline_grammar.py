"""Reads a selector of streams and the stages behind it, up to what no stage begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.telemetry.logs.logql.condition_grammar import (
    TEXT_OPS,
    check_parser,
    make_matcher,
    parse_conditions,
    parse_ip,
)
from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.nodes import (
    Condition,
    Decolorize,
    Distinct,
    DropLabels,
    Extraction,
    JsonParser,
    KeepLabels,
    LabelAssignment,
    LabelChoice,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineOp,
    LogfmtParser,
    Needle,
    PatternParser,
    RegexpParser,
    Stage,
    UnpackParser,
    Unwrap,
)
from holdfast.telemetry.logs.logql.tokens import COMPARISONS, CONVERSIONS, KEYWORDS, Kind, Token, TokenStream
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.quoting import unquote
from holdfast.telemetry.metrics.samples import Matcher

_LINE_OPS: Final = {op.value: op for op in LineOp}


def parse_matchers(stream: TokenStream, told: str = "{") -> tuple[Matcher, ...]:
    """Read `{app="shop", level=~"warn|error"}`; `told` is what an error says was expected before it."""
    stream.expect("{", told)
    matchers: list[Matcher] = []
    while not stream.accept("}"):
        if matchers:
            stream.expect(",", "} or ,")
        stream.count("matchers")
        label = stream.expect_kind(Kind.WORD, "IDENTIFIER" if matchers else "IDENTIFIER or }")
        if stream.token.text not in TEXT_OPS or stream.token.kind is not Kind.OPERATOR:
            raise stream.unexpected("= or =~ or !~ or !=")
        operator = stream.take()
        value = stream.expect_kind(Kind.STRING)
        matchers.append(make_matcher(label.text, operator.text, unquote(value.text)))
    return tuple(matchers)


def parse_stages(stream: TokenStream, *, may_unwrap: bool = True) -> tuple[tuple[Stage, ...], Unwrap | None]:
    """Read stages; the last may be `unwrap`, which only a metric query takes."""
    stages: list[Stage] = []
    while (token := stream.token).kind is Kind.OPERATOR:
        if token.text in _LINE_OPS or token.text == "|":
            stream.count("stages")
        if token.text in _LINE_OPS:
            stages += _line_filters(stream)
        elif token.text != "|":
            break
        elif stream.following() == "unwrap":
            if not may_unwrap:
                stream.take()
                raise stream.unexpected()
            return tuple(stages), _unwrap(stream)
        else:
            stages.append(_stage(stream))
    return tuple(stages), None


def _line_filters(stream: TokenStream) -> list[LineFilter]:
    """Read a line filter; one that drops lines becomes as many as there are needles, as in Loki."""
    operator = stream.take()
    op = _LINE_OPS[operator.text]
    needles = [_needle(stream)]
    while stream.token.text == "or" and stream.token.kind is Kind.WORD:
        stream.take()
        needles.append(_needle(stream))
    span = Span(operator.start, stream.last_end())
    each = [(needle,) for needle in needles] if op.is_negative else [tuple(needles)]
    return [LineFilter(op, one, span=span) for one in each]


def _needle(stream: TokenStream) -> Needle:
    stream.count("matchers")
    if stream.token.text == "ip" and stream.following() == "(":
        return Needle(parse_ip(stream), is_ip=True)
    return Needle(unquote(stream.expect_kind(Kind.STRING, "STRING or ip").text))


def _stage(stream: TokenStream) -> Stage:
    bar = stream.take()
    word = stream.token
    read = _READERS.get(word.text) if word.kind is Kind.WORD else None
    if read is not None and not _is_label(stream):
        stream.take()
        return read(stream, bar)
    if word.kind is not Kind.WORD and word.text != "(":
        raise stream.unexpected()
    condition = parse_conditions(stream, "")
    return LabelFilter(condition, span=Span(bar.start, stream.last_end()))


def _is_label(stream: TokenStream) -> bool:
    """Tell whether a word that begins a stage is a label that is compared, such as `| json = "x"`."""
    return stream.following() in COMPARISONS


def _span(stream: TokenStream, bar: Token) -> Span:
    return Span(bar.start, stream.last_end())


def _json(stream: TokenStream, bar: Token) -> Stage:
    return JsonParser(_extractions(stream), span=_span(stream, bar))


def _logfmt(stream: TokenStream, bar: Token) -> Stage:
    flags: set[str] = set()
    while stream.token.kind is Kind.FLAG:
        flags.add(stream.take().text)
    fields = _extractions(stream)
    return LogfmtParser(fields, "--strict" in flags, "--keep-empty" in flags, span=_span(stream, bar))


def _extractions(stream: TokenStream) -> tuple[Extraction, ...]:
    fields: list[Extraction] = []
    while fields or (stream.token.kind is Kind.WORD and stream.token.text not in KEYWORDS - {"ip"}):
        label = stream.expect_kind(Kind.WORD).text
        path = unquote(stream.expect_kind(Kind.STRING).text) if stream.accept("=") else label
        fields.append(Extraction(label, path))
        if not stream.accept(","):
            break
    return tuple(fields)


def _regexp(stream: TokenStream, bar: Token) -> Stage:
    token = stream.expect_kind(Kind.STRING)
    pattern = unquote(token.text)
    check_parser(pattern)
    return RegexpParser(pattern, span=_span(stream, bar))


def _pattern(stream: TokenStream, bar: Token) -> Stage:
    pattern = unquote(stream.expect_kind(Kind.STRING).text)
    return PatternParser(pattern, span=_span(stream, bar))


def _unpack(stream: TokenStream, bar: Token) -> Stage:
    return UnpackParser(span=_span(stream, bar))


def _decolorize(stream: TokenStream, bar: Token) -> Stage:
    return Decolorize(span=_span(stream, bar))


def _line_format(stream: TokenStream, bar: Token) -> Stage:
    return LineFormat(unquote(stream.expect_kind(Kind.STRING).text), span=_span(stream, bar))


def _label_format(stream: TokenStream, bar: Token) -> Stage:
    assignments: list[LabelAssignment] = []
    while True:
        label = stream.expect_kind(Kind.WORD)
        if any(label.text == done.label for done in assignments):
            raise LogqlError(f"multiple label name '{label.text}' not allowed in a single format operation")
        if label.text == "__error__":
            raise LogqlError("__error__ cannot be formatted")
        stream.expect("=")
        if stream.token.kind is Kind.WORD:
            assignments.append(LabelAssignment(label.text, source=stream.take().text))
        else:
            value = stream.expect_kind(Kind.STRING, "IDENTIFIER or STRING")
            assignments.append(LabelAssignment(label.text, template=unquote(value.text)))
        if not stream.accept(","):
            return LabelFormat(tuple(assignments), span=_span(stream, bar))


def _drop(stream: TokenStream, bar: Token) -> Stage:
    return DropLabels(_choices(stream), span=_span(stream, bar))


def _keep(stream: TokenStream, bar: Token) -> Stage:
    return KeepLabels(_choices(stream), span=_span(stream, bar))


def _choices(stream: TokenStream) -> tuple[LabelChoice, ...]:
    choices: list[LabelChoice] = []
    while not choices or stream.accept(","):
        stream.count("matchers")
        label = stream.expect_kind(Kind.WORD)
        matcher = None
        if stream.token.text in TEXT_OPS and stream.token.kind is Kind.OPERATOR:
            op = stream.take().text
            value = stream.expect_kind(Kind.STRING)
            matcher = make_matcher(label.text, op, unquote(value.text))
        choices.append(LabelChoice(label.text, matcher))
    return tuple(choices)


def _distinct(stream: TokenStream, bar: Token) -> Stage:
    labels = [stream.expect_kind(Kind.WORD).text]
    while stream.accept(","):
        labels.append(stream.expect_kind(Kind.WORD).text)
    return Distinct(tuple(labels), span=_span(stream, bar))


_READERS: Final[dict[str, Callable[[TokenStream, Token], Stage]]] = {
    "json": _json,
    "logfmt": _logfmt,
    "regexp": _regexp,
    "pattern": _pattern,
    "unpack": _unpack,
    "decolorize": _decolorize,
    "line_format": _line_format,
    "label_format": _label_format,
    "drop": _drop,
    "keep": _keep,
    "distinct": _distinct,
}


def _unwrap(stream: TokenStream) -> Unwrap:
    bar = stream.take()
    stream.expect("unwrap")
    word = stream.expect_kind(Kind.WORD, "IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV")
    conversion, label = "", word.text
    if stream.token.text == "(":
        if word.text not in CONVERSIONS:
            raise stream.unexpected("RANGE or |")
        stream.take()
        conversion, label = word.text, stream.expect_kind(Kind.WORD).text
        stream.expect(")")
    conditions: list[Condition] = []
    while stream.token.text == "|" and stream.token.kind is Kind.OPERATOR:
        stream.take()
        conditions.append(parse_conditions(stream))
    return Unwrap(label, conversion, tuple(conditions), span=Span(bar.start, stream.last_end()))
