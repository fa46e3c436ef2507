"""Asks a second time when the answer takes unusually long, and takes whichever comes first.

It cuts the tail that chance makes (Dean and Barroso, "The Tail at Scale", 2013) and makes overload worse, so it keeps a
budget, and only what may be done twice is asked twice.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, ParamSpec, TypeVar

from holdfast.resilience.budgets import RetryBudget
from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.latencies import Latencies
from holdfast.resilience.policies import F, Policy, is_idempotent
from holdfast.resilience.threads import start_in_thread

P = ParamSpec("P")
T = TypeVar("T")

MOST_IN_THREADS: Final = 32


def idempotent(fn: F) -> F:
    """Mark a function as one that may be called twice without harm, so that hedges accept it."""
    fn.__idempotent__ = True  # type: ignore[attr-defined]  # the mark that is_idempotent looks for
    return fn


class Hedge(Policy):
    """Starts another attempt when one takes long; see `hedge`."""

    __slots__ = ("_budget", "_extra", "_idempotent", "_in_threads", "_latencies", "after_s")

    kind = "hedge"

    def __init__(
        self,
        name: str,
        *,
        after_s: float,
        latencies: Latencies | None,
        extra: int,
        is_idempotent: bool,
        budget: RetryBudget,
        clock: Clock,
    ) -> None:
        if after_s < 0 or extra < 1:
            raise ValueError(f"after_s={after_s} must not be negative and extra={extra} must be positive")
        super().__init__(name, clock=clock)
        self.after_s = after_s
        self._latencies = latencies
        self._extra = extra
        self._idempotent = is_idempotent
        self._budget = budget
        self._in_threads: set[concurrent.futures.Future[Any]] = set()

    def __repr__(self) -> str:
        """Show when it asks again."""
        return f"Hedge(after_s={self.delay_s:g}, extra={self._extra})"

    @property
    def delay_s(self) -> float:
        """Seconds after which it asks again now."""
        measured_s = self._latencies.value_s if self._latencies else None
        return self.after_s if measured_s is None else measured_s

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn`, again where it takes long; the loser is cancelled.

        Raises:
            TypeError: Nothing says that `fn` may be called twice.
        """
        self._refuse_unsafe(fn)

        async def attempt(args: Any, kwargs: Any) -> T:
            started_s = self._clock.monotonic()
            answer = await fn(*args, **kwargs)
            self._note(started_s)
            return answer

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            race = Race(lambda: asyncio.ensure_future(attempt(args, kwargs)), self._clock)
            try:
                answer: T = await race.run(self._may_hedge, self.delay_s)
            finally:
                race.end()
            return answer

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` in a thread, in another where it takes long; the loser goes on to its end, unheard.

        Raises:
            TypeError: Nothing says that `fn` may be called twice.
        """
        self._refuse_unsafe(fn)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            started_s = self._clock.monotonic()
            running = {self._start(lambda: fn(*args, **kwargs))}
            attempts = 1
            while True:
                may_more = attempts <= self._extra and len(self._in_threads) < MOST_IN_THREADS
                done, running = concurrent.futures.wait(
                    running,
                    timeout=self.delay_s if may_more else None,
                    return_when=concurrent.futures.FIRST_COMPLETED,
                )
                winner = find_winner(done)
                if winner is not None or (done and not running):
                    self._note(started_s)
                    return (winner or next(iter(done))).result()
                if not done and self._may_hedge(attempts):
                    running.add(self._start(lambda: fn(*args, **kwargs)))
                attempts += 1

        return guarded

    def _start(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        future = start_in_thread(work)
        self._in_threads.add(future)
        future.add_done_callback(self._in_threads.discard)
        return future

    def _may_hedge(self, attempts: int) -> bool:
        """Say whether to ask once more after so many attempts, and take that from the budget."""
        if attempts > self._extra:
            return False
        if not self._budget.try_take():
            self._tell("refused", reason="the budget is spent")
            return False
        self._tell("hedged", attempt=attempts + 1, after_s=self.delay_s)
        return True

    def _note(self, started_s: float) -> None:
        self._budget.note_success()
        if self._latencies:
            self._latencies.add(self._clock.monotonic() - started_s)

    def _refuse_unsafe(self, fn: Callable[..., Any]) -> None:
        if not self._idempotent and not is_idempotent(fn):
            name = getattr(fn, "__qualname__", repr(fn))
            raise TypeError(
                f"{name} might be done twice by a hedge: where that does no harm, decorate it with @idempotent"
                " or write hedge(idempotent=True)"
            )


class Race:
    """The attempts of one async call, running side by side."""

    __slots__ = ("_clock", "_running", "_start")

    def __init__(self, start: Callable[[], asyncio.Future[Any]], clock: Clock) -> None:
        self._start = start
        self._clock = clock
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, may_hedge: Callable[[int], bool], delay_s: float) -> Any:
        """Give the first answer; raise the first error when all have failed."""
        self._running.add(self._start())
        attempts, first_error = 1, None
        while self._running:
            done = await self._wait(delay_s if attempts > 0 else None)
            winner = find_winner(done)
            if winner is not None:
                return winner.result()
            for loser in done:
                first_error = first_error or loser.exception()
            if not done:
                if may_hedge(attempts):
                    self._running.add(self._start())
                    attempts += 1
                else:
                    attempts = 0  # no more: wait for those that run
        assert first_error is not None, "every attempt ended, none with an answer"
        raise first_error

    async def _wait(self, seconds: float | None) -> set[asyncio.Future[Any]]:
        """Wait for an attempt to end, at most `seconds`; take those that ended out of the running."""
        if seconds is None or self._clock is SYSTEM_CLOCK:
            await asyncio.wait(self._running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            alarm = asyncio.ensure_future(self._clock.sleep(seconds))
            try:
                await asyncio.wait({*self._running, alarm}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                alarm.cancel()
        done = {one for one in self._running if one.done()}
        self._running -= done
        return done

    def end(self) -> None:
        """Cancel whoever still runs; their errors interest nobody."""
        for loser in self._running:
            loser.cancel()
            loser.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


AnyFuture = TypeVar("AnyFuture", asyncio.Future[Any], concurrent.futures.Future[Any])


def find_winner(done: Iterable[AnyFuture]) -> AnyFuture | None:
    """Give one that has an answer."""
    return next((one for one in done if not one.cancelled() and one.exception() is None), None)


def hedge(
    *,
    after_s: float,
    quantile: float | None = None,
    extra: int = 1,
    idempotent: bool = False,
    budget: RetryBudget | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Hedge:
    """Ask again when an answer takes long, and take the first one.

    Args:
        after_s: Seconds after which to ask again; with `quantile`, until 20 calls have been measured.
        quantile: 0.95 asks again after the time in which 95 of 100 calls of late have answered.
        extra: How many more attempts at most.
        idempotent: Every function under this policy may be called twice. Else each must be marked with `@idempotent`.
        budget: What bounds the added load; 10 at once and one in ten calls by default.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number is none.
    """
    if quantile is not None and not 0 < quantile < 1:
        raise ValueError(f"quantile={quantile} must lie between 0 and 1, as 0.95 does")
    return Hedge(
        name,
        after_s=after_s,
        latencies=None if quantile is None else Latencies(quantile),
        extra=extra,
        is_idempotent=idempotent,
        budget=budget or RetryBudget(name=name),
        clock=clock,
    )
