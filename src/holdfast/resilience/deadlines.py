"""How much time the work at hand has left, known to everything below it without being handed down.

A deadline lives in a context variable: tasks that are started and threads that copy the context inherit it, for as
long as the work goes on that it was set for. The tighter one holds, and an error names whose it was. Ending work is the
business of `timeouts`; passing a deadline on to other processes that of `deadline_headers`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from holdfast.resilience.clocks import Clock
from holdfast.resilience.errors import DeadlineExceeded


class Deadline:
    """A moment on a clock by which work must be done.

    Attributes:
        name: Whose it is, as errors shall say.
        at_s: The moment, on `clock`.
        outer: The deadline that held before it, and holds again after.
        task: The task that is cancelled when it passes; None where nobody watches.
        is_over: Whether the work that it was set for has ended.
        was_late: Whether that was because the time was over.
    """

    __slots__ = ("at_s", "clock", "is_over", "name", "outer", "seconds", "task", "was_late")

    def __init__(self, name: str, seconds: float, clock: Clock, outer: Deadline | None) -> None:
        self.name = name
        self.seconds = seconds
        self.clock = clock
        self.at_s = clock.monotonic() + seconds
        self.outer = outer
        self.is_over = False
        self.was_late = False
        self.task: asyncio.Task[Any] | None = None

    def __str__(self) -> str:
        """Name it as messages do."""
        return (
            f"the deadline {self.name!r} of {self.seconds:g} s" if self.name else f"the deadline of {self.seconds:g} s"
        )

    @property
    def remaining_s(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.at_s - self.clock.monotonic()

    @property
    def holds(self) -> bool:
        """Whether it binds the code that asks.

        A task that outlives the work in which it was started is somebody else's: a background task that a request
        happened to start must not fail for ever. A thread that goes on after the time was over should learn of it.
        """
        return not self.is_over or (self.was_late and not _is_in_event_loop())

    def finish(self, error: BaseException | None) -> None:
        """Note that the work has ended, with `error` or well."""
        self.is_over = True
        self.was_late = error is not None and self.remaining_s <= 0

    def exceeded(self) -> DeadlineExceeded:
        """Make the error that says that it has passed."""
        whose = f"{self.name!r}: " if self.name else ""
        return DeadlineExceeded(f"{whose}not finished within {self.seconds:g} s", policy=self.name)


def find_tightest(deadline: Deadline | None) -> Deadline | None:
    """Give the one among `deadline` and those around it that holds here and passes first."""
    tightest = None
    while deadline is not None:
        if deadline.holds and (tightest is None or deadline.remaining_s < tightest.remaining_s):
            tightest = deadline
        deadline = deadline.outer
    return tightest


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


CURRENT: Final[ContextVar[Deadline | None]] = ContextVar("holdfast.resilience.deadline", default=None)


def current_deadline() -> Deadline | None:
    """Give the deadline that holds here, the tightest one; None where there is none."""
    return find_tightest(CURRENT.get())


def remaining() -> float | None:
    """Give the seconds left to the work at hand, never less than 0; None where nothing limits it.

    Hand it to what takes a timeout: `socket.settimeout(remaining())`.
    """
    deadline = current_deadline()
    return None if deadline is None else max(0.0, deadline.remaining_s)


@contextmanager
def without_deadline() -> Iterator[None]:
    """Forget the deadline inside: for work that a request starts and that must outlive it."""
    token = CURRENT.set(None)
    try:
        yield
    finally:
        CURRENT.reset(token)


def check_deadline() -> None:
    """Go on only while there is time; call it now and then in long plain code, which nothing else can end.

    Raises:
        DeadlineExceeded: The time is over; `policy` names whose it was.
    """
    deadline = current_deadline()
    if deadline is not None and deadline.remaining_s <= 0:
        raise deadline.exceeded()
