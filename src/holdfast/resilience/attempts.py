"""Retries a block of code instead of a function: `for attempt in policy.attempts(): with attempt: ...`.

The same object serves `async for`. What is retried, and when, is decided in `courses`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from holdfast.resilience.clocks import Clock
from holdfast.resilience.courses import Course


class Attempt:
    """One try; enter it with `with` or `async with`. `number` counts from 1."""

    __slots__ = ("_caught", "_course", "_is_entered", "number", "wait_s")

    def __init__(self, course: Course, caught: tuple[type[Exception], ...]) -> None:
        self.number = course.attempt
        self.wait_s: float | None = None
        self._course = course
        self._caught = caught
        self._is_entered = False

    def __enter__(self) -> Self:
        """Begin."""
        self._is_entered = True
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> bool:
        """Swallow the error if there is another attempt."""
        if error is None:
            self.wait_s = self._course.answer(None)
        elif isinstance(error, self._caught):
            self.wait_s = self._course.fail(error)
        return error is not None and self.wait_s is not None

    async def __aenter__(self) -> Self:
        """Begin."""
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> bool:
        """Swallow the error if there is another attempt."""
        return self.__exit__(kind, error, traceback)

    def has_next(self) -> bool:
        """Tell whether another attempt follows.

        Raises:
            TypeError: The loop's body never entered this one.
        """
        if not self._is_entered:
            raise TypeError("write `with attempt:` around the body of the loop: nothing was guarded")
        return self.wait_s is not None


class Attempts:
    """The attempts of one block, waiting between them; for one loop only."""

    __slots__ = ("_caught", "_clock", "_course", "_last")

    def __init__(self, course: Course, clock: Clock, caught: tuple[type[Exception], ...]) -> None:
        self._course = course
        self._clock = clock
        self._caught = caught
        self._last: Attempt | None = None

    def __iter__(self) -> Attempts:
        """Loop in plain code."""
        return self

    def __aiter__(self) -> Attempts:
        """Loop in async code."""
        return self

    def __next__(self) -> Attempt:
        """Wait, then give the next attempt."""
        if self._last is not None:
            if not self._last.has_next():
                raise StopIteration
            self._clock.sleep_sync(self._last.wait_s or 0.0)
        return self._make()

    async def __anext__(self) -> Attempt:
        """Wait, then give the next attempt."""
        if self._last is not None:
            if not self._last.has_next():
                raise StopAsyncIteration
            await self._clock.sleep(self._last.wait_s or 0.0)
        return self._make()

    def _make(self) -> Attempt:
        self._last = Attempt(self._course, self._caught)
        return self._last
