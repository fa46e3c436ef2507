"""Tries a call again after a fault that passes by itself, waiting longer each time, out of step with others.

What happens after an attempt is decided in `courses`. A success costs one `try` and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

from holdfast.resilience.attempts import Attempts
from holdfast.resilience.backoff import Backoff, Chance, Jitter
from holdfast.resilience.budgets import RetryBudget
from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.courses import Course, OnError, ResultRule, RetryRules, make_error_rule
from holdfast.resilience.policies import Policy

P = ParamSpec("P")
T = TypeVar("T")

TRANSIENT: Final = (ConnectionError, TimeoutError)


class Retry(Policy):
    """Calls again after a fault, a bounded number of times; see `retry`."""

    __slots__ = ("_caught", "_rules")

    kind = "retry"

    def __init__(self, name: str, rules: RetryRules, caught: tuple[type[Exception], ...], clock: Clock) -> None:
        if rules.attempts is not None and rules.attempts < 1:
            raise ValueError(f"attempts is {rules.attempts}; the first call counts, so give at least 1")
        if rules.attempts is None and rules.max_elapsed_s is None and rules.budget is None:
            raise ValueError("attempts=None tries for ever: give max_elapsed_s or a budget with it")
        super().__init__(name, clock=clock)
        self._rules = rules
        self._caught = caught

    def __repr__(self) -> str:
        """Show how often it calls."""
        return f"Retry(attempts={self._rules.attempts})"

    @property
    def budget(self) -> RetryBudget | None:
        """What it shares with other callers."""
        return self._rules.budget

    def attempts(self) -> Attempts:
        """Retry a block of code: `for attempt in policy.attempts(): with attempt: ...`; `async for` in async code."""
        return Attempts(self._begin(), self._clock, self._caught)

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` until it succeeds or there is no more attempt, which raises its last error."""
        caught, sleep = self._caught, self._clock.sleep

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await fn(*args, **kwargs)
            except caught as error:
                course = self._begin()
                wait_s = course.fail(error)
                if wait_s is None:
                    raise
                await sleep(wait_s)
            return await self._go_on_async(course, fn, args, kwargs)

        async def counted(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self._go_on_async(self._begin(), fn, args, kwargs)

        return guarded if self._ignores_success else counted

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` until it succeeds or there is no more attempt, which raises its last error."""
        caught, sleep = self._caught, self._clock.sleep_sync

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return fn(*args, **kwargs)
            except caught as error:
                course = self._begin()
                wait_s = course.fail(error)
                if wait_s is None:
                    raise
                sleep(wait_s)
            return self._go_on_sync(course, fn, args, kwargs)

        def counted(*args: P.args, **kwargs: P.kwargs) -> T:
            return self._go_on_sync(self._begin(), fn, args, kwargs)

        return guarded if self._ignores_success else counted

    @property
    def _ignores_success(self) -> bool:
        """Whether nothing needs to be known of a call before it fails."""
        rules = self._rules
        return rules.judge_result is None and rules.max_elapsed_s is None and rules.budget is None

    def _begin(self) -> Course:
        label = f"retry {self.name!r}" if self.name else "retry"
        return Course(self._rules, self._clock, self._tell, label)

    async def _go_on_async(self, course: Course, fn: Callable[..., Awaitable[T]], args: Any, kwargs: Any) -> T:
        while True:
            try:
                result = await fn(*args, **kwargs)
            except self._caught as error:
                wait_s = course.fail(error)
                if wait_s is None:
                    raise
                await self._clock.sleep(wait_s)
                continue
            wait_s = course.answer(result)
            if wait_s is None:
                return result
            await self._clock.sleep(wait_s)

    def _go_on_sync(self, course: Course, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
        while True:
            try:
                result = fn(*args, **kwargs)
            except self._caught as error:
                wait_s = course.fail(error)
                if wait_s is None:
                    raise
                self._clock.sleep_sync(wait_s)
                continue
            wait_s = course.answer(result)
            if wait_s is None:
                return result
            self._clock.sleep_sync(wait_s)


def retry(  # noqa: PLR0913 -- keywords with defaults; most callers give two
    *,
    attempts: int | None = 3,
    base_s: float = 0.1,
    cap_s: float = 10.0,
    jitter: Jitter | str = Jitter.FULL,
    on: OnError = TRANSIENT,
    on_result: ResultRule | None = None,
    max_elapsed_s: float | None = None,
    retry_after_cap_s: float = 60.0,
    budget: RetryBudget | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
    rng: Chance = random,
) -> Retry:
    """Retry calls that may be repeated without harm.

    Args:
        attempts: How often to call in all, the first call included; None for as long as the other limits allow.
        base_s: Bound of the first wait in seconds; it doubles with each attempt.
        cap_s: No wait is drawn longer than this many seconds.
        jitter: "full", "equal", "decorrelated" or "none"; see `Jitter`.
        on: Which errors may pass by themselves: a kind, a tuple of kinds, a table from kinds to their own `Backoff`, or
            a function of the error that says True, False, or in how many seconds. Others, and cancellation, come
            through at once. A group of errors is retried when each error in it may be.
        on_result: Which results to try again, likewise: True, False or seconds. The last one is returned as it is.
        max_elapsed_s: No attempt begins so many seconds after the first one began, or later.
        retry_after_cap_s: A wait that the other side asks for (an attribute `retry_after_s` or `retry_after`, a
            `Retry-After` header) is kept up to this; more than this ends the retrying.
        budget: Shared with other callers of the same dependency; without a token nothing is retried.
        name: As events and messages shall call it.
        clock: Where time comes from.
        rng: Where chance comes from; the process's own by default.

    Raises:
        ValueError: A number or the jitter is none.
        TypeError: `on` holds what is no kind of Exception.
    """
    backoff = Backoff(base_s, cap_s, jitter)
    judge, caught = make_error_rule(on, backoff)
    rules = RetryRules(attempts, backoff, judge, on_result, max_elapsed_s, retry_after_cap_s, budget, rng)
    return Retry(name, rules, caught, clock)
