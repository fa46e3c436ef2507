"""Queries as one line of text, as Loki writes them; reading it again gives the same query. `pretty` breaks long ones.

Loki rounds sizes to one digit and `vector()` to six: where that would be another number, ours is written in full.
Source: the `String` of each node in Loki's package `logql/syntax`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.logql.quantities import write_go_duration, write_rounded_size
from holdfast.telemetry.metrics.promql.literals import format_duration, format_number
from holdfast.telemetry.metrics.promql.quoting import quote
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

GROUPS: Final = {"many-to-one": "group_left", "one-to-many": "group_right"}
_NS_OF_MS: Final = 10**6
_EXPONENTS_FROM: Final = 6
_PLAIN: Final = r"(?:\.\*)?(?:[^\\.+*?()\[\]{}|^$]|\\[^\w\s])*(?:\.\*)?"
_SIMPLE: Final = re.compile(rf"(?:{_PLAIN}|\.\+)(?:\|(?:{_PLAIN}|\.\+))*", re.DOTALL)  # Loki takes such apart


def print_query(node: nodes.Expr) -> str:
    """Write a query on one line."""
    return _QUERIES[type(node)](node)


def print_matchers(matchers: tuple[Matcher, ...]) -> str:
    """Write a selector of streams."""
    return f"{{{', '.join(map(_matcher, matchers))}}}"


def print_stage(stage: nodes.Stage) -> str:
    """Write a stage with its bar."""
    return _STAGES[type(stage)](stage)


def unwrap_parts(unwrap: nodes.Unwrap | None) -> list[str]:
    """Write `| unwrap` and the filters behind it."""
    if unwrap is None:
        return []
    label = f"{unwrap.conversion}({unwrap.label})" if unwrap.conversion else unwrap.label
    return [f"| unwrap {label}", *(f"| {_condition(one)}" for one in unwrap.conditions)]


def range_text(node: nodes.RangeAggregation) -> str:
    """Write `[5m]`."""
    return f"[{format_duration(node.range_ns // _NS_OF_MS)}]"


def literal_text(value: float) -> str:
    """Write a number as Go's `%v`: with an exponent where it is large or tiny."""
    number = Decimal(repr(value))
    exponent = number.adjusted()
    if not number.is_finite() or not number or -4 <= exponent < _EXPONENTS_FROM:
        return format_number(value)
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _selector(node: nodes.LogSelector) -> str:
    return " ".join([print_matchers(node.matchers), *map(print_stage, node.stages)])


def _range_aggregation(node: nodes.RangeAggregation) -> str:
    param = "" if node.param is None else f"{format_number(node.param)},"
    inner = " ".join([_selector(node.selector), *unwrap_parts(node.unwrap)])
    offset = f" offset {write_go_duration(node.offset_ns)}" if node.offset_ns else ""
    return f"{node.op}({param}{inner}{range_text(node)}{offset}){_grouping(node.grouping)}"


def _vector_aggregation(node: nodes.VectorAggregation) -> str:
    param = "" if node.param is None else f"{node.param},"
    return f"{node.op}{_grouping(node.grouping)}({param}{print_query(node.expr)})"


def _grouping(grouping: nodes.Grouping | None) -> str:
    if grouping is None:
        return ""
    return f" {'without' if grouping.is_without else 'by'} ({','.join(grouping.labels)})"


def _binary(node: nodes.Binary) -> str:
    op, matching = f"{node.op} bool" if node.returns_bool else node.op, node.matching
    if matching.is_on or matching.labels:
        group = GROUPS.get(matching.card, "") + (f" ({','.join(matching.include)})" if matching.include else "")
        op = f"{op} {'on' if matching.is_on else 'ignoring'} ({','.join(matching.labels)}) {group}"
    elif matching.card in GROUPS:
        include = f" ({','.join(matching.include)})" if matching.include else ""
        op = f"{op} ignoring () {GROUPS[matching.card]}{include}"  # Loki forgets it
    return f"({print_query(node.left)} {op} {print_query(node.right)})"


def _vector_of(node: nodes.VectorOf) -> str:
    rounded = f"{node.value:f}"
    return f"vector({rounded if float(rounded) == node.value else format_number(node.value)})"


