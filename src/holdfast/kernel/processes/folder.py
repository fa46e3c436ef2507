"""The data folder: made on first use, owned by one process at a time through a lock that dies with its owner."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from holdfast.kernel.errors import ConflictError, StorageFullError, UnavailableError

_LOCK: Final = "holdfast.lock"


class DataFolder:
    """A folder with an exclusive lock on it. The lock is the kernel's (flock), so a killed owner leaves none."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def claim(cls, path: Path) -> DataFolder:
        """Make `path` if it is missing and take its lock.

        Raises:
            ConflictError: another process owns it; the message names its pid.
            UnavailableError: the folder cannot be made or written.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise ConflictError(
                f"the data folder {path} is in use by process {owner}",
                hint="stop that process, or start with another folder: --data DIR",
            ) from error
        with contextlib.suppress(OSError):  # the pid is a courtesy; the lock holds on a full disk too
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return cls(path, lock)

    def release(self) -> None:
        """Give the folder up; the lock file stays, empty."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
        os.close(self._lock)


def _unusable(path: Path, error: OSError) -> Exception:
    if error.errno == 28:
        return StorageFullError(f"the data folder {path} cannot be made: the disk is full")
    return UnavailableError(
        f"the data folder {path} cannot be used: {error.strerror}", hint="check its permissions, or use --data DIR"
    )
