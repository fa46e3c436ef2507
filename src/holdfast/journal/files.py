"""Writes lines to a file that rotates, several processes into one file, without a lock per line.

Each line is one `write` in append mode, which the kernel does not tear. A process holds a shared `flock` on the file as
long as it has it open, so `archives` never compresses or removes what somebody may still write to. Whoever sees that
the file is due renames it under an exclusive lock; the others see another inode and follow within a quarter second.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import weakref
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.journal.archives import Archives, Retention
from holdfast.journal.sinks import LineSink

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_EVERY_S: Final = 0.25
PERIODS_S: Final = {"minute": 60, "hour": 3600, "day": 86_400}
FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC

_FILES: Final[weakref.WeakSet[LogFile]] = weakref.WeakSet()
_HOOKS: Final[list[str]] = []


class LogFile(LineSink):
    """A file of lines that rotates by size and by time. `failures` counts rotations that an error of the disk stopped.

    Args:
        path: The file; its folder is made. Rotated files stand beside it as `NAME.20260131T...Z[.gz]`.
        max_bytes: Rotate when the file is so large; 0 for never. Others may write past it for a quarter second.
        every: Rotate at each new `minute`, `hour` or `day` (UTC); empty for never.
        retention: What becomes of rotated files.

    Raises:
        ValueError: A size or period is none.
        OSError: The file cannot be opened.
    """

    def __init__(
        self, path: str | Path, *, max_bytes: int = 0, every: str = "", retention: Retention | None = None
    ) -> None:
        super().__init__()
        if max_bytes < 0:
            raise ValueError(f"max_bytes={max_bytes} is no size; give bytes, or 0 to never rotate by size")
        if every and every not in PERIODS_S:
            raise ValueError(f"every={every!r} is no period; choose {', '.join(PERIODS_S)} or leave it empty")
        self.path = Path(path)
        self.rotations = 0
        self.failures = 0
        self._max_bytes = max_bytes or (1 << 63)
        self._period_s = PERIODS_S.get(every, 0)
        self._lock = threading.Lock()
        self._is_torn = False
        self.archives = Archives(self.path, retention or Retention())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = self._open()
        self._look_at_s = 0.0
        self._size = 0
        self._due_s = self._end_of_period_s()
        self._measure()
        _renew_after_fork(self)

    def write_line(self, line: str) -> None:
        """Write one line."""
        data = f"{line}\n".encode("utf-8", "replace")
        if time.monotonic() >= self._look_at_s:
            self._look()
        if self._is_torn:
            data = b"\n" + data
        try:
            written = os.write(self._fd, data)
        except OSError:
            self.dropped += 1
            return
        self._is_torn = False
        self._size += written
        if self._size >= self._max_bytes > self._size - written:
            self._look_at_s = 0.0
        if written != len(data):
            self._finish(data[written:])

    def close(self, deadline_s: float = 2.0) -> None:
        """Close the file, and wait for what is being compressed."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
        self.archives.wait(deadline_s)

    def renew(self) -> None:
        """Forget locks that another thread of the parent process held at a fork."""
        self._lock = threading.Lock()
        self.archives.renew()

    def _open(self) -> int:
        """Open the file that has the name now, with the shared lock that protects it."""
        while True:
            fd = os.open(self.path, FLAGS, 0o640)
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
                if _is_same(fd, self.path):
                    return fd
            except BlockingIOError:
                pass  # it is being archived
            os.close(fd)  # it was rotated between the two calls

    def _look(self) -> None:
        """Follow a file that others rotated, rotate one that is due; one thread does it, the others write on."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._fd < 0:
                return
            if not _is_same(self._fd, self.path):
                self._switch()
            self._measure()
            if self._is_due():
                self._rotate()
        except OSError:  # a full disk, a folder that is gone: lines go where they went, or are counted
            self.failures += 1
            self._look_at_s = time.monotonic() + LOOK_EVERY_S
        finally:
            self._lock.release()

    def _measure(self) -> None:
        self._size = os.fstat(self._fd).st_size
        self._look_at_s = time.monotonic() + LOOK_EVERY_S

    def _end_of_period_s(self) -> float:
        """Give the moment at which the file just opened is due: after the period of its last line."""
        if not self._period_s:
            return float("inf")
        state = os.fstat(self._fd)
        began_s = state.st_mtime if state.st_size else time.time()
        return (began_s // self._period_s + 1) * self._period_s

    def _is_due(self) -> bool:
        return self._size > 0 and (self._size >= self._max_bytes or time.time() >= self._due_s)

    def _rotate(self) -> None:
        with _exclusive(self.archives.lock_path) as is_ours:
            if is_ours and _is_same(self._fd, self.path):
                self.path.rename(self.archives.name_for(datetime.now(UTC)))
                self.rotations += 1
        self._switch()
        self._measure()
        self.archives.tidy_soon()

    def _switch(self) -> None:
        """Let the descriptor mean the new file, at once for all threads; closing the old one frees its lock."""
        fresh = self._open()
        os.dup2(fresh, self._fd, inheritable=False)
        os.close(fresh)
        self._due_s = self._end_of_period_s()

    def _finish(self, rest: bytes) -> None:
        """Write the rest of a line that did not go out whole; one that stays torn is counted, and ended by the next."""
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            self.dropped += 1
            self._is_torn = True


def _is_same(fd: int, path: Path) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(fd)
    return (ours.st_ino, ours.st_dev) == (named.st_ino, named.st_dev)


@contextmanager
def _exclusive(path: Path) -> Iterator[bool]:
    """Hold the lock of a log's rotation; False when another process has it, which then does the work."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def _renew_after_fork(file: LogFile) -> None:
    if not _HOOKS:
        _HOOKS.append("fork")
        os.register_at_fork(after_in_child=_renew_all)
    _FILES.add(file)


def _renew_all() -> None:
    for file in list(_FILES):
        file.renew()
