"""Ends a call that takes too long, because a caller that waits for ever fails with what it waits for.

It cancels async code; code that blocks the event loop cannot be ended from here.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import DeadlineExceeded
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeout(Policy):
    """Cancels a call after `seconds`; see `timeout`."""

    seconds: float
    clock: Clock = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a time that has already passed."""
        if self.seconds <= 0:
            raise ValueError(f"a timeout of {self.seconds} s would never let a call happen")

    async def call(self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` and wait at most `seconds` for it.

        Raises:
            DeadlineExceeded: It took longer. A TimeoutError of `fn` itself comes through as it is.
        """
        own_time = self.clock is SYSTEM_CLOCK
        scope = asyncio.timeout(self.seconds if own_time else None)
        try:
            if own_time:
                async with scope:
                    return await fn(*args, **kwargs)
            with self._expire_by_clock(scope):
                async with scope:
                    return await fn(*args, **kwargs)
        except TimeoutError as error:
            if scope.expired():
                raise DeadlineExceeded(f"not finished within {self.seconds:g} s") from error
            raise

    @contextmanager
    def _expire_by_clock(self, scope: asyncio.Timeout) -> Iterator[None]:
        """Let an injected clock, not the event loop's, end `scope`."""
        alarm = asyncio.ensure_future(self.clock.sleep(self.seconds))
        alarm.add_done_callback(
            lambda done: None if done.cancelled() else scope.reschedule(asyncio.get_running_loop().time())
        )
        try:
            yield
        finally:
            alarm.cancel()


def timeout(seconds: float, *, clock: Clock = SYSTEM_CLOCK) -> Timeout:
    """Give each call `seconds` to finish.

    Raises:
        ValueError: `seconds` is not positive.
    """
    return Timeout(seconds, clock)
