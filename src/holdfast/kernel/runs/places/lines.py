"""Cuts what a process writes into lines, bounded in length, and keeps the end of it."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from typing import Final

MAX_LINE_CHARS: Final = 8192

_CUT: Final = " ... (line cut)"


class LineCutter:
    """Feed it bytes, get lines. A line that a carriage return overwrites counts by its last version."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._is_cutting = False

    def feed(self, data: bytes, *, is_end: bool = False) -> Iterator[str]:
        """Give the lines that are complete; at the end also one that is not."""
        *lines, self._rest = (self._rest + self._decoder.decode(data, is_end)).split("\n")
        for line in lines:
            if not self._is_cutting:
                yield _tidy(line)
            self._is_cutting = False
        if len(self._rest) > MAX_LINE_CHARS:
            if not self._is_cutting:
                yield _tidy(self._rest)
            self._rest, self._is_cutting = "", True
        if is_end and self._rest and not self._is_cutting:
            yield _tidy(self._rest)


class Tail:
    """The last bytes of a stream, bounded."""

    def __init__(self, keep_bytes: int) -> None:
        self._keep = keep_bytes
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self.is_cut = False

    def feed(self, data: bytes) -> None:
        """Add to the end, forget from the beginning."""
        self._pieces.append(data)
        self._held += len(data)
        while self._pieces and self._held - len(self._pieces[0]) >= self._keep:
            self._held -= len(self._pieces.popleft())
            self.is_cut = True

    def text(self) -> str:
        """Give what is kept."""
        kept = b"".join(self._pieces)
        self.is_cut = self.is_cut or len(kept) > self._keep
        return kept[-self._keep :].decode(errors="replace") if self._keep else ""


def _tidy(line: str) -> str:
    line = line.rstrip("\r").rpartition("\r")[2]
    return line if len(line) <= MAX_LINE_CHARS else line[:MAX_LINE_CHARS] + _CUT
