"""Durable runs: typed functions whose steps are journalled, so that a crash repeats nothing that was committed.

Owns workflows, runs, their steps, signals, leases, recovery and the tables of all that. Refuses to know what a runbook
or a deploy is, and payloads that are not JSON.
"""

from holdfast.kernel.runs.contexts import Run
from holdfast.kernel.runs.engine import Runs
from holdfast.kernel.runs.errors import (
    ChildFailedError,
    MapFailedError,
    RunFailedError,
    RunTimedOutError,
    SignalTimedOutError,
    StepFailedError,
    StepTimedOutError,
    StrandedError,
)
from holdfast.kernel.runs.facilities import Facilities, open_facilities
from holdfast.kernel.runs.handles import RunHandle
from holdfast.kernel.runs.model import (
    AttemptView,
    Failure,
    LogLine,
    Page,
    RunFilter,
    RunId,
    RunState,
    RunView,
    SignalView,
    StartOptions,
    StepKind,
    StepRetry,
    StepState,
    StepView,
    WaitView,
    WorkerId,
)
from holdfast.kernel.runs.observers import RunObserver
from holdfast.kernel.runs.places import (
    Command,
    CommandFailedError,
    CommandResult,
    Container,
    KubernetesJob,
    KubernetesPlace,
    Place,
    Places,
    Process,
    StepDiedError,
    StepPlaceError,
    StepRaisedError,
    ThreadsAbandonedError,
    Work,
)
from holdfast.kernel.runs.plans import Change, Plan, PlannedStep, RunPlan, UnplannedStepError, read_plan
from holdfast.kernel.runs.queues import Queue
from holdfast.kernel.runs.schedules import Schedule
from holdfast.kernel.runs.settings import SECTION, RunsSettings
from holdfast.kernel.runs.steps import StepContext
from holdfast.kernel.runs.sync_contexts import SyncRun
from holdfast.kernel.runs.wiring import RunsRoom, wire
from holdfast.kernel.runs.workflows import Workflow, workflow

__all__ = [
    "SECTION",
    "AttemptView",
    "Change",
    "ChildFailedError",
    "Command",
    "CommandFailedError",
    "CommandResult",
    "Container",
    "Facilities",
    "Failure",
    "KubernetesJob",
    "KubernetesPlace",
    "LogLine",
    "MapFailedError",
    "Page",
    "Place",
    "Places",
    "Plan",
    "PlannedStep",
    "Process",
    "Queue",
    "Run",
    "RunFailedError",
    "RunFilter",
    "RunHandle",
    "RunId",
    "RunObserver",
    "RunPlan",
    "RunState",
    "RunTimedOutError",
    "RunView",
    "Runs",
    "RunsRoom",
    "RunsSettings",
    "Schedule",
    "SignalTimedOutError",
    "SignalView",
    "StartOptions",
    "StepContext",
    "StepDiedError",
    "StepFailedError",
    "StepKind",
    "StepPlaceError",
    "StepRaisedError",
    "StepRetry",
    "StepState",
    "StepTimedOutError",
    "StepView",
    "StrandedError",
    "SyncRun",
    "ThreadsAbandonedError",
    "UnplannedStepError",
    "WaitView",
    "Work",
    "WorkerId",
    "Workflow",
    "open_facilities",
    "read_plan",
    "wire",
    "workflow",
]
