"""The last station of a line: a stream, whole lines one at a time, and never an error into the program that logs.

Files stand in `files`, other machines in `shipping`.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Final, TextIO

NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


class LineSink:
    """Where lines end. `dropped` counts lines that it could not take: closed, broken pipe, full disk, full queue."""

    def __init__(self) -> None:
        self.dropped = 0

    def write_line(self, line: str) -> None:
        """Write one line, without its end."""
        raise NotImplementedError

    def close(self, deadline_s: float = 2.0) -> None:
        """Finish what can be finished within `deadline_s` seconds; nothing for most."""


class StreamSink(LineSink):
    """Writes to a text stream and flushes each line."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        self._lock = threading.Lock()

    def write_line(self, line: str) -> None:
        """Write one line and flush it."""
        with self._lock:
            try:
                self._write(f"{line}\n")
            except (OSError, ValueError):
                self.dropped += 1

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
        except UnicodeEncodeError:
            self.stream.write(NOT_ASCII.sub(_escape, text))
        self.stream.flush()


def _escape(found: re.Match[str]) -> str:
    """Write a character as JSON escapes it, so that a JSON line stays one."""
    return json.dumps(found.group())[1:-1]
