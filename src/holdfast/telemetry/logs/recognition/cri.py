"""The frame that Kubernetes' container runtimes put around each line: `<time> stdout F <line>`, with parts joined.

Source: the Container Runtime Interface, "logging"; `P` marks a part of a line, `F` its end.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from holdfast.telemetry.logs.recognition.times import from_text

_FRAME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) (stdout|stderr) ([PF])(?::\S*)?(?: |$)")
_LONGEST: Final = 256 * 1024


class Framed(NamedTuple):
    """A whole line; `ts_ns` is None and `stream` empty where there was no frame."""

    ts_ns: int | None
    stream: str
    line: str


class CriJoiner:
    """Takes frames off the lines of one stream, and holds the parts of a line that has not ended."""

    def __init__(self) -> None:
        self._parts: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, line: str) -> Framed | None:
        """Take a line; gives a whole one, or None for a part of one."""
        found = _FRAME.match(line) if line[:2].isdigit() else None
        ts_ns = from_text(found[1]) if found else None
        if found is None or ts_ns is None:
            return Framed(None, "", line)
        stream, parts = found[2], self._parts.setdefault(found[2], [])
        parts.append(line[found.end() :])
        if found[3] == "P" and sum(map(len, parts)) < _LONGEST:
            return None
        del self._parts[stream]
        return Framed(ts_ns, stream, "".join(parts))

    def rest(self) -> list[Framed]:
        """Give what never ended."""
        found = [Framed(None, stream, "".join(parts)) for stream, parts in self._parts.items()]
        self._parts.clear()
        return found
