"""Which range aggregations the store's engine can parse lines for, and what it has to take out of them.

The labels that count must be asked for by name, and the operation be one that can be put together from what was
counted. Parsers of the stored line are the engine's; what stands between them, and all that is behind a `line_format`,
is done once for each combination of labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.extraction import Extraction, Form, Moment, Reading
from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.pipeline import captures_of, groups_of, parse_path
from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, SUFFIX
from holdfast.telemetry.logs.querying.needs import labels_needed
from holdfast.telemetry.logs.querying.pushing import split

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
        "absent_over_time",
    }
)
_MOMENTS: Final = {"first_over_time": Moment.FIRST, "last_over_time": Moment.LAST}
_OF_LABELS: Final = (nodes.LabelFilter, nodes.LabelFormat, nodes.DropLabels, nodes.KeepLabels)
_OF_TIMES: Final = ("__timestamp__", "now")
_MOST_FIELDS: Final = 8
_PLAIN_KEY: Final = re.compile("[a-zA-Z0-9_. -]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a pipeline: what the engine has read by a parser, if it begins with one, and the stages behind it.

    `is_formatted` if they make a new line, which is always the last of them but for the last part.
    """

    reading: Reading | None
    stages: tuple[nodes.Stage, ...]
    is_formatted: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine filters, what it takes out of lines, and what becomes of that."""

    split: Split
    extraction: Extraction
    parts: tuple[Part, ...]

    @property
    def is_formatted(self) -> bool:
        """Whether the line that is counted is another than the one that was stored."""
        return any(part.is_formatted for part in self.parts)


def plan(node: nodes.RangeAggregation) -> Plan | None:
    """Give how the engine can do it; None if it cannot."""
    needed = labels_needed(node)
    found = split(node.selector.stages)
    if node.op not in PUT_TOGETHER or not needed or not found.rest or len(needed) > _MOST_FIELDS:
        return None
    names = tuple(sorted(needed - {ERROR, DETAILS}))
    if any(name.endswith(SUFFIX) or name.startswith("__") or not name.isascii() for name in names):
        return None
    try:
        parts = _parts(found.rest, names)
    except ValueError:  # what is wrong with a parser is said where lines are read
        return None
    if parts is None:
        return None
    readings = tuple(part.reading for part in parts if part.reading is not None)
    return Plan(found, Extraction(readings, names, _MOMENTS.get(node.op, Moment.STEP)), tuple(parts))


def _parts(stages: Sequence[nodes.Stage], names: tuple[str, ...]) -> list[Part] | None:
    """Cut a pipeline before each parser of the stored line and behind what makes a new line; None if that cannot be."""
    parts, reading, own = list[Part](), None, list[nodes.Stage]()
    for place, stage in enumerate(stages):
        if isinstance(stage, nodes.LineFormat):
            rest = tuple(stages[place + 1 :])
            if _names_any(stage, ("__line__", *_OF_TIMES)) or not all(map(_is_free_of_time, rest)):
                return None
            return [*parts, Part(reading, (*own, stage), is_formatted=True), Part(None, rest)]
        if isinstance(stage, _OF_LABELS):
            if _names_any(stage, ("__line__", *_OF_TIMES)):
                return None
            own.append(stage)
            continue
        parts.append(Part(reading, tuple(own)))
        reading, own = _reading(stage, names), []
        if reading is None:
            return None
    return [*parts, Part(reading, tuple(own))]


def _is_free_of_time(stage: nodes.Stage) -> bool:
    """Tell whether a stage gives the same for all lines that are the same."""
    return not isinstance(stage, nodes.Distinct) and not _names_any(stage, _OF_TIMES)


def _names_any(stage: nodes.Stage, words: tuple[str, ...]) -> bool:
    match stage:
        case nodes.LineFormat():
            templates = [stage.template]
        case nodes.LabelFormat():
            templates = [one.template or "" for one in stage.assignments]
        case _:
            return False
    return any(word in template for template in templates for word in words)


def _reading(parser: nodes.Stage, names: tuple[str, ...]) -> Reading | None:
    match parser:
        case nodes.JsonParser(fields=()):
            return None if any(_is_numbered(name) for name in names) else Reading(Form.JSON, names)
        case nodes.JsonParser():
            return _paths(parser, names)
        case nodes.LogfmtParser(fields=(), is_strict=False, keeps_empty=False):
            return None if any(_is_numbered(name) for name in names) else Reading(Form.LOGFMT, names)
        case nodes.RegexpParser():
            groups = groups_of(parser)
            fields = tuple(name for name in names if name in groups)
            places = tuple(groups[name] for name in fields)
            return Reading(Form.GROUPS, fields, expression=parser.pattern, places=places)
        case nodes.PatternParser():
            literals, captures = captures_of(parser)
            fields = tuple(name for name in names if name in captures)
            places = tuple(captures.index(name) for name in fields)
            return Reading(Form.PIECES, fields, places=places, literals=literals)
        case _:
            return None


def _paths(parser: nodes.JsonParser, names: tuple[str, ...]) -> Reading | None:
    wanted = [(one.label, parse_path(one.path)) for one in parser.fields if one.label in names]
    keys = [part for _, path in wanted for part in path if isinstance(part, str)]
    if len(wanted) > _MOST_FIELDS or not all(map(_PLAIN_KEY.fullmatch, keys)):
        return None
    return Reading(Form.PATHS, tuple(label for label, _ in wanted), paths=tuple(path for _, path in wanted))


def _is_numbered(name: str) -> bool:
    """Tell whether a name may come from a key that begins with a digit, which is cleaned by a `_` before it."""
    return name.startswith("_")
