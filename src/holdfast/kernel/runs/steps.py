"""Runs one step: the recorded outcome if there is one, otherwise attempts until it is done or given up.

Its outcome is journalled once, when there is one. A step that lasts, or that would have to be undone, is marked when it
begins, so that people see it and a crash leaves a trace of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.runs import payloads, printouts
from holdfast.kernel.runs.errors import Leave, StepFailedError, StepTimedOutError
from holdfast.kernel.runs.execution import Execution, as_text, seconds_from
from holdfast.kernel.runs.facts import Undo
from holdfast.kernel.runs.model import Failure, StepKind, StepRetry, StepState
from holdfast.kernel.runs.places import CleanUp, WriteLine
from holdfast.kernel.runs.records import Attempt, Entry, Step
from holdfast.kernel.runs.timers import Timer
from holdfast.resilience import Backoff

MARK_AFTER_S: Final = 0.1
_UNWIND_S: Final = 10.0


@dataclass(slots=True)
class StepContext:
    """What a step's function gets when it takes a parameter `step`.

    Attributes:
        idempotency_key: names the effect, `run:step:attempt-group`: the same in every attempt and after every crash, so
            hand it to whatever is called.
        attempt: from 1.
    """

    run_id: str
    key: str
    idempotency_key: str
    attempt: int
    is_dry_run: bool
    write: WriteLine
    later: Callable[[CleanUp], None] | None = None

    def log(self, text: str, /, **fields: Any) -> None:
        """Write a line into the run's log, under this step."""
        self.write("log", text, fields)


Call = Callable[[StepContext], Awaitable[Any]]


@dataclass(slots=True)
class Spec:
    """How a step is done.

    Attributes:
        call: does one attempt; its cancellation ends the attempt.
        undo: does one attempt of the compensation; its second argument is the step's result, None when not known.
    """

    call: Call
    result_type: Any
    retry: StepRetry
    timeout_s: float | None
    undo: Callable[[StepContext, Any], Awaitable[Any]] | None = None
    kind: StepKind = StepKind.STEP
    is_protected: bool = False


async def run_step(run: Execution, scope: str, name: str, key: str, spec: Spec) -> Any:
    """Give the result of the step, now or from the journal.

    Raises:
        StepFailedError: all its attempts have failed.
    """
    step = run.find(key, spec.kind)
    if step is not None and step.is_done:
        return await _recall(run, step, spec)
    try:
        if run.is_reentry:
            await asyncio.sleep(0)  # a branch that failed before the crash fails first again, and ends this one
            await asyncio.sleep(0)
        await run.pass_barrier()
        if step is None:
            step = run.new_step(key, name, scope, spec.kind)
            if spec.undo is not None:
                run.write(step=step)
        elif step.state is StepState.WAITING:
            await _pause(run, step)
        return await _attempt_until_done(run, step, spec)
    except asyncio.CancelledError:
        if spec.undo is not None and step is not None and not step.is_done:
            _push_undo(run, step, spec, is_known=False)
        raise


async def _recall(run: Execution, step: Step, spec: Spec) -> Any:
    if step.state is StepState.FAILED:
        failure = payloads.read_failure(step.error) or Failure("Exception", "")
        if failure.is_in_doubt:
            _push_undo(run, step, spec, is_known=False)
        raise StepFailedError(step.key, failure)
    _push_undo(run, step, spec, is_known=True)
    text = await run.services.large.fetch(step.result)
    return payloads.decode(text, spec.result_type, what=f"the recorded result of {step.key!r}")


async def _attempt_until_done(run: Execution, step: Step, spec: Spec) -> Any:
    clock = run.services.clock
    remains: list[CleanUp] = []
    while True:
        began = clock.now()
        try:
            value = await _attempt(run, step, spec, remains)
            text = payloads.encode(
                value, what=f"the result of step {step.key!r}", limit_bytes=run.services.settings.payload_limit
            )
            kept = await run.keep(text) if run.services.large.is_large(text) else text
        except Leave:
            raise
        except asyncio.CancelledError as error:
            if not _is_own(run):
                _clean_up(run, None, remains)
                raise
            _fail(run, step, spec, error, remains)
        except Exception as error:  # noqa: BLE001 - the fence of a job: a step's error is recorded and raised again
            pause_s = _next_pause(step, spec.retry, error, clock.now())
            if pause_s is None:
                _fail(run, step, spec, error, remains)
            else:
                await _try_again(run, step, error, began, pause_s, remains)
        else:
            step.state, step.finished_at, step.result = StepState.SUCCEEDED, clock.now(), kept
            step.wake_at, step.error = None, None
            _clean_up(run, run.write(step=step), remains)
            _push_undo(run, step, spec, is_known=True)
            return payloads.settle(value, text, spec.result_type)


def _is_own(run: Execution) -> bool:
    """Tell whether a CancelledError was raised by the step's code itself, and nobody cancels this task."""
    task = asyncio.current_task()
    return run.leaving is None and not run.stopping and task is not None and task.cancelling() == 0


def _clean_up(run: Execution, outcome: Entry | None, remains: list[CleanUp]) -> None:
    """Have removed what an attempt has left elsewhere, once its outcome is on the disk."""
    if remains:
        run.services.spawn(_remove(run, outcome, tuple(remains)))
        remains.clear()


