"""How each peer library meets the hard cases: one function per case and kind of library, true if it gets it right.

A case is run against the libraries named beside it; those that have no such pattern are not asked. The script
resilience_twenty_cases.py runs each in a process of its own and makes the table.
"""

# ruff: noqa: ARG001, BLE001, PLC0415 -- a case takes its library, whatever it raises is an answer; a peer is imported when asked

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import os
import threading
import time
import traceback
import typing
from email.utils import format_datetime
from typing import Any

from _hard_case_makers import RESET_S, down, is_refused, make_breaker, make_decorator, make_retry, open_it


def cancellation_during_back_off(library: str) -> bool:
    calls: list[int] = []

    async def fail() -> None:
        calls.append(1)
        down()

    async def main() -> bool:
        task = asyncio.ensure_future(make_retry(library, 5)(fail)())
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait([task], timeout=1)
        return task.cancelled() and len(calls) == 1

    return asyncio.run(main())


def exception_groups(library: str) -> bool:
    errors = [ExceptionGroup("group", [ConnectionError()])]

    async def fail() -> str:
        if errors:
            raise errors.pop()
        return "up"

    return asyncio.run(make_retry(library)(fail)()) == "up"


def generators(library: str) -> bool:
    """Right is a refusal, or that a failure in the middle counts: is tried again, or opens the breaker."""
    begun: list[int] = []

    def rows() -> Any:
        begun.append(1)
        yield 1
        down()

    try:
        guarded = make_decorator(library)(rows)
        for _ in range(4):
            try:
                made = guarded()
                list(asyncio.run(made) if inspect.iscoroutine(made) else made)
            except ConnectionError:
                continue
            except TypeError:
                raise
            except Exception:
                return True  # the breaker's own refusal: it counted
    except TypeError:
        return True
    return len(begun) > 4


def a_half_open_probe_that_never_returns(library: str) -> bool:
    call, let_go = make_breaker(library), threading.Event()
    open_it(call)
    time.sleep(RESET_S * 1.2)
    threading.Thread(target=lambda: call(lambda: let_go.wait(8)), daemon=True).start()
    time.sleep(RESET_S / 4)
    answers: list[str] = []

    def ask(name: str) -> None:
        answers.append(f"{name} {'refused' if is_refused(call) else 'passed'}")

    for name, pause_s in (("early", 0.1), ("late", 1.0)):
        time.sleep(pause_s)
        asking = threading.Thread(target=ask, args=(name,), daemon=True)
        asking.start()
        asking.join(1)
    return answers == ["early refused", "late passed"]


def slow_call_rate(library: str) -> bool:
    call = make_breaker(library)
    for _ in range(20):
        call(lambda: time.sleep(0.05))
    return is_refused(call)


def a_wall_clock_set_back(library: str) -> bool:
    class Earlier(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return dt.datetime.now(tz) - dt.timedelta(hours=1)

        @classmethod
        def utcnow(cls) -> Any:
            return dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(hours=1)

    now = time.time
    if library == "limits":
        import limits

        store, item = limits.storage.MemoryStorage(), limits.parse("1/second")
        window = limits.strategies.MovingWindowRateLimiter(store)
        window.hit(item)
        time.time = lambda: now() - 3600
        time.sleep(1.2)
        return window.hit(item)
    call = make_breaker(library)
    open_it(call)
    modules = {"pybreaker": "pybreaker", "aiobreaker": "aiobreaker.state", "hyx": "hyx.circuitbreaker.states"}
    if library in modules:
        __import__(modules[library], fromlist=["x"]).datetime = Earlier
    else:
        time.time = lambda: now() - 3600
    time.sleep(RESET_S * 1.5)
    return not is_refused(call)


def a_rate_with_its_loops_clock(library: str) -> bool:
    """Limiters on the event loop's clock, which is monotonic: the wall clock may go where it likes."""
    now = time.time

    async def main() -> bool:
        import aiolimiter

        limit = aiolimiter.AsyncLimiter(1, 0.2)
        await limit.acquire()
        time.time = lambda: now() - 3600
        await asyncio.wait_for(limit.acquire(), 1)
        return True

    return asyncio.run(main())


def retry_after_as_a_date(library: str) -> bool:
    class BusyError(ConnectionError):
        headers: typing.ClassVar = {
            "Retry-After": format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=3), usegmt=True)
        }

    called: list[float] = []

    async def ask() -> None:
        called.append(time.monotonic())
        if len(called) == 1:
            raise BusyError

    asyncio.run(make_retry(library)(ask)())
    return called[1] - called[0] > 1.5


def a_budget_shared_by_callers(library: str) -> bool:
    calls: list[int] = []

    async def fail() -> None:
        calls.append(1)
        down()

    decorated = make_retry(library)(fail)
    for _ in range(20):
        try:
            asyncio.run(decorated())
        except Exception:
            continue
    return len(calls) < 60


