"""What the API says about runs and their steps, as the console's types are generated from it.

Times are UTC, durations seconds. Queues and schedules have documents of their own, request bodies stand in `bodies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.kernel.runs.model import RunState, StepKind, StepState


@dataclass(frozen=True, slots=True)
class PayloadDocument:
    """A JSON value as far as a page shows it; one over 16 KiB is cut, and `preview` has the first part of its text.

    One so large that it lies in a blob has no preview either.
    """

    value: Any
    size_bytes: int
    is_cut: bool
    preview: str


@dataclass(frozen=True, slots=True)
class FailureDocument:
    """What went wrong: the error's type and words, and the last part of its traceback.

    `is_in_doubt` says that the process died or was stopped meanwhile: whether it took effect is not known.
    """

    type: str
    message: str
    traceback: str
    is_in_doubt: bool


@dataclass(frozen=True, slots=True)
class WaitDocument:
    """What something waits for: the moment of a sleep, a signal by name, a child by its id, a retry (kind `step`).

    `step` is the key of the step that waits, `until` when the waiting ends by itself, null for never.
    """

    kind: StepKind
    name: str
    step: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ProgressDocument:
    """How far a run has come: its outer steps that are over, the one begun last, and if that is a fan-out its items.

    `items` is how many items there are, `items_over` how many have ended in whatever way; both null for other steps.
    """

    steps_over: int
    step: str
    items: int | None
    items_over: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in a list.

    `due_at` is when it goes on by itself: the end of its delay or of what it waits for. `attempt_group` grows with each
    retry or replay of the run by people. `progress` has the runs of a list that have begun a step and not ended.
    """

    id: str
    workflow: str
    version: int
    state: RunState
    queue: str
    priority: int
    concurrency_key: str | None
    service: str | None
    key: str | None
    actor: str
    schedule: str | None
    parent_id: str | None
    is_dry_run: bool
    created_at: datetime
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime | None
    attempt_group: int
    waits: list[WaitDocument]
    failure: FailureDocument | None
    progress: ProgressDocument | None = None


@dataclass(frozen=True, slots=True)
class StrandedDocument:
    """Why a run is stranded, and the ways out that are open: `finish-old`, `replay`, `cancel`."""

    reason: str
    ways: list[str]


@dataclass(frozen=True, slots=True)
class SignalDocument:
    """A signal that a run got: who sent it, when, and the step that took it (null while none has)."""

    id: str
    name: str
    actor: str
    at: datetime
    payload: PayloadDocument | None
    key: str | None
    taken_by: str | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class SignalAnswer:
    """A signal was taken; `is_new` is false when its key had been sent before."""

    name: str
    key: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class ChildDocument:
    """A run that this one started, and the step that waits for it."""

    id: str
    workflow: str
    state: RunState
    step: str


@dataclass(frozen=True, slots=True)
class MapDocument:
    """How the items of a fan-out stand: how many there are, and counts by state of those that have begun."""

    key: str
    total: int | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ChangeDocument:
    """One thing that a step would change: what, how (create, update, restart, ...), and the unified diff."""

    resource: str
    action: str
    note: str
    diff: str


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """What a step would do in a dry run; `kind` is change, read (it was run for real), sleep, signal or child."""

    step: str
    kind: str
    summary: str
    changes: list[ChangeDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail(RunSummary):
    """A run on its own page.

    Attributes:
        steps: its steps by state, without the items of fan-outs.
        compensations: the steps that undo others, by state; empty as long as nothing is undone.
        maps: its fan-outs.
        queries: the names that `/queries/{name}` knows.
        recoveries: how often a process took it over from one that had died.
        plan: of a dry run, what each step would do.
    """

    input: PayloadDocument
    output: PayloadDocument | None
    owner: str | None
    recoveries: int
    cancelled_by: str | None
    cancel_reason: str | None
    steps: Mapping[str, int]
    maps: list[MapDocument]
    signals: list[SignalDocument]
    children: list[ChildDocument]
    compensations: Mapping[str, int]
    queries: list[str]
    stranded: StrandedDocument | None
    plan: list[PlanDocument]


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, newest first; `next` is the `cursor` of the page that follows.

    `counts` has the runs of any state that the other filters let pass, by state, except those that succeeded; on the
    first page only.
    """

    items: list[RunSummary]
    next: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AttemptDocument:
    """One try of a step that failed, or that a retry or replay of the run has superseded."""

    number: int
    group: int
    state: StepState
    started_at: datetime
    finished_at: datetime
    failure: FailureDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDocument:
    """A step as the timeline and the graph show it.

    Attributes:
        key: its path and name, unique in the run: `charge`, `charge#2`, `ship[17]`, `ship[17]/label`.
        parent: the key of the step around it.
        order: its place in the order in which steps began.
        attempt_count: all tries, the one that goes on included.
        attempts: those before the last one, oldest first, at most the last twenty.
        wait: what it waits for now.
        items: of a fan-out, how its items stand.
        child_id: the run that it started.
        compensates: of a compensation, the key of the step that it undoes.
        signalled_by: of a signal, who sent it.
        idempotency_key: what outside calls of this step carry.
    """

    key: str
    name: str
    parent: str | None
    kind: StepKind
    state: StepState
    order: int
    attempt_group: int
    started_at: datetime
    finished_at: datetime | None
    duration_s: float | None
    attempt_count: int
    attempts: list[AttemptDocument]
    output: PayloadDocument | None
    failure: FailureDocument | None
    wait: WaitDocument | None
    items: MapDocument | None
    child_id: str | None
    compensates: str | None
    signalled_by: str | None
    idempotency_key: str
    plan: PlanDocument | None


@dataclass(frozen=True, slots=True)
class StepList:
    """Steps in the order in which they began; `next` is the `cursor` of the page that follows."""

    items: list[StepDocument]
    next: str | None


@dataclass(frozen=True, slots=True)
class LogLineDocument:
    """One line that a step or the workflow said; `stream` is log, stdout or stderr."""

    seq: int
    at: datetime
    step: str | None
    stream: str
    text: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, oldest first; `next` is the `after` of the page that follows."""

    items: list[LogLineDocument]
    next: int | None


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What a run says of itself; `is_live` is false when it is the last answer of a run that is not in memory."""

    name: str
    value: Any
    is_live: bool


@dataclass(frozen=True, slots=True)
class StartedDocument:
    """The run that was asked for; `is_new` is false when its key belongs to one that was started before."""

    run: RunSummary
    is_new: bool


@dataclass(frozen=True, slots=True)
class WorkflowDocument:
    """A workflow that can be started here, with JSON schemas of what it takes, gives and is signalled.

    `signals` has those that its code names with their types.
    """

    name: str
    version: int
    versions: list[int]
    fingerprint: str
    summary: str
    source: str
    queue: str
    timeout_s: float | None
    events: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    signals: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class WorkflowList:
    """All workflows by name, and what could not be loaded."""

    items: list[WorkflowDocument]
    faults: list[str]
    next: str | None
