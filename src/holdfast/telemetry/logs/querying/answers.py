"""What a LogQL query gives: lines by stream, or numbers by series; and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from holdfast.telemetry.metrics.promql import Grid

if TYPE_CHECKING:
    from holdfast.telemetry.logs.pipeline import Entry


class Line(NamedTuple):
    """One line of an answer; `metadata` and `parsed` are the labels that are not the stream's own."""

    ts_ns: int
    text: str
    metadata: Mapping[str, str]
    parsed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LineStream:
    """Lines with the same labels, in the order of the query's direction; `origin` are those of the stream alone."""

    labels: Mapping[str, str]
    origin: Mapping[str, str]
    lines: Sequence[Line]


def gather(entries: Iterable[Entry]) -> list[LineStream]:
    """Give entries as streams, those with the same labels together, each in the order in which they came."""
    streams: dict[tuple[tuple[str, str], ...], LineStream] = {}
    found: dict[tuple[tuple[str, str], ...], list[Line]] = {}
    for entry in entries:
        labels = entry.labels()
        key = tuple(sorted(labels.items()))
        origin, metadata, parsed = entry.by_origin()
        if key not in streams:
            found[key] = []
            streams[key] = LineStream(labels, origin, found[key])
        found[key].append(Line(entry.ts_ns, entry.line, metadata, parsed))
    return [streams[key] for key in sorted(streams)]


@dataclass(slots=True)
class QueryCost:
    """What a query has read: lines and bytes of them, and seconds."""

    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LinesAnswer:
    """The answer to a query for lines."""

    streams: Sequence[LineStream]
    cost: QueryCost = field(default_factory=QueryCost)


@dataclass(frozen=True, slots=True)
class NumbersAnswer:
    """The answer to a metric query: S series at T moments; `is_scalar` for a bare number."""

    times_ns: Sequence[int]
    grid: Grid
    is_scalar: bool = False
    cost: QueryCost = field(default_factory=QueryCost)
