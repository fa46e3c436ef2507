"""The data folder of the embedded engine: whose it is, and whether it can be one.

One process at a time has it, by a kernel lock that cannot be left behind; within the process every store of the same
folder shares it, because the engine is one per process.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Final

from holdfast.kernel.errors import ConflictError, InvalidError, Place, UnavailableError

LOCK_FILE: Final = "holdfast.lock"
_MARKS: Final = ("metadata", "store", "data")  # what chDB makes in a folder of its own
_held: dict[Path, _Held] = {}
_guard: Final = threading.Lock()


class _Held:
    """A lock that this process has, and by how many stores."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.users = 1


class FolderLock:
    """The right to use a folder. Release it when the last client is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def take(cls, folder: Path) -> FolderLock:
        """Make the folder if it is missing, and take it.

        Raises:
            ConflictError: another process has it, or this process has another one open.
            InvalidError: it is not a folder, or holds somebody else's files.
            UnavailableError: it cannot be read or written.
        """
        prepare(folder)
        folder = folder.resolve()
        with _guard:
            held = _held.get(folder)
            if held is not None:
                held.users += 1
            elif _held:
                raise ConflictError(
                    f"this process has the store {next(iter(_held))} open, and the engine takes one folder per process",
                    hint=f"close it before opening {folder}",
                )
            else:
                _held[folder] = _Held(_lock(folder))
        return cls(folder)

    def release(self) -> None:
        """Give the folder back."""
        with _guard:
            held = _held[self.folder]
            held.users -= 1
            if not held.users:
                del _held[self.folder]
                os.close(held.descriptor)


def prepare(folder: Path) -> None:
    """Make sure that `folder` is there, is ours to write, and holds nothing or a store.

    Raises:
        InvalidError: it is not a folder, or holds somebody else's files.
        UnavailableError: it cannot be made, read or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {entry.name for entry in folder.iterdir()} - {LOCK_FILE}
    except (FileExistsError, NotADirectoryError) as error:
        raise InvalidError(
            "the store needs a folder, and this is something else", hint="choose another", place=Place(str(folder))
        ) from error
    except OSError as error:
        raise UnavailableError(
            f"the store's folder cannot be used: {error.strerror}",
            hint="check its owner and mode",
            place=Place(str(folder)),
        ) from error
    if found and not found.intersection(_MARKS):
        raise InvalidError(
            f"the folder holds something else than a store, such as {min(found)}",
            hint="choose an empty folder",
            place=Place(str(folder)),
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise UnavailableError(
            "the store's folder may not be written", hint="check its owner", place=Place(str(folder))
        )


def check_metadata(folder: Path) -> None:
    """Look at the files that say what tables there are; the engine itself does not name a damaged one.

    Raises:
        UnavailableError: one is empty, cut or no statement.
    """
    for file in sorted([*folder.glob("metadata/*.sql"), *folder.glob("store/*/*/*.sql")]):
        text = file.read_bytes()
        if not (text.startswith(b"ATTACH ") and text.endswith(b"\n")):
            raise UnavailableError(
                "the store's description of a table is damaged",
                hint="restore the folder from a backup, or move it away to start with an empty store",
                place=Place(str(file)),
            )


def _lock(folder: Path) -> int:
    path = folder / LOCK_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 64, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise ConflictError(
            f"the store's folder is in use by process {owner}",
            hint=f"stop process {owner}, or give this one a folder of its own",
            place=Place(str(folder)),
        ) from error
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        # A full disk must not keep anybody from reading; the lock holds without the note of who has it.
        pass
    return descriptor
