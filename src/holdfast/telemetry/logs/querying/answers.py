"""What a LogQL query gives: lines by stream, or numbers by series; and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.telemetry.metrics.promql import Grid


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
