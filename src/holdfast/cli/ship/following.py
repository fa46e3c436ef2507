"""One open file, read line by line from where it was left: what is cut, truncated or replaced in place is noticed.

A file is known by its device, inode and first bytes, so that a new file with an old inode is no old file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from holdfast.cli.ship.entries import Batch, Entry
from holdfast.telemetry import CriJoiner, Joiner, recognise

_CHUNK: Final = 262_144
_HEAD: Final = 256
_LONGEST: Final = 200_000  # bytes of a line; a longer one comes in pieces
_JOINED_WITHIN_S: Final = 1.0


@dataclass(slots=True)
class _Held:
    """The record that may go on: where it began, and what its frame said."""

    joiner: Joiner = field(default_factory=Joiner)
    start: int = 0
    ts_ns: int | None = None
    stream: str = ""


class FollowedFile:
    """Reads one file; `labels` are those of its stream."""

    def __init__(self, path: Path, labels: tuple[tuple[str, str], ...], host: str, known: dict[str, Any]) -> None:
        self._file = path.open("rb", buffering=0)
        status = os.fstat(self._file.fileno())
        self.path = path
        self.key = f"{status.st_dev}:{status.st_ino}"
        self._labels, self._host = labels, host
        self._offset = 0  # of the next byte to be read
        self._safe = 0  # all before it is in batches
        self._head, self._head_length = "", 0
        self._reset()
        if known and known.get("head") == self._hash(int(known.get("head_length", 0))):
            self._offset = self._safe = int(known["offset"])
            self._head, self._head_length = known["head"], int(known["head_length"])

    def _reset(self) -> None:
        self._offset = self._safe = 0
        self._head, self._head_length = "", 0
        self._frames, self._held = CriJoiner(), _Held()
        self._parts_start: int | None = None
        self.quiet_since_s = time.monotonic()

    def position(self) -> dict[str, Any]:
        """Give where to go on."""
        return {
            "path": str(self.path),
            "offset": self._safe,
            "head": self._head,
            "head_length": self._head_length,
        }

    def fill(self, batch: Batch, *, is_last: bool) -> None:
        """Add whole lines; at last also the one that has no end."""
        self._notice_truncation(batch)
        while not batch.is_full:
            data = os.pread(self._file.fileno(), _CHUNK, self._offset)
            if not data:
                break
            lines = list(self._lines(data, is_last=is_last))
            if not lines:
                break
            self.quiet_since_s = time.monotonic()
            for start, line in lines:
                self._offset = start + len(line)
                self._take(line.rstrip(b"\r\n"), start, batch)
        is_quiet = time.monotonic() - self.quiet_since_s >= _JOINED_WITHIN_S
        if (is_last or is_quiet) and not batch.is_full:
            self._flush(batch, is_last=is_last)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self, data: bytes, *, is_last: bool) -> Iterator[tuple[int, bytes]]:
        start, begin = self._offset, 0
        while (end := data.find(b"\n", begin)) >= 0:
            yield start + begin, data[begin : end + 1]
            begin = end + 1
        rest = data[begin:]
        if rest and (len(rest) >= _LONGEST or (is_last and len(data) < _CHUNK)):
            yield start + begin, rest[:_LONGEST]

    def _take(self, line: bytes, start: int, batch: Batch) -> None:
        if self._parts_start is None:
            self._parts_start = start
        framed = self._frames.add(line.decode(errors="replace"))
        if framed is None:
            return
        safe = self._parts_start
        if not self._frames:
            self._parts_start = None
        held = self._held
        is_first = not held.joiner
        whole = held.joiner.add(framed.line)
        if whole is not None:
            self._emit(whole, batch)
        if whole is not None or is_first:
            held.start, held.ts_ns, held.stream = start, framed.ts_ns, framed.stream
            self._safe = safe

    def _flush(self, batch: Batch, *, is_last: bool) -> None:
        if (whole := self._held.joiner.flush()) is not None:
            self._emit(whole, batch)
        if is_last:
            for framed in self._frames.rest():
                self._held.start, self._held.ts_ns, self._held.stream = self._safe, None, framed.stream
                self._emit(framed.line, batch)
            self._parts_start = None
        self._safe = self._offset if self._parts_start is None else self._parts_start
        self._remember_head()

    def _emit(self, line: str, batch: Batch) -> None:
        if not line:
            return
        held, found = self._held, recognise(line)
        pairs = {"log_file_path": str(self.path), "log_offset": str(held.start), "host_name": self._host}
        pairs |= {"stream": held.stream} if held.stream else {}
        pairs |= {name: value for name, value in found.pairs() if name != "detected_level"}
        ts_ns = held.ts_ns if held.ts_ns is not None else found.ts_ns
        batch.add(Entry(self._labels, time.time_ns() if ts_ns is None else ts_ns, line, pairs))
        if self._head_length < _HEAD:
            self._remember_head()

    def _notice_truncation(self, batch: Batch) -> None:
        size = os.fstat(self._file.fileno()).st_size
        if size < self._offset or (self._head_length and self._hash(self._head_length) != self._head):
            self._flush(batch, is_last=True)
            self._reset()

    def _remember_head(self) -> None:
        length = min(_HEAD, self._offset)
        self._head, self._head_length = self._hash(length), length

    def _hash(self, length: int) -> str:
        return hashlib.sha256(os.pread(self._file.fileno(), length, 0)).hexdigest()[:32]
