"""What is found around a moment: one thing that moved or happened, with its time, its size and where it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from holdfast.telemetry.correlate.moment import Moment
from holdfast.telemetry.correlate.movement import Direction


class Lane(StrEnum):
    """Where something was seen."""

    EVENTS = "events"
    CHECKS = "checks"
    OPERATIONS = "operations"
    LOGS = "logs"
    PATTERNS = "patterns"
    METRICS = "metrics"
    NEIGHBOURS = "neighbours"


class EvidenceKind(StrEnum):
    """In which language a piece of evidence is asked for."""

    PROMQL = "promql"
    LOGQL = "logql"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where it is seen: a query with its time, or the number of an event."""

    kind: EvidenceKind
    query: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that moved or happened.

    Attributes:
        moved_at: when it began.
        until: when it ended, as far as the window shows; the same as `moved_at` for what has no length.
        before, now, last_week: levels in `unit`; None where there is none.
        sure: from 0 to 1.
        rank: by which findings are ordered, from 0 to 1.
        reason: one sentence.
        is_usual: the same happened last week.
        others: how many more of the same kind moved and are not listed.
        curve: values at the steps from the time before to the end of the window, None where there is none.
    """

    lane: Lane
    service: str
    title: str
    moved_at: datetime
    until: datetime
    direction: Direction
    sure: float
    rank: float
    reason: str
    evidence: Evidence
    unit: str = ""
    before: float | None = None
    now: float | None = None
    last_week: float | None = None
    is_usual: bool = False
    others: int = 0
    curve: Sequence[float | None] = ()


class PartState(StrEnum):
    """How far a part of the answer came."""

    WHOLE = "whole"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(slots=True)
class Part:
    """One part of the answer as it is gathered: what it looked at and found, and why it is not whole."""

    lane: Lane
    looked_at: int = 0
    state: PartState = PartState.WHOLE
    message: str = ""
    findings: list[Finding] = field(default_factory=list)

    def cut(self, message: str) -> None:
        """Tell that something was left out."""
        if self.state is PartState.WHOLE:
            self.state = PartState.PARTIAL
        if message not in self.message:
            self.message = f"{self.message}; {message}" if self.message else message


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that moved around a moment, the likeliest cause first."""

    service: str
    moment: Moment
    neighbours: Sequence[str]
    findings: Sequence[Finding]
    left_out: int
    parts: Sequence[Part]
