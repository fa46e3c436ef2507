"""One open file, read line by line from where it was left: what is cut, truncated or replaced in place is noticed.

A file is known by its device, inode and first bytes, so that a new file with an old inode is no old file. What a file
held beyond when it was truncated is read from the copy that was made of it, if there is one (`copies`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from holdfast.cli.ship.copies import MARK, Marks, find_copy
from holdfast.cli.ship.entries import Batch, Entry
from holdfast.telemetry import CriJoiner, Joiner, recognise

_CHUNK: Final = 262_144
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
        self._copy: BinaryIO | None = None  # what was made of the file before it was truncated, while it is read
        status = os.fstat(self._file.fileno())
        self.path = path
        self.key = f"{status.st_dev}:{status.st_ino}"
        self.copied: dict[str, dict[str, Any]] = {}  # copies that were read to their end, for who finds them otherwise
        self._labels, self._host = labels, host
        self._offset = 0  # of the next byte to be read
        self._safe = 0  # all before it is in batches
        self._marks = Marks()
        self._reset()
        if known:
            self._offset = self._safe = int(known["offset"])
            self._marks = Marks.of(known)

    def _reset(self) -> None:
        self._offset = self._safe = 0
        self._marks = Marks()
        self._frames, self._held = CriJoiner(), _Held()
        self._parts_start: int | None = None
        self.quiet_since_s = time.monotonic()

    def position(self) -> dict[str, Any]:
        """Give where to go on."""
        return {"path": str(self.path), "offset": self._safe, **self._marks.position()}

    def fill(self, batch: Batch, *, is_last: bool) -> None:
        """Add whole lines; at last also the one that has no end."""
        while not batch.is_full:
            source, begin = self._copy or self._file, max(0, self._offset - MARK)
            chunk = os.pread(source.fileno(), _CHUNK + self._offset - begin, begin)
            if self._copy is None and self.is_truncated():  # what was read may be of the new content
                self._copy = find_copy(self.path, self.key, self._marks)
                if self._copy is None:
                    self._begin_anew(batch)
                continue
            lines = list(self._lines(chunk[self._offset - begin :], is_last=is_last or self._copy is not None))
            if not lines and self._copy is not None:
                self._begin_anew(batch)
                continue
            if not lines:
                break
            self.quiet_since_s = time.monotonic()
            for start, line in lines:
                self._offset = start + len(line)
                self._take(line.rstrip(b"\r\n"), start, batch)
            self._marks.note(chunk, begin, self._offset)
        is_quiet = time.monotonic() - self.quiet_since_s >= _JOINED_WITHIN_S
        if (is_last or is_quiet) and not batch.is_full:
            self._flush(batch, is_last=is_last)

    def is_truncated(self) -> bool:
        """Tell whether the file no longer begins with what was read, or ends before."""
        return self._marks.seen > 0 and not self._marks.are_in(self._file)

    def is_copied_to(self, path: Path) -> bool:
        """Tell whether another file holds what this one does, as far as both go: it is read when this is truncated."""
        try:
            with path.open("rb", buffering=0) as other:
                return self._is_copied_to(other)
        except OSError:
            return False  # gone, or not to be read, which opening it tells

    def _is_copied_to(self, other: BinaryIO) -> bool:
        size = os.fstat(other.fileno()).st_size
        if not size or not self._offset:
            return not size  # it may become one
        size = min(size, self._offset)
        places = {(0, min(MARK, size)), (max(0, size - MARK), min(MARK, size))}
        pairs = [[os.pread(file.fileno(), length, at) for file in (self._file, other)] for at, length in places]
        is_same = all(ours == theirs for ours, theirs in pairs)
        return is_same if not self.is_truncated() else self._marks.are_in(other)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._copy is not None:
            self._copy.close()

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

    def _emit(self, line: str, batch: Batch) -> None:
        if not line:
            return
        held, found = self._held, recognise(line)
        pairs = {"log_file_path": str(self.path), "log_offset": str(held.start), "host_name": self._host}
        pairs |= {"stream": held.stream} if held.stream else {}
        pairs |= {name: value for name, value in found.pairs() if name != "detected_level"}
        ts_ns = held.ts_ns if held.ts_ns is not None else found.ts_ns
        batch.add(Entry(self._labels, time.time_ns() if ts_ns is None else ts_ns, line, pairs))

    def _begin_anew(self, batch: Batch) -> None:
        """Go on at the start of what the file holds now."""
        self._flush(batch, is_last=True)
        if self._copy is not None:
            status = os.fstat(self._copy.fileno())
            self.copied[f"{status.st_dev}:{status.st_ino}"] = self.position()
            self._copy.close()
            self._copy = None
        self._reset()
