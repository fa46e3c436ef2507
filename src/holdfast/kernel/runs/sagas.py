"""Undoes what a run has done when it does not succeed: compensations in reverse order, each a step of its own.

One that fails for good does not keep the others from running; the run then says what is left half-done.
"""

from __future__ import annotations

from typing import Any, Final

from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.runs.errors import StepFailedError
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.facts import Undo
from holdfast.kernel.runs.model import Failure, StepKind, StepRetry, StepState
from holdfast.kernel.runs.steps import Spec, run_step

COMPENSATION_FAILED: Final = "run.compensation_failed"
PATIENT: Final = StepRetry(attempts=8, base_s=0.5, cap_s=60.0)


async def undo_all(run: Execution) -> list[tuple[str, Failure]]:
    """Run what is due, newest first; give the steps whose compensation failed, with its error."""
    run.is_undoing = True
    failed: list[tuple[str, Failure]] = []
    pending = sorted(run.undos, key=lambda undo: undo.step.position, reverse=True)
    run.undos = []
    done: set[str] = set()
    for undo in pending:
        if undo.step.key in done:
            continue
        done.add(undo.step.key)
        try:
            await run_step(run, undo.step.parent, undo.step.name, f"{undo.step.key}!undo", _spec(undo))
        except StepFailedError as error:
            failed.append((undo.step.key, error.failure))
            _note(run, undo, StepState.COMPENSATION_FAILED, _event(run, undo, error.failure))
        else:
            _note(run, undo, StepState.COMPENSATED)
    return failed


def _spec(undo: Undo) -> Spec:
    return Spec(undo.call, Any, PATIENT, None, kind=StepKind.COMPENSATION)


def _note(run: Execution, undo: Undo, state: StepState, *events: NewEvent) -> None:
    if undo.step.state is not state:
        undo.step.state = state
        run.write(step=undo.step, events=events)


def _event(run: Execution, undo: Undo, failure: Failure) -> NewEvent:
    return NewEvent(
        COMPENSATION_FAILED,
        f"run/{run.facts.id}",
        {"step": undo.step.key, "type": failure.type, "error": failure.message[:500]},
        service=ServiceId(run.facts.service) if run.facts.service else None,
        actor=run.facts.actor,
        tenant=TenantId(run.facts.tenant),
        correlation_id=run.facts.id,
    )
