"""The words of runs: states, identities, what callers ask for and what they are shown. No behaviour, no rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Generic, Literal, NewType, TypeVar

from holdfast.kernel.ids import DEFAULT_TENANT, ServiceId, TenantId

T = TypeVar("T")
RunId = NewType("RunId", str)
WorkerId = NewType("WorkerId", str)

OnCancel = Literal["cancel", "abandon"]
OnError = Literal["raise", "collect"]
WayOut = Literal["finish-old", "replay", "cancel"]


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STRANDED = "stranded"

    @property
    def is_final(self) -> bool:
        """Tell whether the run has ended; a stranded one has not: it waits for people."""
        return self in FINAL


FINAL: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})


class StepState(StrEnum):
    """Where a step stands; `waiting` also means: between two attempts."""

    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"
    SKIPPED = "skipped"


class StepKind(StrEnum):
    """What a step is."""

    STEP = "step"
    SLEEP = "sleep"
    SIGNAL = "signal"
    CHILD = "child"
    MAP = "map"
    COMPENSATION = "compensation"


@dataclass(frozen=True, slots=True)
class StepRetry:
    """When a failed step is tried again.

    Attributes:
        attempts: at most this many, the first included.
        base_s: the pause after the first failure; it doubles with each further one.
        cap_s: no pause is longer.
        jitter: `full` draws each pause between zero and its length, `none` keeps it.
        on: the errors that are worth another attempt: types, or a function of the error.
        budget_s: no attempt begins later than this after the first one began; None means no such limit.
    """

    attempts: int = 3
    base_s: float = 0.5
    cap_s: float = 30.0
    jitter: Literal["full", "none"] = "full"
    on: tuple[type[BaseException], ...] | Callable[[BaseException], bool] = (Exception,)
    budget_s: float | None = None


NO_RETRY: Final = StepRetry(attempts=1)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it is recorded: `type` is its qualified name, `trace` the traceback's text."""

    type: str
    message: str
    trace: str = ""
    is_in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How a run is started; every field has a default that suits most.

    Attributes:
        key: a second start of the same workflow with the same key gives the first run.
        unique: how long the key holds: for as long as the run is kept (`ever`), or until it has ended (`active`).
        debounce_s: the run waits for this long, and a start with the same key meanwhile replaces its input and
            begins the wait anew, for ten times that long in all; `key` is required and holds only until the run starts.
        queue: None means the workflow's own.
        priority: higher goes first.
        concurrency_key: what the queue's limit per key counts by.
        delay_s: the run stays queued for this long.
        deadline: the run fails when it has not ended by then.
        is_dry_run: steps plan and touch nothing.
    """

    key: str | None = None
    unique: Literal["ever", "active"] = "ever"
    debounce_s: float = 0.0
    queue: str | None = None
    priority: int = 0
    concurrency_key: str | None = None
    delay_s: float = 0.0
    deadline: datetime | None = None
    is_dry_run: bool = False
    tenant: TenantId = DEFAULT_TENANT
    actor: str = "system"
    service: ServiceId | None = None


@dataclass(frozen=True, slots=True)
class WaitView:
    """What a run waits for: a moment, a signal by name, a child by its run's id."""

    kind: StepKind
    name: str
    step: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as it is shown."""

    id: RunId
    tenant: TenantId
    workflow: str
    version: int
    state: RunState
    queue: str
    priority: int
    concurrency_key: str | None
    key: str | None
    input: Any
    result: Any
    error: Failure | None
    attempt: int
    is_dry_run: bool
    actor: str
    service: ServiceId | None
    parent: RunId | None
    owner: WorkerId | None
    epoch: int
    recoveries: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    wake_at: datetime | None
    deadline: datetime | None
    waits: tuple[WaitView, ...] = ()
    published: Mapping[str, Any] = field(default_factory=dict)
    cancel_actor: str | None = None
    cancel_reason: str | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step as it is shown; `counts` says, for a fan-out, how many of its items are in each state."""

    run_id: RunId
    key: str
    name: str
    parent: str
    kind: StepKind
    state: StepState
    position: int
    attempts: int
    attempt_group: int
    started_at: datetime
    finished_at: datetime | None
    wake_at: datetime | None
    result: Any
    error: Failure | None
    child: RunId | None
    actor: str | None
    counts: Mapping[StepState, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt of a step that failed or was superseded."""

    run_id: RunId
    key: str
    attempt_group: int
    attempt: int
    state: StepState
    started_at: datetime
    finished_at: datetime
    error: Failure | None


@dataclass(frozen=True, slots=True)
class SignalView:
    """One signal sent to a run; `step` is the wait that took it."""

    run_id: RunId
    name: str
    payload: Any
    actor: str
    at: datetime
    step: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's log; `seq` grows, `step` is empty for the run's own lines."""

    run_id: RunId
    seq: int
    at: datetime
    step: str
    stream: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list; an empty field means any."""

    states: tuple[RunState, ...] = ()
    workflow: str = ""
    queue: str = ""
    service: str = ""
    parent: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `cursor` asks for what follows, None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None
