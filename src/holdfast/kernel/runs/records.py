"""What is written into the journal: small records that one entry carries together, so that they commit together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.kernel.events import NewEvent
from holdfast.kernel.runs.model import RunId, RunState, StepKind, StepState


@dataclass(slots=True)
class NewRun:
    """A run to be inserted. With an owner it is running here at once, without one it waits in its queue.

    `events` are told if, and only if, this makes the run.
    """

    id: RunId
    tenant: str
    workflow: str
    version: int
    fingerprint: str
    queue: str
    priority: int
    concurrency_key: str | None
    dedupe_key: str | None
    input: str | None
    is_dry_run: bool
    actor: str
    service: str | None
    parent_id: RunId | None
    parent_key: str | None
    on_cancel: str | None
    created_at: datetime
    wake_at: datetime | None
    deadline: datetime | None
    owner: str | None = None
    rank: int = 0
    schedule: str | None = None
    singleton_key: str | None = None
    debounce_key: str | None = None
    debounce_s: float = 0.0
    events: tuple[NewEvent, ...] = ()


@dataclass(slots=True)
class Step:
    """A step as the run remembers it, and as its row is written."""

    key: str
    name: str
    parent: str
    kind: StepKind
    state: StepState
    position: int
    attempt_group: int
    started_at: datetime
    attempts: int = 1
    finished_at: datetime | None = None
    wake_at: datetime | None = None
    result: str | None = None
    error: str | None = None
    child: RunId | None = None
    actor: str | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether the step has an outcome."""
        return self.state not in {StepState.RUNNING, StepState.WAITING}


@dataclass(slots=True)
class Mark:
    """Where the run stands from now on: written over its row."""

    state: RunState
    owner: str | None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    wake_at: datetime | None = None
    waits: str | None = None
    result: str | None = None
    error: str | None = None
    published: str | None = None


@dataclass(slots=True)
class Attempt:
    """An attempt of a step that failed and is followed by another."""

    key: str
    attempt_group: int
    attempt: int
    state: StepState
    started_at: datetime
    finished_at: datetime
    error: str | None


@dataclass(slots=True)
class Taking:
    """A signal that a step has taken, or that was refused for its payload."""

    signal_id: str
    step: str
    refused: str | None = None


@dataclass(slots=True)
class Line:
    """A line of the run's log."""

    seq: int
    at: datetime
    step: str
    stream: str
    text: str
    fields: str | None = None


@dataclass(slots=True)
class Batch:
    """Entries that commit together, and who waits for that."""

    entries: list[Entry] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    is_settled: bool = False

    def settle(self) -> None:
        """Answer all who wait."""
        self.is_settled = True
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


@dataclass(slots=True)
class Entry:
    """One write of one run: all of it commits, or none.

    Attributes:
        start: a run to be inserted; such an entry is not fenced, unless it is a child's and has an epoch.
        parent_id: the run that awaits this one's end and must be woken by it.
        is_refused: set by the writer: the run belongs to somebody else, nothing was written.
        existing: set by the writer: the run that already has the key of `start`.
        fault: set by the writer: the database does not take this entry.
    """

    run_id: RunId
    epoch: int
    start: NewRun | None = None
    step: Step | None = None
    mark: Mark | None = None
    attempt: Attempt | None = None
    taking: Taking | None = None
    lines: tuple[Line, ...] = ()
    events: tuple[NewEvent, ...] = ()
    parent_id: RunId | None = None
    is_refused: bool = False
    existing: RunId | None = None
    fault: BaseException | None = None
    batch: Batch | None = None
