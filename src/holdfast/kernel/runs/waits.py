"""Waits that survive a crash: until a moment, for a signal. While all of a run waits, it may leave the memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.errors import SignalTimedOutError, StepFailedError
from holdfast.kernel.runs.execution import Execution, as_text, seconds_from
from holdfast.kernel.runs.model import Failure, StepKind, StepState
from holdfast.kernel.runs.records import Step, Taking
from holdfast.kernel.runs.steps import to_failure


async def sleep(run: Execution, scope: str, name: str, key: str, until: datetime | float) -> None:
    """Return at `until`, or so many seconds from now."""
    step = run.find(key, StepKind.SLEEP)
    if step is not None and step.is_done:
        return
    await run.pass_barrier()
    if step is None:
        step = run.new_step(key, name, scope, StepKind.SLEEP)
        step.wake_at = until if isinstance(until, datetime) else seconds_from(step.started_at, until)
    step.state = StepState.WAITING
    wait = run.open_wait(StepKind.SLEEP, name, key, step.wake_at)
    run.write(step=step)
    try:
        await run.wait_for(wait)
    except TimeoutError:
        run.demand_life()
    _finish(run, step, StepState.SUCCEEDED)


async def wait_for_signal(run: Execution, scope: str, name: str, key: str, kind: Any, timeout_s: float | None) -> Any:
    """Give the payload of the next signal `name` that no other wait has taken, also one that came before.

    Raises:
        SignalTimedOutError: none came in time.
    """
    step = run.find(key, StepKind.SIGNAL)
    if step is not None and step.is_done:
        if step.state is StepState.FAILED:
            raise _timed_out(name, payloads.read_failure(step.error))
        return payloads.decode(step.result, kind, what=f"signal {name!r}")
    await run.pass_barrier()
    if step is None:
        step = run.new_step(key, name, scope, StepKind.SIGNAL)
        step.wake_at = None if timeout_s is None else seconds_from(step.started_at, timeout_s)
    step.state = StepState.WAITING
    wait = run.open_wait(StepKind.SIGNAL, name, key, step.wake_at, kind)
    run.write(step=step)
    run.services.look(run)
    try:
        signal = await run.wait_for(wait)
    except TimeoutError:
        run.demand_life()
        signal = await run.services.take_signal(run, wait)
    if signal is None:
        error = SignalTimedOutError(f"nobody sent the signal {name!r} in time")
        step.error = as_text(to_failure(error))
        _finish(run, step, StepState.FAILED)
        raise error
    step.result, step.actor = signal.payload, signal.actor
    _finish(run, step, StepState.SUCCEEDED, Taking(signal.id, key))
    return payloads.decode(signal.payload, kind, what=f"signal {name!r}")


def _finish(run: Execution, step: Step, state: StepState, taking: Taking | None = None) -> None:
    step.state, step.finished_at, step.wake_at = state, run.services.clock.now(), None
    run.write(step=step, taking=taking)


def _timed_out(name: str, failure: Failure | None) -> Exception:
    if failure is None or failure.type.endswith("SignalTimedOutError"):
        return SignalTimedOutError(f"nobody sent the signal {name!r} in time")
    return StepFailedError(name, failure)
