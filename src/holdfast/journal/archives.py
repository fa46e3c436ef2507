"""What becomes of rotated files: they are compressed, and removed by age, number and size, in a thread of their own.

A file is touched only under an exclusive lock, which nobody gets while a process may still write to it. What a crash
leaves (half an archive, a file beside its finished archive) is put right by the next round.
"""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

HALF: Final = ".half"
DONE: Final = ".gz"


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past stays.

    Attributes:
        compress: Whether rotated files are compressed with gzip.
        keep_files: How many rotated files stay; 0 for all.
        keep_for: How long they stay after their last line; None for ever.
        keep_bytes: How many bytes they may take together; 0 for any.
    """

    compress: bool = True
    keep_files: int = 0
    keep_for: timedelta | None = None
    keep_bytes: int = 0


class Archives:
    """The rotated files of one log. `failures` counts rounds that an error of the disk ended."""

    def __init__(self, path: Path, retention: Retention) -> None:
        self.path = path
        self.lock_path = path.with_name(f".{path.name}.lock")
        self._tidy_path = path.with_name(f".{path.name}.tidy")
        self.failures = 0
        self._retention = retention
        self._thread: threading.Thread | None = None
        self._again = threading.Event()

    def name_for(self, moment: datetime) -> Path:
        """Give a name that no file has."""
        return self.path.with_name(f"{self.path.name}.{moment:%Y%m%dT%H%M%S.%f}-{os.getpid()}Z")

    def files(self) -> list[Path]:
        """Give the rotated files, oldest first."""
        found = self.path.parent.glob(f"{_quoted(self.path.name)}.2*Z*")
        return sorted(path for path in found if not path.name.endswith(HALF))

    def tidy_soon(self) -> None:
        """Have a round made in the background."""
        self._again.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._tidy_all, name="journal-archives", daemon=True)
            self._thread.start()

    def renew(self) -> None:
        """Forget the thread of the parent process, which a fork does not copy."""
        self._thread = None
        self._again = threading.Event()

    def wait(self, deadline_s: float) -> None:
        """Wait for the round that runs."""
        thread = self._thread
        if thread is not None:
            thread.join(deadline_s)

    def _tidy_all(self) -> None:
        while self._again.is_set():
            self._again.clear()
            try:
                self.tidy()
            except OSError:
                self.failures += 1

    def tidy(self) -> None:
        """Make one round: compress, then remove what is over the bounds. One process at a time."""
        lock = os.open(self._tidy_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._retention.compress:
                for path in self.files():
                    if not path.name.endswith(DONE):
                        self._compress(path)
            self._remove_old()
        finally:
            os.close(lock)

    def _compress(self, path: Path) -> None:
        """Make `path.gz` whole and durable before `path` goes."""
        done, half = path.with_name(path.name + DONE), path.with_name(path.name + HALF)
        with path.open("rb") as raw:
            if not _is_left_alone(raw.fileno()):
                return
            if not done.exists():
                with gzip.open(half, "wb", compresslevel=6) as packed:
                    shutil.copyfileobj(raw, packed, 1 << 20)
                _sync(half)
                shutil.copystat(path, half)
                half.rename(done)
            path.unlink()

    def _remove_old(self) -> None:
        limits, taken, now_s = self._retention, 0, time.time()
        for number, path in enumerate(reversed(self.files()), start=1):
            state = path.stat()
            taken += state.st_size
            is_old = limits.keep_for is not None and now_s - state.st_mtime > limits.keep_for.total_seconds()
            is_over = bool(limits.keep_files and number > limits.keep_files)
            is_much = bool(limits.keep_bytes and taken > limits.keep_bytes)
            if is_old or is_over or is_much:
                with path.open("rb") as raw:
                    if _is_left_alone(raw.fileno()):
                        path.unlink()


def _is_left_alone(fd: int) -> bool:
    """Tell whether no process has a file open for writing; the lock is held until `fd` is closed."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _quoted(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
