"""Who gets which hard case right: each case is played on every library that has the pattern; nothing is taken on trust.

"yes" and "no" are what happened here, "-" says that the library has no such pattern. Peers are set up as their own
documentation has it. What a library does not offer at all, where the case is about just that, counts as "no".
Run: make bench BENCH=benchmarks/resilience_hard_cases.py
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from _hard_case_contenders import (
    OURS,
    RESET_S,
    Calls,
    Decorate,
    Guard,
    Outcomes,
    breakers,
    down,
    hang,
    on_each,
    raised_by,
    retriers,
    timeouts,
    up,
)
from holdfast.resilience import (
    DeadlineExceeded,
    RateLimited,
    RetryBudget,
    breaker,
    deadline,
    hedge,
    rate_limit,
    retry,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hyx.ratelimit
    import limits
    import limits.storage
    import limits.strategies


async def cancellation_in_a_wait() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        calls = Calls(*[ConnectionError()] * 9)
        task = asyncio.ensure_future(decorate(calls.ask)())
        await asyncio.sleep(0.05)
        task.cancel()
        return isinstance(await raised_by(task), asyncio.CancelledError) and calls.count == 1

    return await on_each(retriers(30), play)


async def groups_are_looked_into() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        calls = Calls(ExceptionGroup("tasks", [ConnectionError()]))
        return await decorate(calls.ask)() == "up"

    return await on_each(retriers(), play)


async def generators_are_refused() -> Outcomes:
    def items() -> Any:
        yield 1

    async def play(decorate: Decorate) -> bool:
        with contextlib.suppress(TypeError):
            decorate(items)
            return False
        return True

    return await on_each(retriers(), play)


async def async_generators_are_refused() -> Outcomes:
    async def items() -> Any:
        yield 1

    async def play(decorate: Decorate) -> bool:
        with contextlib.suppress(TypeError):
            decorate(items)
            return False
        return True

    return await on_each(retriers(), play)


async def a_date_in_retry_after_is_kept() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        error = ConnectionError("busy")
        moment = datetime.now(UTC) + timedelta(seconds=2)
        error.headers = {"Retry-After": format_datetime(moment, usegmt=True)}  # type: ignore[attr-defined]  # as urllib's
        began = time.monotonic()
        await decorate(Calls(error).ask)()
        return time.monotonic() - began > 0.5

    return await on_each(retriers(), play)


async def no_wait_beyond_the_deadline() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        async with deadline(0.2):  # with asyncio's own around the others it is no different: nothing could see it
            error = await raised_by(decorate(Calls(*[ConnectionError()] * 9).ask)())
        return isinstance(error, ConnectionError)

    return await on_each(retriers(30), play)


async def the_error_says_how_often() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        error = await raised_by(decorate(Calls(*[ConnectionError() for _ in range(9)]).ask)())
        return "3" in " ".join(getattr(error, "__notes__", ()))

    return await on_each(retriers(), play)


async def the_traceback_is_kept() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        error = await raised_by(decorate(Calls(*[ConnectionError() for _ in range(9)]).ask)())
        step, names = error.__traceback__ if error else None, []
        while step is not None:
            names.append(step.tb_frame.f_code.co_name)
            step = step.tb_next
        return isinstance(error, ConnectionError) and names[-1] == "ask"

    return await on_each(retriers(), play)


async def signatures_survive() -> Outcomes:
    async def fetch(sku: str, *, count: int = 1) -> str:
        return sku * count

    async def play(decorate: Decorate) -> bool:
        made = decorate(fetch)
        return inspect.signature(made) == inspect.signature(fetch) and inspect.iscoroutinefunction(made)

    return await on_each(retriers(), play)


async def plain_functions_too() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        answer: object = decorate(lambda: "up")()
        if inspect.iscoroutine(answer):
            answer.close()
        return answer == "up"

    return await on_each(retriers(), play)


async def budgets_are_shared() -> Outcomes:
    budget = RetryBudget(tokens=1)
    first, second = (retry(attempts=3, base_s=0, budget=budget) for _ in range(2))
    calls = Calls(*[ConnectionError()] * 9)
    for policy in (first, second):
        await raised_by(policy.call(calls.ask))
    return {OURS: calls.count == 3, "tenacity": False, "stamina": False, "hyx": False}


async def trip(guard: Guard) -> None:
    await raised_by(guard(down))


async def is_refused(guard: Guard) -> bool:
    calls = Calls()
    await raised_by(guard(calls.ask))
    return calls.count == 0


async def a_lost_probe_locks_nobody_out() -> Outcomes:
    async def play(guard: Guard) -> bool:
        await trip(guard)
        await asyncio.sleep(2 * RESET_S)
        probe = asyncio.ensure_future(guard(hang))
        await asyncio.sleep(4 * RESET_S)
        try:
            return await guard(up) == "up"
        finally:
            probe.cancel()

    return await on_each(breakers(), play)


async def one_probe_at_a_time() -> Outcomes:
    async def play(guard: Guard) -> bool:
        await trip(guard)
        await asyncio.sleep(2 * RESET_S)
        probe = asyncio.ensure_future(guard(hang))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            return await is_refused(guard)
        finally:
            probe.cancel()

    return await on_each(breakers(), play)


async def a_late_success_closes_nothing() -> Outcomes:
    async def play(guard: Guard) -> bool:
        gate = asyncio.Event()
        slow = asyncio.ensure_future(guard(gate.wait))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await trip(guard)
        gate.set()
        await raised_by(slow)
        return await is_refused(guard)

    return await on_each(breakers(), play)


async def a_cancelled_call_is_no_failure() -> Outcomes:
    async def play(guard: Guard) -> bool:
        task = asyncio.ensure_future(guard(hang))
        await asyncio.sleep(0.01)
        task.cancel()
        await raised_by(task)
        return await guard(up) == "up"

    return await on_each(breakers(), play)


async def slow_calls_open_it() -> Outcomes:
    guard = breaker(name="slow", slow_rate=0.5, slow_call_s=0.01, minimum_calls=2, window_calls=2)
    for _ in range(2):
        await guard.call(asyncio.sleep, 0.03)
    return {OURS: await is_refused(guard.call), "hyx": False, "purgatory": False, "aiobreaker": False}


async def the_refusal_says_when() -> Outcomes:
    async def play(guard: Guard) -> bool:
        await trip(guard)
        error = await raised_by(guard(up))
        return any(getattr(error, name, None) is not None for name in ("retry_after_s", "time_remaining"))

    return await on_each(breakers(), play)


async def their_timeout_is_told_from_ours() -> Outcomes:
    async def late() -> None:
        raise TimeoutError("theirs")

    async def play(decorate: Decorate) -> bool:
        return type(await raised_by(decorate(late)())) is not type(await raised_by(decorate(hang)()))

    contenders = timeouts(0.05)
    del contenders["asyncio"]  # its errors are alike, but its scope can be asked
    return await on_each(contenders, play)


async def nested_times_name_whose_it_was() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        async with deadline(0.05, name="request"):
            await decorate(hang)()
        return False

    async def named(decorate: Decorate) -> bool:
        error = await raised_by(play(decorate))
        return isinstance(error, DeadlineExceeded) and error.policy == "request"

    ours = await on_each({OURS: timeouts(30)[OURS]}, named)
    return {**ours, "hyx": False, "asyncio": False}


async def plain_code_is_timed() -> Outcomes:
    async def play(decorate: Decorate) -> bool:
        timed = decorate(lambda: time.sleep(1))
        return isinstance(await raised_by(asyncio.to_thread(timed)), TimeoutError)

    return await on_each(timeouts(0.05), play)


async def what_may_not_be_done_twice_is_refused() -> Outcomes:
    with contextlib.suppress(TypeError):
        hedge(after_s=1)(down)
        return {OURS: False}
    return {OURS: True}


async def a_rate_says_when() -> Outcomes:
    limit = rate_limit(rate=1)
    await limit.call(up)
    error = await raised_by(limit.call(up))
    strategy, rule = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage()), limits.parse("1/second")
    strategy.hit(rule, "a")
    bucket = hyx.ratelimit.tokenbucket(max_executions=1, per_time_secs=1, bucket_size=1)(up)
    await bucket()
    theirs = await raised_by(bucket())
    return {
        OURS: isinstance(error, RateLimited) and error.retry_after_s is not None,
        "limits": strategy.get_window_stats(rule, "a").reset_time > time.time(),
        "hyx": getattr(theirs, "retry_after", None) is not None,
    }


async def keys_are_bounded() -> Outcomes:
    limit = rate_limit(rate=1, max_keys=100)
    storage = limits.storage.MemoryStorage()
    strategy, rule = limits.strategies.FixedWindowRateLimiter(storage), limits.parse("1/minute")
    for number in range(5000):
        limit.try_acquire(number)
        strategy.hit(rule, str(number))
    return {OURS: len(limit) <= 100, "limits": len(storage.storage) <= 1000}


CASES = (
    cancellation_in_a_wait,
    groups_are_looked_into,
    generators_are_refused,
    async_generators_are_refused,
    plain_functions_too,
    signatures_survive,
    the_traceback_is_kept,
    the_error_says_how_often,
    a_date_in_retry_after_is_kept,
    budgets_are_shared,
    no_wait_beyond_the_deadline,
    a_lost_probe_locks_nobody_out,
    one_probe_at_a_time,
    a_late_success_closes_nothing,
    a_cancelled_call_is_no_failure,
    slow_calls_open_it,
    the_refusal_says_when,
    their_timeout_is_told_from_ours,
    nested_times_name_whose_it_was,
    plain_code_is_timed,
    what_may_not_be_done_twice_is_refused,
    a_rate_says_when,
    keys_are_bounded,
)
LIBRARIES = (OURS, "tenacity", "stamina", "hyx", "purgatory", "aiobreaker", "limits", "asyncio")


async def main() -> None:
    print(f"{'case':40}" + "".join(f"{name:>11}" for name in LIBRARIES))
    right = dict.fromkeys(LIBRARIES, 0)
    played = dict.fromkeys(LIBRARIES, 0)
    for case in CASES:
        outcomes = await case()
        for name, is_right in outcomes.items():
            right[name] += is_right
            played[name] += 1
        words = [{True: "yes", False: "no", None: "-"}[outcomes.get(name)] for name in LIBRARIES]
        print(f"{case.__name__.replace('_', ' '):40}" + "".join(f"{word:>11}" for word in words), flush=True)
    print(f"{'right, of those played':40}" + "".join(f"{f'{right[name]}/{played[name]}':>11}" for name in LIBRARIES))


if __name__ == "__main__":
    asyncio.run(main())
