"""Writes finished lines to a stream, whole and one at a time, and never raises into the program that logs.

Files, rotation and shipping come later; a stream that a supervisor collects is enough for a service.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Final, TextIO

NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


class StreamSink:
    """The last station of a line. `dropped` counts lines that the stream refused: closed, broken pipe, full disk."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.dropped = 0
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