def _label_replace(node: nodes.LabelReplace) -> str:
    texts = ",".join(map(quote, (node.target, node.replacement, node.source, node.pattern)))
    return f"label_replace({print_query(node.expr)},{texts})"


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.op}{quote(matcher.value)}"


def _line_filter(stage: nodes.LineFilter) -> str:
    needles = (f"ip({quote(one.value)})" if one.is_ip else quote(one.value) for one in stage.needles)
    return f"{stage.op} {' or '.join(needles)}"


def _extracting(word: str, fields: tuple[nodes.Extraction, ...]) -> str:
    said = (f"{one.label}={quote(one.path)}" for one in fields)
    return f"| {word} {','.join(said)}" if fields else f"| {word}"


def _logfmt(stage: nodes.LogfmtParser) -> str:
    flags = [name for name, is_set in (("--strict", stage.is_strict), ("--keep-empty", stage.keeps_empty)) if is_set]
    return _extracting(" ".join(["logfmt", *flags]), stage.fields)


def _label_format(stage: nodes.LabelFormat) -> str:
    said = (f"{one.label}={one.source or quote(one.template or '')}" for one in stage.assignments)
    return f"| label_format {','.join(said)}"


def _choices(word: str, choices: tuple[nodes.LabelChoice, ...]) -> str:
    said = (one.label if one.matcher is None else _matcher(one.matcher) for one in choices)
    return f"| {word} {','.join(said)}"


def _condition(condition: nodes.Condition) -> str:
    match condition:
        case nodes.TextCondition():
            return _text_condition(condition.matcher)
        case nodes.NumberCondition():
            return f"{condition.label}{condition.op}{_QUANTITIES[condition.unit](condition.value)}"
        case nodes.IpCondition():
            return f"{condition.label}{'!=' if condition.is_negative else '='}ip({quote(condition.pattern)})"
        case nodes.Both():
            return f"( {_condition(condition.left)} , {_condition(condition.right)} )"
        case nodes.Either():
            return f"( {_condition(condition.left)} or {_condition(condition.right)} )"


def _text_condition(matcher: Matcher) -> str:
    is_plain = matcher.op is not MatchOp.MATCHES or _SIMPLE.fullmatch(matcher.value) or "`" in matcher.value
    return _matcher(matcher) if is_plain else f"{matcher.label}{matcher.op}`{matcher.value}`"


_QUANTITIES: Final[dict[nodes.Unit, Callable[[float], str]]] = {
    nodes.Unit.NUMBER: format_number,
    nodes.Unit.DURATION: lambda seconds: write_go_duration(round(seconds * 1e9)),
    nodes.Unit.BYTES: lambda size: write_rounded_size(round(size)),
}
_STAGES: Final[dict[type[nodes.Node], Callable[[Any], str]]] = {
    nodes.LineFilter: _line_filter,
    nodes.JsonParser: lambda stage: _extracting("json", stage.fields),
    nodes.LogfmtParser: _logfmt,
    nodes.RegexpParser: lambda stage: f"| regexp {quote(stage.pattern)}",
    nodes.PatternParser: lambda stage: f"| pattern {quote(stage.pattern)}",
    nodes.UnpackParser: lambda _: "| unpack",
    nodes.LineFormat: lambda stage: f"| line_format {quote(stage.template)}",
    nodes.LabelFormat: _label_format,
    nodes.Decolorize: lambda _: "| decolorize",
    nodes.DropLabels: lambda stage: _choices("drop", stage.choices),
    nodes.KeepLabels: lambda stage: _choices("keep", stage.choices),
    nodes.Distinct: lambda stage: f"| distinct {', '.join(stage.labels)}",
    nodes.LabelFilter: lambda stage: f"| {_condition(stage.condition)}",
}
_QUERIES: Final[dict[type[nodes.Node], Callable[[Any], str]]] = {
    nodes.LogSelector: _selector,
    nodes.RangeAggregation: _range_aggregation,
    nodes.VectorAggregation: _vector_aggregation,
    nodes.Binary: _binary,
    nodes.Number: lambda node: literal_text(node.value),
    nodes.VectorOf: _vector_of,
    nodes.LabelReplace: _label_replace,
}
