"""Ends a call that takes too long, because a caller that waits for ever fails with what it waits for.

It cancels async code. Plain code runs in a thread that is left behind: nothing can end a thread from outside.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import DeadlineExceeded
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

P = ParamSpec("P")
T = TypeVar("T")


class Timeout(Policy):
    """Ends a call after `seconds`; see `timeout`."""

    __slots__ = ("seconds",)

    kind = "timeout"

    def __init__(self, name: str, seconds: float, *, clock: Clock) -> None:
        if seconds <= 0:
            raise ValueError(f"a timeout of {seconds} s would never let a call happen")
        super().__init__(name, clock=clock)
        self.seconds = seconds

    def __repr__(self) -> str:
        """Show the time."""
        return f"Timeout(seconds={self.seconds:g})"

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Cancel `fn` after the time, which raises DeadlineExceeded; a TimeoutError of `fn` comes through as it is."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            has_own_time = self._clock is SYSTEM_CLOCK
            scope = asyncio.timeout(self.seconds if has_own_time else None)
            try:
                if has_own_time:
                    async with scope:
                        return await fn(*args, **kwargs)
                with self._expire_by_clock(scope):
                    async with scope:
                        return await fn(*args, **kwargs)
            except TimeoutError as error:
                if scope.expired():
                    raise self._exceed(error) from error
                raise

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Run `fn` in a thread and leave it behind after the time: a thread cannot be ended, only its caller freed."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            answer: Future[T] = Future()
            here = copy_context()

            def work() -> None:
                try:
                    answer.set_result(here.run(fn, *args, **kwargs))
                except BaseException as error:  # noqa: BLE001 -- the fence of a job: it is raised where it is waited for
                    answer.set_exception(error)

            threading.Thread(target=work, name=f"timeout {self.name}", daemon=True).start()
            done, _ = wait((answer,), self.seconds)
            if not done:
                raise self._exceed(None)
            return answer.result()

        return guarded

    def _exceed(self, error: BaseException | None) -> DeadlineExceeded:
        self._tell("timed_out", error, seconds=self.seconds)
        return DeadlineExceeded(f"not finished within {self.seconds:g} s", policy=self.name)

    @contextmanager
    def _expire_by_clock(self, scope: asyncio.Timeout) -> Iterator[None]:
        """Let an injected clock, not the event loop's, end `scope`."""
        alarm = asyncio.ensure_future(self._clock.sleep(self.seconds))
        alarm.add_done_callback(
            lambda done: None if done.cancelled() else scope.reschedule(asyncio.get_running_loop().time())
        )
        try:
            yield
        finally:
            alarm.cancel()


def timeout(seconds: float, *, name: str = "", clock: Clock = SYSTEM_CLOCK) -> Timeout:
    """Give each call `seconds` to finish.

    Raises:
        ValueError: `seconds` is not positive.
    """
    return Timeout(name, seconds, clock=clock)
