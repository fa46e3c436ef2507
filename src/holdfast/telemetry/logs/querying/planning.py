"""Which range aggregations the store's engine can parse lines for, and what it has to take out of them.

There must be one parser whose labels are asked for by name, with nothing behind it that looks at the line again, and an
operation that can be put together from shorter steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.extraction import Extraction, Form
from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.pipeline import captures_of, groups_of
from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, SUFFIX
from holdfast.telemetry.logs.querying.needs import labels_needed
from holdfast.telemetry.logs.querying.pushing import split

if TYPE_CHECKING:
    from holdfast.telemetry.logs.querying.pushing import Split

PUT_TOGETHER: Final = frozenset(
    {
        "count_over_time",
        "rate",
        "bytes_over_time",
        "bytes_rate",
        "sum_over_time",
        "avg_over_time",
        "max_over_time",
        "min_over_time",
    }
)
_OF_LABELS: Final = (nodes.LabelFilter, nodes.LabelFormat, nodes.DropLabels, nodes.KeepLabels)
_OF_LINES: Final = ("__line__", "__timestamp__", "now")
_MOST_FIELDS: Final = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine takes out of lines, what it filters before that, and the stages behind the parser."""

    parts: Split
    extraction: Extraction
    behind: tuple[nodes.Stage, ...]


def plan(node: nodes.RangeAggregation) -> Plan | None:
    """Give how the engine can do it; None if it cannot."""
    needed = labels_needed(node)
    parts = split(node.selector.stages)
    if node.op not in PUT_TOGETHER or not needed or not parts.rest or len(needed) > _MOST_FIELDS:
        return None
    parser, behind = parts.rest[0], parts.rest[1:]
    wanted = needed - {ERROR, DETAILS}
    if any(name.endswith(SUFFIX) or name.startswith("__") or not name.isascii() for name in wanted):
        return None
    if not all(isinstance(stage, _OF_LABELS) and not _sees_lines(stage) for stage in behind):
        return None
    extraction = _extraction(parser, tuple(sorted(wanted)))
    return None if extraction is None else Plan(parts, extraction, behind)


def _sees_lines(stage: nodes.Stage) -> bool:
    if not isinstance(stage, nodes.LabelFormat):
        return False
    return any(word in (one.template or "") for one in stage.assignments for word in _OF_LINES)


def _extraction(parser: nodes.Stage, names: tuple[str, ...]) -> Extraction | None:
    match parser:
        case nodes.JsonParser(fields=()):
            return None if any(_is_numbered(name) for name in names) else Extraction(Form.JSON, names, names)
        case nodes.LogfmtParser(fields=(), is_strict=False, keeps_empty=False):
            return None if any(_is_numbered(name) for name in names) else Extraction(Form.LOGFMT, names, names)
        case nodes.RegexpParser():
            groups = groups_of(parser)
            fields = tuple(name for name in names if name in groups)
            places = tuple(groups[name] for name in fields)
            return Extraction(Form.GROUPS, fields, names, expression=parser.pattern, places=places)
        case nodes.PatternParser():
            literals, captures = captures_of(parser)
            fields = tuple(name for name in names if name in captures)
            places = tuple(captures.index(name) for name in fields)
            return Extraction(Form.PIECES, fields, names, places=places, literals=literals)
        case _:
            return None


def _is_numbered(name: str) -> bool:
    """Tell whether a name may come from a key that begins with a digit, which is cleaned by a `_` before it."""
    return name.startswith("_")
