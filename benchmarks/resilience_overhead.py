"""What a policy adds to a call that succeeds, beside the libraries that people use for the same, async and sync.

Each contender guards a function that does nothing. Rounds take turns, so that a busy machine hits all alike; the cost
is the median round less the bare call. The ratio is ours to the fastest peer: 1 or less is as fast or faster.
Run: make bench BENCH=benchmarks/resilience_overhead.py
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from holdfast.resilience import breaker, bulkhead, fallback, rate_limit, retry, timeout

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import aiobreaker
    import aiolimiter
    import hyx.bulkhead
    import hyx.circuitbreaker
    import hyx.fallback
    import hyx.ratelimit
    import hyx.retry
    import hyx.timeout
    import limits
    import limits.aio.storage
    import limits.aio.strategies
    import limits.storage
    import limits.strategies
    import purgatory
    import pybreaker
    import stamina
    import tenacity

ROUNDS = 15
CALLS = 4000
SLOW_CALLS = 400  # for what costs a thread
OURS = "holdfast"
PLENTY = 1e9  # of tokens: nothing is refused

AsyncCall = Callable[[], Awaitable[Any]]
SyncCall = Callable[[], Any]


async def answer() -> int:
    return 1


def answer_sync() -> int:
    return 1


def retries() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    waits = tenacity.wait_random_exponential(multiplier=0.1, max=10)
    words: dict[str, Any] = {"stop": tenacity.stop_after_attempt(3), "wait": waits, "reraise": True}
    patient = stamina.retry(on=ConnectionError, attempts=3)
    ours = retry(attempts=3)
    return (
        {
            OURS: ours(answer),
            "tenacity": tenacity.retry(**words)(answer),
            "stamina": patient(answer),
            "hyx": hyx.retry.retry(on=ConnectionError, attempts=3)(answer),
        },
        {OURS: ours(answer_sync), "tenacity": tenacity.retry(**words)(answer_sync), "stamina": patient(answer_sync)},
    )


def breakers() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    ours = breaker(name="bench", failures=5)
    theirs = aiobreaker.CircuitBreaker(fail_max=5, timeout_duration=timedelta(seconds=30))
    return (
        {
            OURS: ours(answer),
            "purgatory": purgatory.AsyncCircuitBreakerFactory()("bench")(answer),
            "aiobreaker": lambda: theirs.call_async(answer),
            "hyx": hyx.circuitbreaker.consecutive_breaker(failure_threshold=5, recovery_time_secs=30)(answer),
        },
        {
            OURS: ours(answer_sync),
            "purgatory": purgatory.SyncCircuitBreakerFactory()("bench")(answer_sync),
            "pybreaker": pybreaker.CircuitBreaker(fail_max=5)(answer_sync),
            "aiobreaker": theirs(answer_sync),
        },
    )


def rate_limits() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    ours = rate_limit(rate=PLENTY, burst=int(PLENTY))
    leaky = aiolimiter.AsyncLimiter(PLENTY, 1)
    plenty = limits.RateLimitItemPerSecond(int(PLENTY))
    window = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
    window_async = limits.aio.strategies.FixedWindowRateLimiter(limits.aio.storage.MemoryStorage())

    async def with_aiolimiter() -> int:
        async with leaky:
            return await answer()

    async def with_limits() -> int:
        if not await window_async.hit(plenty, "bench"):
            raise RuntimeError
        return await answer()

    def with_limits_sync() -> int:
        if not window.hit(plenty, "bench"):
            raise RuntimeError
        return answer_sync()

    bucket = hyx.ratelimit.tokenbucket(max_executions=PLENTY, per_time_secs=1, bucket_size=PLENTY)
    return (
        {OURS: ours(answer), "aiolimiter": with_aiolimiter, "limits": with_limits, "hyx": bucket(answer)},
        {OURS: ours(answer_sync), "limits": with_limits_sync},
    )


def timeouts() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    async def with_asyncio() -> int:
        async with asyncio.timeout(30):
            return await answer()

    pool = ThreadPoolExecutor(1)
    return (
        {OURS: timeout(30)(answer), "asyncio.timeout": with_asyncio, "hyx": hyx.timeout.timeout(30)(answer)},
        {OURS: timeout(30)(answer_sync), "ThreadPoolExecutor": lambda: pool.submit(answer_sync).result(30)},
    )


def bulkheads() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    room, room_sync = asyncio.Semaphore(10), threading.BoundedSemaphore(10)

    async def with_semaphore() -> int:
        async with room:
            return await answer()

    def with_semaphore_sync() -> int:
        with room_sync:
            return answer_sync()

    return (
        {
            OURS: bulkhead(10, queue=10)(answer),
            "hyx": hyx.bulkhead.bulkhead(max_concurrency=10, max_capacity=20)(answer),
            "asyncio.Semaphore": with_semaphore,
        },
        {OURS: bulkhead(10, queue=10)(answer_sync), "BoundedSemaphore": with_semaphore_sync},
    )


def fallbacks() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    async def instead(*_: object) -> int:
        return 0

    theirs = hyx.fallback.fallback(instead, on=ConnectionError)
    return {OURS: fallback(value=0)(answer), "hyx": theirs(answer)}, {OURS: fallback(value=0)(answer_sync)}


def compositions() -> tuple[dict[str, AsyncCall], dict[str, SyncCall]]:
    ours = retry(attempts=3) | breaker(name="bench", failures=5) | timeout(30)
    ours_sync = retry(attempts=3) | breaker(name="bench", failures=5)
    hyx_all = hyx.retry.retry(on=ConnectionError, attempts=3)(
        hyx.circuitbreaker.consecutive_breaker(failure_threshold=5, recovery_time_secs=30)(
            hyx.timeout.timeout(30)(answer)
        )
    )
    guarded = pybreaker.CircuitBreaker(fail_max=5)(answer_sync)
    return (
        {OURS: ours(answer), "hyx": hyx_all},
        {
            OURS: ours_sync(answer_sync),
            "stamina+pybreaker": stamina.retry(on=ConnectionError, attempts=3)(guarded),
        },
    )


KINDS = {
    "retry": retries,
    "breaker": breakers,
    "rate limit": rate_limits,
    "timeout": timeouts,
    "bulkhead": bulkheads,
    "fallback": fallbacks,
    "retry | breaker | timeout": compositions,
}


async def time_async(call: AsyncCall, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        await call()
    return (time.perf_counter() - started) / times * 1e9


def time_sync(call: SyncCall, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times * 1e9


async def measure_async(contenders: dict[str, AsyncCall]) -> dict[str, float]:
    rounds: dict[str, list[float]] = {name: [] for name in ("bare", *contenders)}
    for call in contenders.values():
        await time_async(call, 100)
    for _ in range(ROUNDS):
        rounds["bare"].append(await time_async(answer, CALLS))
        for name, call in contenders.items():
            rounds[name].append(await time_async(call, CALLS))
    return {name: statistics.median(found) for name, found in rounds.items()}


def measure_sync(contenders: dict[str, SyncCall], calls: int) -> dict[str, float]:
    rounds: dict[str, list[float]] = {name: [] for name in ("bare", *contenders)}
    for call in contenders.values():
        time_sync(call, 100)
    for _ in range(ROUNDS):
        rounds["bare"].append(time_sync(answer_sync, calls))
        for name, call in contenders.items():
            rounds[name].append(time_sync(call, calls))
    return {name: statistics.median(found) for name, found in rounds.items()}


def print_row(kind: str, mode: str, costs: dict[str, float]) -> None:
    bare = costs.pop("bare")
    added = {name: max(1.0, cost - bare) for name, cost in costs.items()}
    ours = added.pop(OURS)
    ratio = f"{ours / min(added.values()):6.2f}" if added else "     -"
    peers = ", ".join(f"{name} {cost:,.0f}" for name, cost in sorted(added.items(), key=lambda one: one[1]))
    print(f"{kind:26} {mode:6} {ours:8,.0f} {ratio}   {peers or 'no peer'}", flush=True)


async def main() -> None:
    print(f"Python {sys.version.split()[0]}; nanoseconds added to a call that succeeds, median of {ROUNDS} rounds")
    print(f"{'pattern':26} {'mode':6} {OURS:>8}  ratio   peers")
    gc.disable()
    for kind, make in KINDS.items():
        contenders, contenders_sync = make()
        print_row(kind, "async", await measure_async(contenders))
        print_row(kind, "sync", measure_sync(contenders_sync, SLOW_CALLS if kind == "timeout" else CALLS))
        gc.collect()


if __name__ == "__main__":
    asyncio.run(main())
