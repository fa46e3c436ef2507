"""The peers' patterns under one shape, so that each hard case is written once; _hard_case_peers.py has the cases."""

# ruff: noqa: BLE001, PLC0415 -- whatever a peer raises is an answer; a peer is imported when it is asked

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

RESET_S = 0.2


def down() -> None:
    raise ConnectionError("down")


def make_breaker(library: str) -> Callable[[Callable[[], Any]], Any]:
    """Give what calls a function through a breaker that opens after two failures."""
    if library == "pybreaker":
        import pybreaker

        return pybreaker.CircuitBreaker(fail_max=2, reset_timeout=RESET_S).call
    if library == "aiobreaker":
        import aiobreaker

        return aiobreaker.CircuitBreaker(fail_max=2, timeout_duration=dt.timedelta(seconds=RESET_S)).call
    if library == "purgatory":
        import purgatory

        factory = purgatory.SyncCircuitBreakerFactory(default_threshold=2, default_ttl=RESET_S)
        return lambda fn: factory("x")(fn)()
    import hyx.circuitbreaker

    guard = hyx.circuitbreaker.consecutive_breaker(failure_threshold=2, recovery_time_secs=RESET_S)

    async def call(fn: Callable[[], Any]) -> Any:
        async with guard:
            return fn()

    return lambda fn: asyncio.run(call(fn))


def make_retry(library: str, wait_s: float = 0.01) -> Callable[[Any], Any]:
    """Give a decorator that tries three times on ConnectionError."""
    if library == "tenacity":
        import tenacity

        return tenacity.retry(
            retry=tenacity.retry_if_exception_type(ConnectionError),
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_fixed(wait_s),
            reraise=True,
        )
    if library == "stamina":
        import stamina

        return stamina.retry(on=ConnectionError, attempts=3, wait_initial=wait_s, wait_max=wait_s, wait_jitter=0)
    import hyx.retry

    return hyx.retry.retry(on=ConnectionError, attempts=3, backoff=wait_s)


def make_decorator(library: str) -> Callable[[Any], Any]:
    """Give a decorator of whatever the library is for."""
    if library in {"tenacity", "stamina", "hyx"}:
        return make_retry(library)
    if library == "pybreaker":
        import pybreaker

        return pybreaker.CircuitBreaker(fail_max=2)
    if library == "aiobreaker":
        import aiobreaker

        return aiobreaker.CircuitBreaker(fail_max=2)
    import purgatory

    return purgatory.AsyncCircuitBreakerFactory(default_threshold=2)("x")


def is_refused(call: Callable[[Callable[[], Any]], Any]) -> bool:
    reached: list[int] = []
    try:
        call(lambda: reached.append(1))
    except Exception:
        return not reached
    return False


def open_it(call: Callable[[Callable[[], Any]], Any]) -> None:
    for _ in range(3):
        try:
            call(down)
        except Exception:
            continue
    if not is_refused(call):
        raise AssertionError("it did not open")
