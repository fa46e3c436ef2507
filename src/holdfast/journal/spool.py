"""Keeps batches of lines on the disk until a server has them: bounded, oldest first, found again by the next process.

Each process has a folder of its own inside the spool's, held by a lock. Whoever opens the spool takes over what
processes left that are gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from pathlib import Path
from typing import Final

SUFFIX: Final = ".lines"
LOCK: Final = "lock"


class Spool:
    """Batches on the disk, one file each. `dropped` counts lines that the bound pushed out or the disk refused."""

    def __init__(self, folder: str | Path, most_bytes: int) -> None:
        self._root = Path(folder)
        self._most_bytes = most_bytes
        self._number = 0
        self.dropped = 0
        self._root.mkdir(parents=True, exist_ok=True)
        self._own = self._root / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._own.mkdir()
        self._lock = _lock(self._own / LOCK)
        self._batches: dict[Path, int] = {}
        self._in_hand: Path | None = None
        self._adopt()

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def size_bytes(self) -> int:
        """How much waits on the disk."""
        return sum(self._batches.copy().values())

    def put(self, lines: list[str]) -> None:
        """Keep a batch; the oldest ones go when there is no room."""
        data = "\n".join(lines).encode("utf-8", "replace")
        self._number += 1
        fresh = self._own / f"{self._number:012d}-{len(lines)}{SUFFIX}"
        half = fresh.with_suffix(".half")
        try:
            half.write_bytes(data)
            half.rename(fresh)
        except OSError:
            self.dropped += len(lines)
            half.unlink(missing_ok=True)
            return
        self._batches[fresh] = len(data)
        while self.size_bytes > self._most_bytes:
            oldest = next((path for path in list(self._batches) if path not in {self._in_hand, fresh}), None)
            if oldest is None:
                return
            self.dropped += _lines_of(oldest)
            self.remove(oldest)

    def oldest(self) -> tuple[Path, list[str]] | None:
        """Give the batch that waits longest; it stays until it is removed, whatever the bound says."""
        for path in list(self._batches):
            self._in_hand = path
            try:
                return path, path.read_text("utf-8").split("\n")
            except FileNotFoundError:
                self._batches.pop(path, None)
        return None

    def remove(self, path: Path) -> None:
        """Forget a batch."""
        self._batches.pop(path, None)
        path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave what waits to the next process."""
        if not self._batches:
            (self._own / LOCK).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # half a batch that a full disk left
                self._own.rmdir()
        os.close(self._lock)

    def leave_to_parent(self) -> None:
        """Let go of the lock in a forked child, so that it ends with the parent."""
        os.close(self._lock)

    def _adopt(self) -> None:
        """Take over batches of processes that are gone, oldest first."""
        for folder in sorted(self._root.iterdir()):
            if folder == self._own or not (folder / LOCK).exists():
                continue
            try:
                held = _lock(folder / LOCK)
            except (BlockingIOError, FileNotFoundError):  # alive, or another process has just taken it over
                continue
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                self._number += 1
                target = self._own / f"{self._number:012d}-{_lines_of(path)}{SUFFIX}"
                path.rename(target)
                self._batches[target] = target.stat().st_size
            for left in folder.iterdir():
                left.unlink()
            folder.rmdir()
            os.close(held)


def _lines_of(path: Path) -> int:
    return int(path.stem.partition("-")[2])


def _lock(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise
    return fd
