"""Dry runs: steps plan instead of acting, waits are passed, and the plan is the run's result.

A planned step is journalled like any other, its plan beside the result that the workflow goes on with; so a dry run
survives a crash as other runs do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from pydantic_core import to_jsonable_python

from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.masking import mask_values
from holdfast.kernel.runs.model import NO_RETRY, StepKind, StepState
from holdfast.kernel.runs.plans import (
    PlannedKind,
    PlannedStep,
    RunPlan,
    as_plan,
    read_plan,
    read_step,
    refuse_unplanned,
    step_as_json,
)
from holdfast.kernel.runs.steps import Spec, StepContext, run_step

PlanCall = Callable[[StepContext], Awaitable[Any]]

_WAITS: Final[dict[StepKind, PlannedKind]] = {StepKind.SLEEP: "sleep", StepKind.SIGNAL: "signal"}


async def plan_step(
    run: Execution, scope: str, name: str, spec: Spec, *, key: str, plan: PlanCall | None, is_read_only: bool
) -> Any:
    """Give what the workflow goes on with: the real result of a step that only reads, else what its plan foresees.

    Raises:
        UnplannedStepError: the step says neither what it would change nor that it changes nothing.
    """
    if plan is None and not is_read_only:
        raise refuse_unplanned(key)

    async def call(context: StepContext) -> Any:
        if is_read_only or plan is None:
            return _record(PlannedStep(key, "read"), await spec.call(context))
        planned = as_plan(await plan(context), key)
        return _record(PlannedStep(key, "change", planned.changes, planned.note), planned.result)

    told = await run_step(run, scope, name, key, replace(spec, call=call, result_type=Any, undo=None))
    if told["result"] is None and not is_read_only:
        return None
    return payloads.check(told["result"], spec.result_type, what=f"the planned result of {key!r}")


async def pass_wait(
    run: Execution, scope: str, name: str, kind: StepKind, *, key: str, note: str, assumed: Any = None
) -> Any:
    """Pass over a sleep or a signal at once; give what is assumed to come."""

    async def call(_context: StepContext) -> Any:
        return _record(PlannedStep(key, _WAITS[kind], note=note), assumed)

    told = await run_step(run, scope, name, key, Spec(call, Any, NO_RETRY, None, kind=kind))
    return told["result"]


def take_child(key: str, told: Any, output_type: Any) -> Any:
    """Give what a child's workflow would have returned."""
    return payloads.check(read_plan(told).result, output_type, what=f"the planned result of child {key!r}")


async def conclude(run: Execution, value: Any) -> dict[str, Any]:
    """Give the plan of the whole run as JSON data, secrets masked: what its steps have recorded, in order."""
    large = run.services.large
    steps = [
        _read(step.key, step.kind, payloads.decode(await large.fetch(step.result)))
        for step in sorted(run.recorded.values(), key=lambda step: step.position)
        if step.kind is not StepKind.MAP and step.state is StepState.SUCCEEDED
    ]
    plan = RunPlan(tuple(steps), to_jsonable_python(value)).as_json()
    masked: dict[str, Any] = mask_values(run.services.mask, "", plan)
    return masked


def _read(key: str, kind: StepKind, told: Any) -> PlannedStep:
    return PlannedStep(key, "child", child=read_plan(told)) if kind is StepKind.CHILD else read_step(told["planned"])


def _record(step: PlannedStep, result: Any) -> dict[str, Any]:
    return {"planned": to_jsonable_python(step_as_json(step)), "result": to_jsonable_python(result)}
