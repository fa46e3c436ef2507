"""Findings as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from holdfast.telemetry.correlate.findings import EvidenceKind, Lane, PartState
from holdfast.telemetry.correlate.movement import Direction

if TYPE_CHECKING:
    from holdfast.telemetry.correlate.findings import Finding, Report


@dataclass(frozen=True, slots=True)
class EvidenceOut:
    """Where a finding is seen: a query with its time; of an event its sequence number."""

    kind: EvidenceKind
    query: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class FindingOut:
    """One thing that moved or happened.

    Attributes:
        id: the same for the same thing seen again.
        until: the end as far as the window shows.
        sure: the probability that it is no chance, from 0 to 1.
        rank: from 0 to 1.
        others: how many more series of the same metric moved.
        curve: a value per step, from the time before to the end of the window.
    """

    id: str
    lane: Lane
    service: str
    title: str
    moved_at: datetime
    until: datetime
    direction: Direction
    sure: float
    rank: float
    reason: str
    unit: str
    before: float | None
    now: float | None
    last_week: float | None
    is_usual: bool
    others: int
    evidence: EvidenceOut
    curve: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class PartOut:
    """What was looked at in a lane, and why it is not whole if it is not."""

    lane: Lane
    state: PartState
    looked_at: int
    found: int
    message: str


@dataclass(frozen=True, slots=True)
class OwnerOut:
    """Who answers for the service, by the catalog; null fields where it does not know the service."""

    title: str
    owner: str | None
    tier: str


@dataclass(frozen=True, slots=True)
class AroundOut:
    """Everything that moved around a moment, ranked.

    Attributes:
        at: the moment; the window is [start, end), and it is compared with [before, start) and with last week's.
        left_out: findings beyond the limit.
    """

    service: str
    owner: OwnerOut | None
    at: datetime
    start: datetime
    end: datetime
    before: datetime
    step_s: int
    neighbours: Sequence[str]
    findings: Sequence[FindingOut]
    left_out: int
    parts: Sequence[PartOut]
    is_partial: bool


def show_report(report: Report, owner: OwnerOut | None) -> AroundOut:
    """Give a report as the API shows it."""
    moment = report.moment
    return AroundOut(
        report.service,
        owner,
        moment.at,
        moment.start,
        moment.end,
        moment.before,
        moment.step_s,
        report.neighbours,
        [_show(each) for each in report.findings],
        report.left_out,
        [PartOut(part.lane, part.state, part.looked_at, len(part.findings), part.message) for part in report.parts],
        any(part.state is not PartState.WHOLE for part in report.parts),
    )


def _show(each: Finding) -> FindingOut:
    evidence = each.evidence
    return FindingOut(
        f"{each.lane}:{each.title}:{int(each.moved_at.timestamp())}",
        each.lane,
        each.service,
        each.title,
        each.moved_at,
        each.until,
        each.direction,
        each.sure,
        each.rank,
        each.reason,
        each.unit,
        each.before,
        each.now,
        each.last_week,
        each.is_usual,
        each.others,
        EvidenceOut(evidence.kind, evidence.query, evidence.start, evidence.end),
        each.curve,
    )
