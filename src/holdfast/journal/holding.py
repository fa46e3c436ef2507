"""Keeps the lines of one piece of work back until it is known whether it went wrong: then all of them are written.

So a program can run at `warning`, or sample, and still has every debug line of the request that failed. The buffer is
bounded by lines and by characters; the oldest lines go first, and are counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Self

ERROR: Final = 40

Take = Callable[[str], None]


class Holders:
    """The buffers that are alive: while there are none, loggers need not look whether one is theirs."""

    __slots__ = ("_alive", "changed")

    def __init__(self) -> None:
        self._alive: set[int] = set()
        self.changed: Callable[[], None] = _nothing

    def __len__(self) -> int:
        return len(self._alive)

    def add(self, identity: int) -> None:
        """Take that a buffer is there."""
        self._alive.add(identity)
        self.changed()

    def remove(self, identity: int) -> None:
        """Take that a buffer is gone."""
        self._alive.discard(identity)
        if not self._alive:
            self.changed()


def _nothing() -> None:
    """Do nothing, until loggers are there."""


HOLDERS: Final = Holders()


class Held:
    """Lines that wait. `dropped` counts those that the bounds pushed out; `releasing` is the level that lets all go."""

    __slots__ = ("_chars", "_lines", "_most_chars", "_most_lines", "dropped", "is_released", "releasing")

    def __init__(self, most_lines: int, most_chars: int, releasing: int) -> None:
        self._lines: deque[tuple[Take, str]] = deque()
        self._most_lines = most_lines
        self._most_chars = most_chars
        self._chars = 0
        self.dropped = 0
        self.is_released = False
        self.releasing = releasing
        HOLDERS.add(id(self))

    def __del__(self) -> None:
        """Say that no context holds this one any more."""
        HOLDERS.remove(id(self))

    def keep(self, take: Take, line: str) -> None:
        """Keep a line back."""
        self._lines.append((take, line))
        self._chars += len(line)
        while len(self._lines) > self._most_lines or (self._chars > self._most_chars and len(self._lines) > 1):
            self._chars -= len(self._lines.popleft()[1])
            self.dropped += 1

    def release(self) -> None:
        """Write what waits, and from now on everything at once."""
        self.is_released = True
        while self._lines:
            take, line = self._lines.popleft()
            take(line)
        self._chars = 0


HELD: Final[ContextVar[Held | None]] = ContextVar("holdfast_journal_held", default=None)


class keep_on_error:  # noqa: N801 -- reads as a verb where it is used
    """Keep every line of what goes wrong: `with keep_on_error(): serve(request)`.

    Lines that the level or sampling would leave out wait; an error that leaves the block, a line at `error` or above,
    or `release()` writes them all, in their order; else they are forgotten. Tasks started inside share the buffer.

    Args:
        most_lines: How many lines wait; the oldest go first.
        most_chars: How many characters they may take together.
    """

    __slots__ = ("_before", "held")

    def __init__(self, *, most_lines: int = 1000, most_chars: int = 1_000_000) -> None:
        if most_lines < 1 or most_chars < 1:
            raise ValueError(f"most_lines={most_lines} and most_chars={most_chars} must be at least 1")
        self.held = Held(most_lines, most_chars, ERROR)
        self._before: Held | None = None

    def __enter__(self) -> Self:
        self._before = HELD.get()
        HELD.set(self.held)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            self.held.release()
        HELD.set(self._before)

    def release(self) -> None:
        """Say that it went wrong, where no error tells so."""
        self.held.release()
