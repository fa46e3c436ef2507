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
from holdfast.kernel.runs.plans import Change, Plan, PlannedStep, RunPlan, UnplannedStepError
from holdfast.kernel.runs.settings import SECTION, RunsSettings
from holdfast.kernel.runs.steps import StepContext
from holdfast.kernel.runs.sync_contexts import SyncRun
from holdfast.kernel.runs.workflows import Workflow, workflow

__all__ = [
    "SECTION",
    "AttemptView",
    "Change",
    "ChildFailedError",
    "Failure",
    "LogLine",
    "MapFailedError",
    "Page",
    "Plan",
    "PlannedStep",
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
    "RunsSettings",
    "SignalTimedOutError",
    "SignalView",
    "StartOptions",
    "StepContext",
    "StepFailedError",
    "StepKind",
    "StepRetry",
    "StepState",
    "StepTimedOutError",
    "StepView",
    "StrandedError",
    "SyncRun",
    "UnplannedStepError",
    "WaitView",
    "WorkerId",
    "Workflow",
    "workflow",
]
