"""Which labels a range aggregation needs, so that parsers take only these, or are not run at all.

As in Loki: what groups around it (`sum by (level) (...)`) is handed down where the outcome is the same, and a sum of
everything that looks at no label does not parse, so that lines which cannot be parsed are counted too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.pipeline.entries import ERROR
from holdfast.telemetry.metrics.matching import question_of

_ADDED: Final = frozenset({"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"})
_HANDED_DOWN: Final = {
    "sum": _ADDED,
    "max": frozenset({"max_over_time"}),
    "min": frozenset({"min_over_time"}),
}
_PARSERS: Final = (
    nodes.JsonParser,
    nodes.LogfmtParser,
    nodes.RegexpParser,
    nodes.PatternParser,
)
_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`', re.DOTALL)
_HARD: Final = re.compile(r"""["`$]""")  # a variable, or a quoted text that holds the end of an action
_FIELD: Final = re.compile(r"(?<![\w.)\]])\.(?P<name>\w*)")


def handed_down(node: nodes.VectorAggregation) -> nodes.RangeAggregation | None:
    """Give the range aggregation that does the work of the aggregation around it too; None if none can."""
    inner = node.expr
    if not isinstance(inner, nodes.RangeAggregation) or inner.grouping is not None:
        return None
    if inner.op not in _HANDED_DOWN.get(node.op, ()):
        return None
    return replace(inner, grouping=replace(node.grouping or nodes.Grouping(()), is_outer=True))


def trimmed(node: nodes.RangeAggregation) -> nodes.RangeAggregation:
    """Give the same without parsers whose labels nobody looks at."""
    if labels_needed(node) != frozenset():
        return node
    selector = node.selector
    stages = tuple(stage for stage in selector.stages if not isinstance(stage, _PARSERS))
    return replace(node, selector=replace(selector, stages=stages))


def labels_needed(node: nodes.RangeAggregation) -> frozenset[str] | None:
    """Give the names of the labels that decide the outcome; None for all."""
    grouping = nodes.Grouping(()) if node.op == "absent_over_time" else node.grouping
    kept = _kept_at_last(node.selector.stages)
    if grouping is None or grouping.is_without:
        if not kept:
            return None
        needed = kept
    else:
        needed = set(grouping.labels)
    if node.unwrap is not None:
        needed.add(node.unwrap.label)
        for condition in node.unwrap.conditions:
            needed.update(_labels_of(condition))
    found = _needed_by(node.selector.stages)
    return None if found is None else frozenset(needed | found)


def _kept_at_last(stages: Sequence[nodes.Stage]) -> set[str]:
    """Give the labels of a `keep` behind which no parser stands."""
    kept: set[str] = set()
    for stage in stages:
        if isinstance(stage, nodes.KeepLabels):
            kept = {one.label for one in stage.choices}
        elif isinstance(stage, (*_PARSERS, nodes.UnpackParser)):
            kept = set()
    return kept


def _needed_by(stages: Sequence[nodes.Stage]) -> set[str] | None:
    needed: set[str] = set()
    for stage in stages:
        names = _needed_by_one(stage)
        if names is None:
            return None
        needed |= names
    return needed


def _needed_by_one(stage: nodes.Stage) -> set[str] | None:
    match stage:
        case nodes.LabelFilter():
            return set(_labels_of(stage.condition))
        case nodes.LineFormat():
            return _fields_of(stage.template)
        case nodes.LabelFormat():
            named = [_fields_of(one.template) if one.template else {one.source or ""} for one in stage.assignments]
            return None if None in named else {name for names in named for name in names or ()}
        case nodes.DropLabels() | nodes.KeepLabels():
            return {one.label for one in stage.choices if one.matcher is not None}
        case nodes.Distinct():
            return set(stage.labels)
        case _:
            return set()


def questions_of_errors(node: nodes.RangeAggregation) -> list[Callable[[str], bool]]:
    """Give what filters ask of `__error__`; an error that one of them lets pass is meant to be counted."""
    conditions = [stage.condition for stage in node.selector.stages if isinstance(stage, nodes.LabelFilter)]
    conditions += node.unwrap.conditions if node.unwrap else ()
    leaves = [leaf for condition in conditions for leaf in _leaves_of(condition)]
    texts = [leaf.matcher for leaf in leaves if isinstance(leaf, nodes.TextCondition)]
    return [question_of(matcher) for matcher in texts if matcher.label == ERROR]


def _labels_of(condition: nodes.Condition) -> Iterator[str]:
    for leaf in _leaves_of(condition):
        yield leaf.matcher.label if isinstance(leaf, nodes.TextCondition) else leaf.label


def _leaves_of(condition: nodes.Condition) -> Iterator[nodes.TextCondition | nodes.NumberCondition | nodes.IpCondition]:
    if isinstance(condition, nodes.Both | nodes.Either):
        yield from _leaves_of(condition.left)
        yield from _leaves_of(condition.right)
    else:
        yield condition


def _fields_of(template: str) -> set[str] | None:
    """Give the labels that a template names; None if it may look at all of them."""
    names: set[str] = set()
    for action in _ACTION.finditer(template):
        bare = _TEXT.sub(" ", action[0])
        if "template" in bare or _HARD.search(bare):
            return None
        for field in _FIELD.finditer(bare):
            if not field["name"]:
                return None
            names.add(field["name"])
    return names
