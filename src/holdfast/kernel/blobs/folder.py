"""Blobs as files below a folder: written beside, flushed to the disk, then renamed into place.

obstore has a store for folders too; it does not fsync, and a row that was committed must not point to a file that a
power cut has emptied.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import shutil
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from holdfast.kernel.blobs.ports import Stored
from holdfast.kernel.errors import ConflictError, NotFoundError, StorageFullError, UnavailableError
from holdfast.kernel.ids import new_id

T = TypeVar("T")

_PIECE_BYTES: Final = 1024 * 1024
_LIST_BATCH: Final = 500
_INCOMING: Final = ".incoming"  # no key begins with a dot


class FolderStore:
    """A `BlobStore` in a folder that one process owns."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _INCOMING
        self._shape = threading.Lock()  # folders come and go one at a time, or a rename would find its folder gone
        self._is_ready = False

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write to a file of its own, then rename it over the old one."""
        target = self._path(key)
        part = self._incoming / new_id()
        file = await _in_thread(key, self._begin, part)
        try:
            with file:
                async for chunk in chunks:
                    await _in_thread(key, file.write, chunk)
                await _in_thread(key, _flush, file)
            await _in_thread(key, self._place, part, target)
        finally:
            part.unlink(missing_ok=True)

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Read the file in pieces; one that is replaced meanwhile is read as it was."""
        with await _in_thread(key, lambda: self._path(key).open("rb")) as file:
            while piece := await _in_thread(key, file.read, _PIECE_BYTES):
                yield piece

    async def stat(self, key: str) -> Stored:
        """Tell of one file."""
        return await _in_thread(key, self._stored, self._path(key))

    async def delete(self, key: str) -> None:
        """Remove the file, and the folders that it leaves empty."""
        await _in_thread(key, self._remove, self._path(key))

    async def list(self, prefix: str) -> AsyncGenerator[Stored, None]:
        """Walk the folder, some files at a time."""
        walk = self._walk(self._path(prefix) if prefix else self._root)
        while batch := await _in_thread(prefix, lambda: list(itertools.islice(walk, _LIST_BATCH))):
            for stored in batch:
                yield stored

    async def close(self) -> None:
        """Nothing is open between calls."""

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*key.split("/"))

    def _begin(self, part: Path) -> IO[bytes]:
        if not self._is_ready:
            with self._shape:
                shutil.rmtree(self._incoming, ignore_errors=True)  # what a crash left half written
                self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._is_ready = True
        return part.open("xb")

    def _place(self, part: Path, target: Path) -> None:
        with self._shape:
            made = [folder for folder in target.parents if not folder.exists()]
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.replace(target)
        for folder in {target.parent, *(folder.parent for folder in made)}:
            _flush_folder(folder)

    def _remove(self, target: Path) -> None:
        with self._shape, contextlib.suppress(FileNotFoundError, NotADirectoryError):
            target.unlink()
            for folder in itertools.takewhile(lambda it: it != self._root, target.parents):
                try:
                    folder.rmdir()
                except OSError:
                    break

    def _stored(self, path: Path) -> Stored:
        told = path.stat()
        if path.is_dir():
            raise FileNotFoundError(errno.ENOENT, "is a folder", str(path))
        key = path.relative_to(self._root).as_posix()
        return Stored(key, told.st_size, datetime.fromtimestamp(told.st_mtime, UTC))

    def _walk(self, folder: Path) -> Iterator[Stored]:
        for place, folders, files in os.walk(folder):
            if _INCOMING in folders:
                folders.remove(_INCOMING)
            for name in files:
                with contextlib.suppress(FileNotFoundError):  # deleted while we walk
                    yield self._stored(Path(place, name))


async def _in_thread(key: str, work: Callable[..., T], *args: Any) -> T:
    try:
        return await asyncio.to_thread(work, *args)
    except OSError as error:
        raise _explain(error, key) from error


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # its last file was deleted at once
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _explain(error: OSError, key: str) -> Exception:
    if isinstance(error, FileNotFoundError):
        return NotFoundError(f"there is no blob {key}")
    if isinstance(error, (NotADirectoryError, IsADirectoryError, FileExistsError)) or error.errno == errno.ENOTEMPTY:
        return ConflictError(f"{key} cannot be a blob: another blob's key is part of it, or it is part of another's")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError("the disk of the blobs is full", hint="free some space, or set [blobs] url")
    return UnavailableError(f"blob {key}: {error.strerror}", hint="check the permissions of the data folder")
