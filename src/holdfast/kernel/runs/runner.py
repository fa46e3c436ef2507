"""Carries one run from where it stands to its end: calls its code, undoes what must be undone, writes how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from dataclasses import dataclass
from typing import Any, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.runs import dry_runs, payloads, sagas
from holdfast.kernel.runs.contexts import Run
from holdfast.kernel.runs.errors import Leave, RunCancelled, RunTimedOutError, StepFailedError, StrandedError
from holdfast.kernel.runs.execution import Execution, as_text
from holdfast.kernel.runs.model import Failure, RunState
from holdfast.kernel.runs.records import Mark
from holdfast.kernel.runs.sync_contexts import SyncRun
from holdfast.kernel.runs.workflows import Workflow

_KINDS: Final = {
    RunState.SUCCEEDED: "run.succeeded",
    RunState.FAILED: "run.failed",
    RunState.CANCELLED: "run.cancelled",
}
STRANDED: Final = "run.stranded"


@dataclass(slots=True)
class Ending:
    """How a run has ended."""

    state: RunState
    result: str | None = None
    failure: Failure | None = None


async def carry(run: Execution, workflow: Workflow[Any, Any], given: str | None) -> Ending | None:
    """Take the run to its end; None when it left this process before."""
    try:
        ending = await _call_code(run, workflow, given)
        await _end_branches(run)
        _forget_cancellation()
        if run.has_left():
            return None
        if run.strand is not None:
            ending = Ending(RunState.STRANDED, None, payloads.to_failure(run.strand, ""))
        elif ending.state is not RunState.SUCCEEDED:
            ending.failure = _with_leftovers(ending.failure, await sagas.undo_all(run))
        if run.has_left():
            return None
        await _finish(run, workflow, ending)
    except Leave as leave:
        run.leave(leave)
        return None
    except asyncio.CancelledError:
        if not run.has_left():
            raise
        return None
    return ending


async def _call_code(run: Execution, workflow: Workflow[Any, Any], given: str | None) -> Ending:
    """Call the workflow's function and say how it came out; what it raises is the run's failure, not ours."""
    try:
        await run.settle()
        given = await run.services.large.fetch(given)
        arguments = [payloads.decode(given, workflow.input_type, what="the input")] if workflow.takes_input else []
        context = Run(run, workflow)
        if workflow.is_async:
            value = await workflow.fn(context, *arguments)
        else:
            loop = asyncio.get_running_loop()
            value = await run.services.in_workflow_thread(workflow.fn, SyncRun(context, loop), *arguments)
        if run.facts.is_dry_run:
            value = await dry_runs.conclude(run, value)
        text = payloads.encode(value, what="the run's result", limit_bytes=run.services.settings.payload_limit)
        text = await run.keep(text)
    except Leave as leave:
        run.leave(leave)
        return Ending(RunState.FAILED)
    except (asyncio.CancelledError, RunCancelled) as error:
        return _stopped(run, workflow, error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the fence of a job: what a workflow raises is how it ended
        return _stopped(run, workflow, error) if run.stopping else Ending(RunState.FAILED, None, describe(error))
    return _stopped(run, workflow, None) if run.stopping else Ending(RunState.SUCCEEDED, text)


def _stopped(run: Execution, workflow: Workflow[Any, Any], error: BaseException | None) -> Ending:
    if run.stopping == "timeout":
        limit = f"its timeout of {workflow.timeout_s:g} s" if workflow.timeout_s else "its deadline"
        return Ending(RunState.FAILED, None, payloads.to_failure(RunTimedOutError(f"the run has reached {limit}"), ""))
    if run.stopping == "cancel":
        return Ending(RunState.CANCELLED)
    return Ending(RunState.FAILED, None, describe(error) if error is not None else None)


def describe(error: BaseException) -> Failure:
    """Describe what ended a run; a failed step's own error is told, not that a step has failed."""
    if isinstance(error, StepFailedError):
        inner = error.failure
        return Failure(inner.type, f"step {error.step!r}: {inner.message}", inner.trace)
    return payloads.to_failure(error, "".join(traceback.format_exception(error)))


def _with_leftovers(failure: Failure | None, undone: list[tuple[str, Failure]]) -> Failure | None:
    """Add to why a run failed what could not be undone, so that nobody believes that all is as before."""
    if not undone:
        return failure
    left = "; ".join(f"{step!r} ({error.type}: {error.message[:200]})" for step, error in undone[:20])
    text = f"NOT UNDONE, needs people: {left}"
    if failure is None:
        return Failure("CompensationFailed", text)
    return Failure(failure.type, f"{failure.message}; {text}", failure.trace)


async def _end_branches(run: Execution) -> None:
    """Leave nothing running: what the code began and did not await is cancelled and awaited."""
    current = asyncio.current_task()
    left = [task for task in run.branches if task is not current and not task.done()]
    for task in left:
        task.cancel()
    while left:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(left)
        left = [task for task in left if not task.done()]


def _forget_cancellation() -> None:
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()


async def _finish(run: Execution, workflow: Workflow[Any, Any], ending: Ending) -> None:
    run.end_output()
    now = run.services.clock.now()
    is_final = ending.state.is_final
    mark = Mark(
        ending.state,
        None,
        finished_at=now if is_final else None,
        result=ending.result,
        error=as_text(ending.failure),
        published=run.publish(),
    )
    is_told = ending.state is not RunState.SUCCEEDED or workflow.events == "all"
    events = (tell(run, workflow, ending),) if is_told else ()
    entry = run.write(mark=mark, events=events, parent_id=run.facts.parent_id if is_final else None)
    try:
        await run.journal.wait(entry)
    except HoldfastError as error:  # the database refuses this very result: the run fails with that instead
        mark.state, mark.result, mark.error = RunState.FAILED, None, as_text(describe(error))
        ending.state, ending.result, ending.failure = RunState.FAILED, None, describe(error)
        await run.journal.wait(run.write(mark=mark, parent_id=run.facts.parent_id))


def tell(run: Execution, workflow: Workflow[Any, Any], ending: Ending) -> NewEvent:
    """Give the event of a run's end."""
    data: dict[str, Any] = {"workflow": workflow.name, "version": workflow.version}
    if ending.failure is not None:
        data |= {"type": ending.failure.type, "error": ending.failure.message[:1000]}
    return event(run, STRANDED if ending.state is RunState.STRANDED else _KINDS[ending.state], data)


def event(run: Execution, kind: str, data: dict[str, Any]) -> NewEvent:
    """Give an event about a run."""
    return NewEvent(
        kind,
        f"run/{run.facts.id}",
        data,
        service=ServiceId(run.facts.service) if run.facts.service else None,
        actor=run.facts.actor,
        tenant=TenantId(run.facts.tenant),
        correlation_id=run.facts.id,
    )


__all__ = ["STRANDED", "Ending", "StrandedError", "carry", "describe", "event", "tell"]
