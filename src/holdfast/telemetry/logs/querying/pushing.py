"""What of a pipeline the store's engine can do, so that lines that would be dropped are never read.

A line filter goes down as long as no stage before it has changed the line; a condition on structured metadata that has
a column of its own, as long as no stage before it could have made a label. All else stays for the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from holdfast.telemetry.logs import selection
from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.querying.hinting import hints_of
from holdfast.telemetry.logs.records import DETECTED_LEVEL
from holdfast.telemetry.metrics.samples import Matcher

_CHANGES_LINE: Final = (nodes.LineFormat, nodes.Decolorize, nodes.UnpackParser)
_KEEPS_LABELS: Final = (nodes.LineFilter, nodes.LabelFilter, nodes.Decolorize, nodes.LineFormat)
_FIELDS: Final = frozenset({DETECTED_LEVEL, "trace_id", "span_id"})
_OPS: Final = {
    nodes.LineOp.CONTAINS: selection.LineOp.CONTAINS,
    nodes.LineOp.CONTAINS_NOT: selection.LineOp.NOT_CONTAINS,
    nodes.LineOp.MATCHES: selection.LineOp.MATCHES,
    nodes.LineOp.MATCHES_NOT: selection.LineOp.NOT_MATCHES,
}


@dataclass(frozen=True, slots=True)
class Split:
    """A pipeline in two: what the engine does, and the stages that are left."""

    lines: tuple[selection.LineFilter, ...]
    fields: tuple[Matcher, ...]
    rest: tuple[nodes.Stage, ...]
    hints: tuple[selection.Hint, ...] = ()


def split(stages: Sequence[nodes.Stage]) -> Split:
    """Take from a pipeline what the engine can do."""
    lines: list[selection.LineFilter] = []
    fields: list[Matcher] = []
    rest: list[nodes.Stage] = []
    is_line_whole, are_labels_whole = True, True
    for stage in stages:
        if isinstance(stage, nodes.LineFilter) and is_line_whole and _is_plain(stage):
            lines.append(selection.LineFilter(_OPS[stage.op], tuple(needle.value for needle in stage.needles)))
            continue
        if isinstance(stage, nodes.LabelFilter) and are_labels_whole and (found := _matchers(stage.condition)):
            fields += found
            continue
        is_line_whole = is_line_whole and not isinstance(stage, _CHANGES_LINE)
        are_labels_whole = are_labels_whole and isinstance(stage, _KEEPS_LABELS)
        rest.append(stage)
    return Split(tuple(lines), tuple(fields), tuple(rest), hints_of(rest))


def _is_plain(stage: nodes.LineFilter) -> bool:
    return stage.op in _OPS and not any(needle.is_ip for needle in stage.needles)


def _matchers(condition: nodes.Condition) -> list[Matcher]:
    """Give the matchers that all must hold; none if the condition is more than that."""
    if isinstance(condition, nodes.TextCondition) and condition.matcher.label in _FIELDS:
        return [condition.matcher]
    if isinstance(condition, nodes.Both):
        left, right = _matchers(condition.left), _matchers(condition.right)
        return [*left, *right] if left and right else []
    return []
