"""Queries as one line of text; reading it again gives the same query. `pretty` breaks long ones into lines.

Parentheses stand only where they are needed; lengths are written in their largest units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.logql.quantities import write_duration, write_size
from holdfast.telemetry.logs.logql.tokens import PRECEDENCE
from holdfast.telemetry.metrics.promql.literals import format_number
from holdfast.telemetry.metrics.promql.quoting import quote
from holdfast.telemetry.metrics.samples import Matcher

_GROUPS: Final = {"many-to-one": "group_left", "one-to-many": "group_right"}
_TIGHTEST: Final = 9


def print_query(node: nodes.Expr) -> str:
    """Write a query on one line."""
    return _QUERIES[type(node)](node)


def print_matchers(matchers: tuple[Matcher, ...]) -> str:
    """Write a selector of streams."""
    return f"{{{', '.join(map(_matcher, matchers))}}}"


def print_stage(stage: nodes.Stage) -> str:
    """Write a stage with its bar."""
    return _STAGES[type(stage)](stage)


def range_parts(node: nodes.RangeAggregation) -> list[str]:
    """Write what a range aggregation reads: the selector, then each stage."""
    parts = [print_matchers(node.selector.matchers), *map(print_stage, node.selector.stages)]
    if node.unwrap is not None:
        label = f"{node.unwrap.conversion}({node.unwrap.label})" if node.unwrap.conversion else node.unwrap.label
        parts += [f"| unwrap {label}", *(f"| {_condition(one)}" for one in node.unwrap.conditions)]
    return parts


def range_text(node: nodes.RangeAggregation) -> str:
    """Write `[5m] offset 1h`."""
    offset = f" offset {write_duration(node.offset_ns)}" if node.offset_ns else ""
    return f"[{write_duration(node.range_ns)}]{offset}"


def grouping_text(grouping: nodes.Grouping | None) -> str:
    """Write ` by (a, b)`; nothing where there is no grouping."""
    if grouping is None:
        return ""
    return f" {'without' if grouping.is_without else 'by'} ({', '.join(grouping.labels)})"


def aggregation_head(node: nodes.VectorAggregation) -> str:
    """Write `sum by (a) `, or `sum`."""
    return f"{node.op}{grouping_text(node.grouping)}{' ' if node.grouping is not None else ''}"


def replacement_text(node: nodes.LabelReplace) -> str:
    """Write the four texts of `label_replace`."""
    return ", ".join(map(_text, (node.target, node.replacement, node.source, node.pattern)))


def operator_text(node: nodes.Binary) -> str:
    """Write an operator with how its sides find each other."""
    parts, matching = [node.op], node.matching
    if node.returns_bool:
        parts.append("bool")
    if matching.is_on or matching.labels:
        parts.append(f"{'on' if matching.is_on else 'ignoring'} ({', '.join(matching.labels)})")
    if matching.card in _GROUPS:
        include = f" ({', '.join(matching.include)})" if matching.include else ""
        parts.append(_GROUPS[matching.card] + include)
    return " ".join(parts)


def needs_parentheses(node: nodes.Binary) -> tuple[bool, bool]:
    """Tell whether the left and the right side need parentheses."""
    own = PRECEDENCE[node.op]
    left, right = _tightness(node.left), _tightness(node.right)
    if node.op == "^":  # the only one that joins from the right
        return left <= own, right < own
    return left < own, right <= own


def _tightness(node: nodes.MetricExpr) -> int:
    return PRECEDENCE[node.op] if isinstance(node, nodes.Binary) else _TIGHTEST


def _range_aggregation(node: nodes.RangeAggregation) -> str:
    param = "" if node.param is None else f"{format_number(node.param)}, "
    return f"{node.op}({param}{' '.join(range_parts(node))} {range_text(node)}){grouping_text(node.grouping)}"


def _vector_aggregation(node: nodes.VectorAggregation) -> str:
    param = "" if node.param is None else f"{node.param}, "
    return f"{aggregation_head(node)}({param}{print_query(node.expr)})"


def _binary(node: nodes.Binary) -> str:
    sides = zip((node.left, node.right), needs_parentheses(node), strict=True)
    left, right = (f"({print_query(side)})" if is_needed else print_query(side) for side, is_needed in sides)
    return f"{left} {operator_text(node)} {right}"


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.op}{_text(matcher.value)}"


def _text(text: str) -> str:
    has_escapes = '"' in text or "\\" in text
    return f"`{text}`" if has_escapes and text.isprintable() and "`" not in text else quote(text)


def _line_filter(stage: nodes.LineFilter) -> str:
    needles = (f"ip({_text(one.value)})" if one.is_ip else _text(one.value) for one in stage.needles)
    return f"{stage.op} {' or '.join(needles)}"


def _extracting(word: str, fields: tuple[nodes.Extraction, ...]) -> str:
    said = (one.label if one.label == one.path else f"{one.label}={_text(one.path)}" for one in fields)
    return f"| {word} {', '.join(said)}" if fields else f"| {word}"


def _logfmt(stage: nodes.LogfmtParser) -> str:
    flags = [name for name, is_set in (("--strict", stage.is_strict), ("--keep-empty", stage.keeps_empty)) if is_set]
    return _extracting(" ".join(["logfmt", *flags]), stage.fields)


def _label_format(stage: nodes.LabelFormat) -> str:
    said = (f"{one.label}={one.source or _text(one.template or '')}" for one in stage.assignments)
    return f"| label_format {', '.join(said)}"


def _choices(word: str, choices: tuple[nodes.LabelChoice, ...]) -> str:
    said = (one.label if one.matcher is None else _matcher(one.matcher) for one in choices)
    return f"| {word} {', '.join(said)}"


def _condition(condition: nodes.Condition) -> str:
    match condition:
        case nodes.TextCondition():
            return _matcher(condition.matcher)
        case nodes.NumberCondition():
            return f"{condition.label} {condition.op} {_QUANTITIES[condition.unit](condition.value)}"
        case nodes.IpCondition():
            return f"{condition.label} {'!=' if condition.is_negative else '='} ip({_text(condition.pattern)})"
        case nodes.Both():
            left, right = _condition(condition.left), _condition(condition.right)
            left = f"({left})" if isinstance(condition.left, nodes.Either) else left
            return f"{left} and {right if _is_single(condition.right) else f'({right})'}"
        case nodes.Either():
            right = _condition(condition.right)
            is_either = isinstance(condition.right, nodes.Either)
            return f"{_condition(condition.left)} or {f'({right})' if is_either else right}"


def _is_single(condition: nodes.Condition) -> bool:
    return not isinstance(condition, nodes.Both | nodes.Either)


_QUANTITIES: Final[dict[nodes.Unit, Callable[[float], str]]] = {
    nodes.Unit.NUMBER: format_number,
    nodes.Unit.DURATION: lambda seconds: write_duration(round(seconds * 1e9)),
    nodes.Unit.BYTES: lambda size: write_size(round(size)),
}
_STAGES: Final[dict[type[nodes.Node], Callable[[Any], str]]] = {
    nodes.LineFilter: _line_filter,
    nodes.JsonParser: lambda stage: _extracting("json", stage.fields),
    nodes.LogfmtParser: _logfmt,
    nodes.RegexpParser: lambda stage: f"| regexp {_text(stage.pattern)}",
    nodes.PatternParser: lambda stage: f"| pattern {_text(stage.pattern)}",
    nodes.UnpackParser: lambda _: "| unpack",
    nodes.LineFormat: lambda stage: f"| line_format {_text(stage.template)}",
    nodes.LabelFormat: _label_format,
    nodes.Decolorize: lambda _: "| decolorize",
    nodes.DropLabels: lambda stage: _choices("drop", stage.choices),
    nodes.KeepLabels: lambda stage: _choices("keep", stage.choices),
    nodes.Distinct: lambda stage: f"| distinct {', '.join(stage.labels)}",
    nodes.LabelFilter: lambda stage: f"| {_condition(stage.condition)}",
}
_QUERIES: Final[dict[type[nodes.Node], Callable[[Any], str]]] = {
    nodes.LogSelector: lambda node: " ".join([print_matchers(node.matchers), *map(print_stage, node.stages)]),
    nodes.RangeAggregation: _range_aggregation,
    nodes.VectorAggregation: _vector_aggregation,
    nodes.Binary: _binary,
    nodes.Number: lambda node: format_number(node.value),
    nodes.VectorOf: lambda node: f"vector({format_number(node.value)})",
    nodes.LabelReplace: lambda node: f"label_replace({print_query(node.expr)}, {replacement_text(node)})",
}
