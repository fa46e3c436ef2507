"""What containers and Jobs have in common: their name, the command that calls a function there, and their output."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Coroutine
from typing import Any, Final

import httpx

from holdfast import journal
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.runs.places.callee import MARK
from holdfast.kernel.runs.places.errors import StepPlaceError
from holdfast.kernel.runs.places.lines import LineCutter, Tail
from holdfast.kernel.runs.places.ports import Command, Stream, Work
from holdfast.kernel.runs.places.remote import CALLEE, Answers, spell_request

MAX_REQUEST_BYTES: Final = 100_000  # one argument of a process holds 128 KiB (Linux, MAX_ARG_STRLEN)
MAX_RESULT_BYTES: Final = 1024 * 1024

_log = journal.get_logger("holdfast.runs")

_MARK: Final = MARK.encode()
_STAMP: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\S+) ?")


def name_of(work: Work) -> str:
    """Give the name that every try at this attempt has, so that whoever comes after a crash finds what runs already."""
    digest = hashlib.sha256(f"{work.idempotency_key}:{work.attempt}".encode()).hexdigest()
    return f"holdfast-{digest[:32]}"


def spell_argv(work: Work, python: str) -> list[str]:
    """Give the command to run there.

    Raises:
        StepPlaceError: the function or its arguments cannot go there.
    """
    if isinstance(work.todo, Command):
        if not work.todo.argv or work.todo.stdin:
            raise _refuse(work, "its command is empty or has input", "give argv, and no stdin")
        return list(work.todo.argv)
    request = spell_request(work, is_near=False)
    if len(request) > MAX_REQUEST_BYTES:
        raise _refuse(work, f"its arguments have {len(request)} bytes", "put them into a blob, and pass its key")
    if b'"main":""' not in request:
        raise _refuse(work, "its function stands in the main script", "move it into a module that the image has")
    return [python, "-c", CALLEE.read_text(encoding="utf-8"), "-", request.decode()]


def _refuse(work: Work, why: str, hint: str) -> StepPlaceError:
    return StepPlaceError(f"step {work.name} cannot run in a container: {why}", hint=hint)


async def tidy_up(work: Work, removing: Coroutine[Any, Any, None], name: str) -> None:
    """Remove what a cancelled step leaves far away; when that fails it is told, and the cancelling goes on."""
    if work.is_handed_over():
        removing.close()
        return
    try:
        await asyncio.shield(removing)
    except (httpx.HTTPError, HoldfastError) as error:
        _log.warning("runs.left_behind", name=name, error=str(error))


class DistantListener:
    """Takes the output of a step far away: lines for the log, and the answer that is marked among them.

    With time stamps in front of the lines, those that come again after a broken connection are passed over.
    """

    def __init__(self, work: Work) -> None:
        keep = work.todo.keep_bytes if isinstance(work.todo, Command) else 0
        self.tails: dict[str, Tail] = {"stdout": Tail(keep), "stderr": Tail(keep)}
        self.answers = Answers(work, MAX_RESULT_BYTES)
        self._seen: dict[Stream, str] = {"stdout": "", "stderr": ""}
        self._work = work
        self._cutters: dict[Stream, LineCutter] = {"stdout": LineCutter(), "stderr": LineCutter()}
        self._rest: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}

    @property
    def since(self) -> str:
        """Give the second from which on output may be missing, as `2026-01-01T00:00:00`; empty for all of it."""
        return min((stamp for stamp in self._seen.values() if stamp), default="")[:19]

    def take(self, stream: Stream, data: bytes) -> None:
        """Take some bytes, lines with stamps."""
        *lines, self._rest[stream] = (self._rest[stream] + data).split(b"\n")
        for line in lines:
            self._take_line(stream, line + b"\n")
        if len(self._rest[stream]) > 2 * MAX_RESULT_BYTES:
            self._take_line(stream, self._rest[stream] + b"\n")
            self._rest[stream] = b""

    def reconnect(self) -> None:
        """Forget a line that was cut off; it comes again."""
        self._rest = {"stdout": b"", "stderr": b""}

    def end(self) -> None:
        """Take a last line although it has no end."""
        for stream, rest in self._rest.items():
            if rest:
                self._take_line(stream, rest)
            for line in self._cutters[stream].feed(b"", is_end=True):
                self._work.write(stream, line, {})

    def _take_line(self, stream: Stream, line: bytes) -> None:
        stamped = _STAMP.match(line)
        if stamped is not None:
            stamp = stamped[1].decode()
            if stamp <= self._seen[stream]:
                return
            self._seen[stream], line = stamp, line[stamped.end() :]
        if line.startswith(_MARK):
            self.answers.take(line[len(_MARK) :])
            return
        self.tails[stream].feed(line)
        for text in self._cutters[stream].feed(line):
            self._work.write(stream, text, {})