def a_timeout_around_plain_code(library: str) -> bool:
    async def main() -> bool:
        import hyx.timeout

        begun_s = time.monotonic()
        try:
            await hyx.timeout.timeout(0.1)(lambda: time.sleep(1))()
        except hyx.timeout.exceptions.MaxDurationExceeded:
            return time.monotonic() - begun_s < 0.8
        return False

    return asyncio.run(main())


def nested_deadlines(library: str) -> bool:
    """Right is that the error tells whose time it was."""

    async def main() -> bool:
        import hyx.timeout

        told = []
        for outer_s, inner_s in ((0.1, 5), (5, 0.1)):
            inner = hyx.timeout.timeout(inner_s)(lambda: asyncio.sleep(1))
            try:
                await hyx.timeout.timeout(outer_s)(inner)()
            except Exception as error:
                told.append(repr(error))
        return len(set(told)) == 2

    return asyncio.run(main())


def a_bulkhead_is_fair(library: str) -> bool:
    order: list[int] = []

    async def main() -> bool:
        import hyx.bulkhead

        async def work(number: int) -> None:
            order.append(number)
            await asyncio.sleep(0.01)

        guarded = hyx.bulkhead.bulkhead(max_concurrency=1, max_capacity=20)(work)
        tasks = [asyncio.ensure_future(guarded(number)) for number in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        await asyncio.wait(tasks)
        return order == [0, 1, 2, 4, 5, 6, 7, 8, 9]

    return asyncio.run(main())


def a_rate_across_processes(library: str) -> bool:
    def count() -> int:
        if library == "limits":
            import limits

            store = limits.storage.storage_from_string("redis://127.0.0.1:6379/0")
            window, item = limits.strategies.FixedWindowRateLimiter(store), limits.parse("5/hour")
            return sum(window.hit(item, f"hard case {parent}") for _ in range(4))
        return asyncio.run(count_async(library))

    parent, admitted = os.getpid(), 0
    for _ in range(3):
        read, write = os.pipe()
        if os.fork() == 0:
            os.write(write, bytes([count()]))
            os._exit(0)
        os.wait()
        admitted += os.read(read, 1)[0]
    return admitted == 5


async def count_async(library: str) -> int:
    if library == "aiolimiter":
        import aiolimiter

        limit = aiolimiter.AsyncLimiter(5, 3600)
        return sum([limit.has_capacity() and not await limit.acquire() for _ in range(4)])
    import hyx.ratelimit

    bucket, admitted = hyx.ratelimit.tokenbucket(max_executions=5, per_time_secs=3600, bucket_size=5), 0
    for _ in range(4):
        async with bucket:
            admitted += 1
    return admitted


def a_fork_while_a_call_is_under_way(library: str) -> bool:
    call, inside, let_go = make_breaker(library), threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        let_go.wait(8)

    threading.Thread(target=call, args=(hold,), daemon=True).start()
    inside.wait(5)
    child = os.fork()
    if child == 0:
        call(lambda: None)
        os._exit(0)
    for _ in range(30):
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def a_guarded_call_inside_itself(library: str) -> bool:
    if library == "hyx":
        return asyncio.run(nest_hyx())
    call = make_breaker(library)
    return call(lambda: call(lambda: "inner")) == "inner"


async def nest_hyx() -> bool:
    import hyx.circuitbreaker

    guard = hyx.circuitbreaker.consecutive_breaker(failure_threshold=2, recovery_time_secs=1)
    async with guard, guard:
        return True


def memory_is_bounded_per_key(library: str) -> bool:
    if library == "limits":
        import limits

        store, item = limits.storage.MemoryStorage(), limits.parse("1/hour")
        window = limits.strategies.FixedWindowRateLimiter(store)
        for number in range(20_000):
            window.hit(item, str(number))
        return len(store.storage) < 20_000
    import purgatory

    factory = purgatory.SyncCircuitBreakerFactory()
    for number in range(20_000):
        factory.get_breaker(str(number))
    return len(factory.uow.contexts.breakers) < 20_000


def an_error_keeps_its_traceback(library: str) -> bool:
    async def fail() -> None:
        down()

    try:
        if library in {"tenacity", "stamina", "hyx"}:
            asyncio.run(make_retry(library)(fail)())
        else:
            make_breaker(library)(down)
    except ConnectionError as error:
        return "down" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return False


def type_hints_survive(library: str) -> bool:
    async def look(sku: str, *, twice: bool = False) -> int:
        return len(sku)

    guarded = make_decorator(library)(look)
    return (
        inspect.signature(guarded) == inspect.signature(look)
        and typing.get_type_hints(guarded) == typing.get_type_hints(look)
        and inspect.iscoroutinefunction(guarded)
    )


def callers_do_not_wait_for_one_another(library: str) -> bool:
    call, inside, let_go, done = make_breaker(library), threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        let_go.wait(8)

    threading.Thread(target=call, args=(hold,), daemon=True).start()
    inside.wait(5)
    threading.Thread(target=lambda: call(done.set), daemon=True).start()
    return done.wait(1)
