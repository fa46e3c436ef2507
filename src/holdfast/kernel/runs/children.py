"""Child runs: started once whatever happens, awaited like a step, cancelled with their parent or left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.errors import ChildFailedError
from holdfast.kernel.runs.execution import Execution, as_text
from holdfast.kernel.runs.model import Failure, RunId, RunState, StepKind, StepState
from holdfast.kernel.runs.records import NewRun, Step

if TYPE_CHECKING:
    from holdfast.kernel.runs.workflows import Workflow


async def run_child(
    run: Execution, scope: str, name: str, key: str, child: NewRun, workflow: Workflow[Any, Any]
) -> Any:
    """Give the result of the child run, which is started unless an earlier life of this run has done so.

    Raises:
        ChildFailedError: it failed or was cancelled.
    """
    step = run.find(key, StepKind.CHILD)
    if step is not None and step.is_done:
        return await _recall(run, step, workflow)
    await run.pass_barrier()
    if step is None or step.child is None:
        step = step or run.new_step(key, name, scope, StepKind.CHILD)
        child.dedupe_key = child.dedupe_key or f"child:{run.facts.id}:{key}:{step.attempt_group}"
        if child.input is not None:
            child.input = await run.services.large.keep(child.input, child.tenant, child.id)
        step.child = await run.services.start_child(run, child)
    step.state = StepState.WAITING
    wait = run.open_wait(StepKind.CHILD, step.child, key, None)
    run.write(step=step)
    run.services.look(run)
    ended = await run.wait_for(wait)
    state, step.result, step.error = ended
    if state != RunState.SUCCEEDED and step.error is None:
        step.error = as_text(Failure("RunCancelled", "the child run was cancelled"))
    step.state = StepState.SUCCEEDED if state == RunState.SUCCEEDED else StepState.FAILED
    step.finished_at = run.services.clock.now()
    run.write(step=step)
    return await _recall(run, step, workflow)


async def _recall(run: Execution, step: Step, workflow: Workflow[Any, Any]) -> Any:
    if step.state is StepState.FAILED:
        failure = payloads.read_failure(step.error) or Failure("Exception", "")
        raise ChildFailedError(step.key, failure, step.child or RunId(""))
    text = await run.services.large.fetch(step.result)
    return payloads.decode(text, workflow.output_type, what=f"the result of child {step.key!r}")
