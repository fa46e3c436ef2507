"""The libraries that `resilience_hard_cases.py` compares, each set up to do the same; it is no benchmark itself."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from holdfast.resilience import breaker, retry, timeout

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import aiobreaker
    import hyx.circuitbreaker
    import hyx.retry
    import hyx.timeout
    import purgatory
    import stamina
    import stamina.instrumentation
    import tenacity

OURS = "holdfast"
PATIENCE_S = 5.0
RESET_S = 0.05

Decorate = Callable[[Callable[..., Any]], Callable[..., Any]]
Guard = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
Outcomes = dict[str, bool]


class Calls:
    """A function that fails with what it was given, in turn, and then answers."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.count = 0

    async def ask(self) -> str:
        """Play the next one."""
        self.count += 1
        if self.failures:
            raise self.failures.pop(0)
        return "up"


async def up() -> str:
    return "up"


async def down() -> None:
    raise ConnectionError("down")


async def hang() -> None:
    await asyncio.sleep(60)


stamina.instrumentation.set_on_retry_hooks([])  # it logs by default


def retriers(wait_s: float = 0.01) -> dict[str, Decorate]:
    return {
        OURS: retry(attempts=3, base_s=wait_s, cap_s=wait_s, jitter="none", on=ConnectionError),
        "tenacity": tenacity.retry(
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_fixed(wait_s),
            retry=tenacity.retry_if_exception_type(ConnectionError),
            reraise=True,
        ),
        "stamina": stamina.retry(
            on=ConnectionError, attempts=3, wait_initial=wait_s, wait_max=wait_s, wait_jitter=0, timeout=None
        ),
        "hyx": hyx.retry.retry(on=ConnectionError, attempts=3, backoff=wait_s),
    }


def breakers() -> dict[str, Guard]:
    """Make a breaker of each library that opens at the first failure."""
    cooled = hyx.circuitbreaker.consecutive_breaker(failure_threshold=1, recovery_time_secs=RESET_S)
    factory = purgatory.AsyncCircuitBreakerFactory(default_threshold=1, default_ttl=RESET_S)
    others = aiobreaker.CircuitBreaker(fail_max=1, timeout_duration=timedelta(seconds=RESET_S))

    async def run(fn: Callable[[], Awaitable[Any]]) -> Any:
        return await fn()

    return {
        OURS: breaker(name="hard", failures=1, reset_s=RESET_S).call,
        "hyx": cooled(run),
        "purgatory": factory("hard")(run),
        "aiobreaker": others.call_async,
    }


async def raised_by(call: Awaitable[Any]) -> BaseException | None:
    try:
        await call
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- the fence of a job: what it is, is the finding
        return error
    return None


async def on_each(contenders: dict[str, Any], play: Callable[[Any], Awaitable[bool]]) -> Outcomes:
    outcomes = {}
    for name, contender in contenders.items():
        try:
            async with asyncio.timeout(PATIENCE_S):
                outcomes[name] = await play(contender)
        except Exception:  # noqa: BLE001 -- the fence of a job: a case that ends so was not got right
            outcomes[name] = False
    return outcomes


def timeouts(seconds: float) -> dict[str, Decorate]:
    def with_asyncio(fn: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed() -> Any:
            async with asyncio.timeout(seconds):
                return await fn()

        return timed

    return {OURS: timeout(seconds, name="hard"), "hyx": hyx.timeout.timeout(seconds), "asyncio": with_asyncio}
