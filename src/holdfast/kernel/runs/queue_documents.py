"""What the API says about queues and schedules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.kernel.runs.queues import QueueState


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDocument:
    """A queue: its limits, what waits in it, and whether it lets runs through.

    Attributes:
        state: `open`, `paused` (nothing starts) or `draining` (what waits may start, new runs are refused).
        is_known: whether the process that answers has its limits.
        concurrency: runs at once in all processes; null for no limit.
        per_worker: runs at once in each process.
        per_key: runs at once with the same concurrency key.
        rate: starts per time, such as `10/1m`.
        queued: runs that wait and are due.
        delayed: runs that are not due yet.
        running: runs that are executed now.
        oldest_wait_s: how long the longest-waiting due run has waited.
    """

    name: str
    state: QueueState
    is_known: bool
    changed_by: str | None
    changed_at: datetime | None
    concurrency: int | None
    per_worker: int | None
    per_key: int | None
    rate: str | None
    queued: int
    delayed: int
    running: int
    oldest_wait_s: float | None


@dataclass(frozen=True, slots=True)
class QueueList:
    """All queues by name."""

    items: list[QueueDocument]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDocument:
    """A schedule: when it starts which workflow.

    Attributes:
        kind: `cron`, `interval` or `once`.
        rule: the cron expression, the interval or the moment, as it was declared.
        zone: the IANA time zone of a cron expression.
        catch_up: what happens with times that passed while nothing ran.
        overlap: what happens when the run before has not finished.
        next_at: when it starts next; null when paused or over.
        upcoming: its next five times.
        last_run_id: the run that it started last.
        last_outcome: how its last time ended: `started`, or why not.
        is_known: whether the process that answers has its definition.
    """

    name: str
    workflow: str
    kind: str
    rule: str
    zone: str | None
    catch_up: str
    overlap: str
    jitter_s: float
    is_paused: bool
    changed_by: str | None
    changed_at: datetime | None
    next_at: datetime | None
    upcoming: list[datetime]
    last_at: datetime | None
    last_run_id: str | None
    last_outcome: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class ScheduleList:
    """All schedules by name."""

    items: list[ScheduleDocument]
    next: str | None
