"""What a cell may hold: a note, a graph, a search, a line, a trace, or something that moved around a moment.

The content is what was asked and may be changed; the evidence is what was seen then, and outlives the signals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.errors import InvalidError, Place

MOST_TEXT: Final = 64 * 1024
LONGEST: Final = timedelta(days=400)
_YEARS: Final = range(1971, 2201)

Text = Annotated[str, Field(max_length=MOST_TEXT)]
Short = Annotated[str, Field(max_length=500)]
Query = Annotated[str, Field(min_length=1, max_length=16_384)]
Labels = Annotated[dict[Short, Annotated[str, Field(max_length=16_384)]], Field(max_length=200)]


class CellKind(StrEnum):
    """What a cell shows."""

    NOTE = "note"
    METRICS = "metrics"
    LOGS = "logs"
    LINE = "line"
    TRACE = "trace"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class LineContent:
    """One line of a log, as it was shown; `ns` is its time in nanoseconds of Unix time, as text."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    ns: Annotated[str, Field(pattern="^[0-9]{1,19}$")]
    text: Text
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FindingContent:
    """Something that moved around a moment, as `/around` told it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    service: Short
    lane: Short
    reason: Annotated[str, Field(max_length=2000)]
    moved_at: datetime
    sure: Annotated[float, Field(ge=0, le=1)] = 1.0
    language: Annotated[str, Field(pattern="^(promql|logql|event)$")] = "event"
    curve: Annotated[list[float | None], Field(max_length=500)] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Content:
    """What a cell holds; which fields count follows from its kind.

    Attributes:
        title: of the cell; empty for one made of the rest.
        text: of a note, in Markdown; of others a remark below.
        queries: in PromQL, of `metrics`; one in LogQL, of `logs`; of `finding` the query that shows it.
        start, end: the time of `metrics`, `logs` and `finding`.
        trace_id, span_id: of `trace`.
        line: of `line`.
        finding: of `finding`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    title: Short = ""
    text: Text = ""
    queries: Annotated[list[Query], Field(max_length=26)] = field(default_factory=list)
    start: datetime | None = None
    end: datetime | None = None
    trace_id: Annotated[str, Field(pattern="^([0-9a-fA-F]{1,32})?$")] = ""
    span_id: Annotated[str, Field(pattern="^([0-9a-fA-F]{16})?$")] = ""
    line: LineContent | None = None
    finding: FindingContent | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen when the cell was made.

    Attributes:
        taken_at: when.
        data: as the kind has it; empty for a note.
        problem: why there is none, if there is none.
    """

    taken_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell; `version` counts its changes from 1, a move is none."""

    id: str
    kind: CellKind
    content: Content
    evidence: Evidence
    version: int
    made_at: datetime
    made_by: str
    updated_at: datetime
    updated_by: str


_NEEDED: Final[Mapping[CellKind, Sequence[str]]] = {
    CellKind.NOTE: (),
    CellKind.METRICS: ("queries", "start", "end"),
    CellKind.LOGS: ("queries", "start", "end"),
    CellKind.LINE: ("line",),
    CellKind.TRACE: ("trace_id",),
    CellKind.FINDING: ("finding",),
}


def check_content(kind: CellKind, content: Content) -> None:
    """Raise InvalidError where something is missing that the kind needs, or its time makes no sense."""
    for name in _NEEDED[kind]:
        if not getattr(content, name):
            hint = f"it needs {', '.join(_NEEDED[kind])}"
            raise InvalidError(f"a cell of kind {kind} needs {name}", hint=hint, place=_place(name))
    if kind is CellKind.LOGS and len(content.queries) > 1:
        raise InvalidError("a cell of kind logs has one query", hint="make a cell for each", place=_place("queries"))
    start, end = content.start, content.end
    if (start is None) is not (end is None):
        missing = "start" if start is None else "end"
        raise InvalidError("start and end come together", hint=f"write {missing}, too", place=_place(missing))
    if start is not None and end is not None:
        start, end = aware(start), aware(end)
        if not timedelta() < end - start <= LONGEST or start.year not in _YEARS or end.year not in _YEARS:
            hint = f"at most 400 days, {_YEARS.start} to {_YEARS.stop - 1}"
            raise InvalidError("end is not after start, or too long after it", hint=hint, place=_place("end"))
    if content.finding is not None and content.finding.moved_at.year not in _YEARS:
        hint = f"a year from {_YEARS.start} to {_YEARS.stop - 1}"
        raise InvalidError("nothing moved then", hint=hint, place=_place("finding.moved_at"))


def _place(name: str) -> Place:
    return Place(field=f"content.{name}")


def aware(at: datetime) -> datetime:
    """Give a time with its zone; UTC where it has none."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
