"""What step code prints in this process goes into its run's log too: told apart by context, so by task and by thread.

While an engine runs, `sys.stdout` and `sys.stderr` are wrapped. They write on as before; inside a step its printout
gets the text too. What goes past them (`sys.stdout.buffer`, a C library, a process of the step's own) is not heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any, Final, TextIO, cast

from holdfast.kernel.runs.output import MAX_LINE_CHARS
from holdfast.kernel.runs.places import Stream, WriteLine

_lock = threading.Lock()
_users = 0


class Printout:
    """Cuts what one attempt prints into lines; `write` is called in the event loop's thread."""

    __slots__ = ("_loop", "_rest", "_write")

    def __init__(self, write: WriteLine, loop: asyncio.AbstractEventLoop) -> None:
        self._write = write
        self._loop = loop
        self._rest: dict[Stream, str] = {}

    def take(self, stream: Stream, text: str) -> None:
        """Take a piece of text, from any thread."""
        with _lock:
            *lines, rest = (self._rest.get(stream, "") + text).split("\n")
            if len(rest) > MAX_LINE_CHARS:
                lines, rest = [*lines, rest], ""
            self._rest[stream] = rest
        for line in lines:
            self._say(stream, line)

    def end(self) -> None:
        """Take the last lines although they have no end."""
        for stream, rest in self._rest.items():
            if rest:
                self._say(stream, rest)
        self._rest = {}

    def _say(self, stream: Stream, line: str) -> None:
        if _running_loop() is self._loop:
            self._write(stream, line.removesuffix("\r"), {})
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the run with it
            self._loop.call_soon_threadsafe(self._write, stream, line.removesuffix("\r"), {})


PRINTOUT: Final[ContextVar[Printout | None]] = ContextVar("holdfast_printout", default=None)


@contextlib.contextmanager
def heard(write: WriteLine) -> Iterator[None]:
    """Have what is printed in this context handed to `write`, line by line."""
    printout = Printout(write, asyncio.get_running_loop())
    before = PRINTOUT.set(printout)
    try:
        yield
    finally:
        PRINTOUT.reset(before)
        printout.end()


class _Wrapped:
    """A stream that writes on to the one under it, and tells the printout of the context."""

    def __init__(self, under: TextIO, stream: Stream) -> None:
        self.under = under
        self._stream = stream

    def write(self, text: str) -> int:
        printout = PRINTOUT.get()
        if printout is not None:
            printout.take(self._stream, text)
        return self.under.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.under, name)


@contextlib.contextmanager
def heard_by_steps() -> Iterator[None]:
    """Wrap the process's streams for as long as an engine runs; of several, the last one gives them back."""
    global _users  # noqa: PLW0603 -- the streams are the process's
    with _lock:
        _users += 1
        _wrap()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _unwrap()


def _wrap() -> None:
    for name in ("stdout", "stderr"):
        there = getattr(sys, name)
        if there is not None and not isinstance(there, _Wrapped):
            setattr(sys, name, cast("TextIO", _Wrapped(there, name)))


def _unwrap() -> None:
    for name in ("stdout", "stderr"):
        there = getattr(sys, name)
        if isinstance(there, _Wrapped):  # somebody may have put another there meanwhile
            setattr(sys, name, there.under)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
