"""The log of one run: lines from its code and its steps, masked, bounded, and written some at a time.

When there are more lines than are kept, the first and the last ones stay, and a line between them counts the rest.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from pydantic_core import to_jsonable_python

from holdfast.kernel.clock import Clock
from holdfast.kernel.runs.masking import Mask, mask_values
from holdfast.kernel.runs.records import Line

MAX_LINE_CHARS: Final = 8192
MAX_FIELDS_BYTES: Final = 16 * 1024
TAIL_LINES: Final = 200

_FLUSH_S: Final = 0.1
_FLUSH_LINES: Final = 200

WriteLines = Callable[[tuple[Line, ...]], object]


class RunOutput:
    """Takes lines from any thread; hands them on from the event loop's.

    Args:
        write: takes lines for the journal; they are durable some time later.
        mask: hides secrets.
        clock: stamps the lines.
        limit: of lines kept, the last `TAIL_LINES` not counted.
        first_seq: the number of the first line; later ones count up.
    """

    def __init__(self, write: WriteLines, mask: Mask, clock: Clock, *, limit: int, first_seq: int) -> None:
        self._write = write
        self._mask = mask
        self._clock = clock
        self._limit = limit
        self._seq = first_seq
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: list[Line] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_ended = False
        self._kept = 0
        self._dropped = 0
        self._tail: deque[tuple[str, str, str, Mapping[str, Any]]] = deque(maxlen=TAIL_LINES)

    def line(self, step: str, stream: str, text: str, fields: Mapping[str, Any]) -> None:
        """Take a line, from any thread; it is cut when it is too long."""
        if threading.get_ident() == self._thread:
            self._take(step, stream, text, fields)
            return
        try:
            self._loop.call_soon_threadsafe(self._take, step, stream, text, fields)
        except RuntimeError:
            return  # the loop has ended, and the process with it

    def flush(self) -> None:
        """Hand on what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            lines, self._waiting = tuple(self._waiting), []
            self._write(lines)

    def end(self) -> None:
        """Hand on everything, with the number of lines that were dropped and the last ones of them; take no more."""
        lost = self._dropped - len(self._tail)
        if lost > 0:
            self._add("", "log", f"{lost} lines were dropped here (runs.log_lines keeps {self._limit})", {})
        for line in self._tail:
            self._add(*line)
        self._tail.clear()
        self._dropped = 0
        self.flush()
        self._is_ended = True

    def _take(self, step: str, stream: str, text: str, fields: Mapping[str, Any]) -> None:
        if self._is_ended:
            return  # a thread that was given up still talks
        if self._kept < self._limit:
            self._kept += 1
            self._add(step, stream, text, fields)
            return
        if self._dropped == 0:
            self._add("", "log", "the log is full: of what follows only the end is kept", {})
        self._dropped += 1
        self._tail.append((step, stream, text, fields))

    def _add(self, step: str, stream: str, text: str, fields: Mapping[str, Any]) -> None:
        told = self._mask(text.replace("\0", ""))
        if len(told) > MAX_LINE_CHARS:
            told = f"{told[:MAX_LINE_CHARS]} ... (line cut)"
        self._waiting.append(Line(self._seq, self._clock.now(), step, stream, told, self._spell(fields)))
        self._seq += 1
        if len(self._waiting) >= _FLUSH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(_FLUSH_S, self.flush)

    def _spell(self, fields: Mapping[str, Any]) -> str | None:
        if not fields:
            return None
        text = orjson.dumps(mask_values(self._mask, "", to_jsonable_python(dict(fields), fallback=str)))
        return text.decode() if len(text) <= MAX_FIELDS_BYTES else None