async def _remove(run: Execution, outcome: Entry | None, remains: tuple[CleanUp, ...]) -> None:
    try:
        if outcome is not None:
            await run.journal.wait(outcome)
    except (HoldfastError, Leave):
        return  # it is not recorded: whoever goes on with the run finds it there
    for remove in remains:
        await remove()


async def _attempt(run: Execution, step: Step, spec: Spec, remains: list[CleanUp]) -> Any:
    context = StepContext(
        run.facts.id,
        step.key,
        f"{run.facts.id}:{step.key}:{step.attempt_group}",
        step.attempts,
        run.facts.is_dry_run,
        lambda stream, text, fields: run.write_line(step.key, stream, text, fields),
        remains.append,
    )
    step.state = StepState.RUNNING
    run.begin_work()
    if spec.is_protected:
        run.protect(1)
    mark = None if spec.undo is not None else asyncio.get_running_loop().call_later(MARK_AFTER_S, _show, run, step)
    try:
        with printouts.heard(context.write):
            if spec.timeout_s is None:
                return await spec.call(context)
            return await within(run, spec.call(context), spec.timeout_s, step.key)
    finally:
        if mark is not None:
            mark.cancel()
        run.end_work()
        if spec.is_protected:
            run.protect(-1)


def _show(run: Execution, step: Step) -> None:
    if run.leaving is None:
        run.write(step=step)


async def within(run: Execution, work: Awaitable[Any], timeout_s: float, key: str) -> Any:
    """Give the result of `work`, cancel it after `timeout_s`, and do not wait for ever for it to obey.

    Raises:
        StepTimedOutError: it was not done in time.
    """
    task = asyncio.ensure_future(work)
    given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    timers: list[Timer] = []

    def give_up() -> None:
        if not given_up.done():
            given_up.set_result(None)

    def expire() -> None:
        task.cancel()
        timers.append(run.services.timers.after(_UNWIND_S, give_up))

    timers.append(run.services.timers.after(timeout_s, expire))
    try:
        await asyncio.wait({task, given_up}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    finally:
        is_late = len(timers) > 1
        for timer in timers:
            timer.cancel()
    if is_late:
        if task.done() and not task.cancelled():
            task.exception()
        raise StepTimedOutError(f"step {key!r} was not done in {timeout_s:g} s")
    return task.result()


def _next_pause(step: Step, retry: StepRetry, error: Exception, now: datetime) -> float | None:
    """Give the seconds until the next attempt, None when there is none."""
    is_worth = (
        retry.on(error) if callable(retry.on) and not isinstance(retry.on, tuple) else isinstance(error, retry.on)
    )
    if step.attempts >= retry.attempts or not is_worth:
        return None
    pause_s = Backoff(retry.base_s, retry.cap_s, retry.jitter).wait_s(step.attempts)
    if retry.budget_s is not None and (now - step.started_at).total_seconds() + pause_s > retry.budget_s:
        return None
    return pause_s


async def _try_again(
    run: Execution, step: Step, error: Exception, began: datetime, pause_s: float, remains: list[CleanUp]
) -> None:
    now = run.services.clock.now()
    failure = as_text(to_failure(error))
    attempt = Attempt(step.key, step.attempt_group, step.attempts, StepState.FAILED, began, now, failure)
    step.state, step.error, step.wake_at = StepState.WAITING, failure, seconds_from(now, pause_s)
    wait = run.open_wait(step.kind, step.name, step.key, step.wake_at)
    _clean_up(run, run.write(step=step, attempt=attempt), remains)
    with contextlib.suppress(TimeoutError):
        await run.wait_for(wait)
    step.attempts += 1
    await run.pass_barrier()


async def _pause(run: Execution, step: Step) -> None:
    """Go on with the pause between two attempts that a crash or parking has interrupted."""
    wait = run.open_wait(step.kind, step.name, step.key, step.wake_at or run.services.clock.now())
    run.write(step=step)
    with contextlib.suppress(TimeoutError):
        await run.wait_for(wait)
    step.attempts += 1


def _fail(run: Execution, step: Step, spec: Spec, error: BaseException, remains: list[CleanUp]) -> None:
    failure = to_failure(error)
    step.state, step.finished_at, step.error = StepState.FAILED, run.services.clock.now(), as_text(failure)
    step.wake_at = None
    _clean_up(run, run.write(step=step), remains)
    if failure.is_in_doubt:
        _push_undo(run, step, spec, is_known=False)
    raise StepFailedError(step.key, failure) from error


def to_failure(error: BaseException) -> Failure:
    """Describe an exception for the journal; a timed out step may have taken effect or not."""
    trace = "".join(traceback.format_exception(error))
    return payloads.to_failure(error, trace, is_in_doubt=isinstance(error, StepTimedOutError))


def _push_undo(run: Execution, step: Step, spec: Spec, *, is_known: bool) -> None:
    undo = spec.undo
    if undo is None or run.facts.is_dry_run:
        return

    async def call(context: StepContext) -> Any:
        text = await run.services.large.fetch(step.result) if is_known else None
        result = payloads.decode(text, spec.result_type) if is_known else None
        return await undo(context, result)

    run.undos.append(Undo(step, call))
