"""The files of some paths and patterns: new ones are found, renamed ones read to their end, gone ones closed.

A copy of a file that is followed waits until the file is truncated, and is then read from where the file was left.
"""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.cli.ship.copies import is_named_after
from holdfast.cli.ship.entries import Batch
from holdfast.cli.ship.following import FollowedFile
from holdfast.kernel.errors import InvalidError, Place

LOOK_EVERY_S: Final = 1.0
_GOES_AFTER_S: Final = 5.0  # a file that was renamed may still be written to for a while
_MOST_FILES: Final = 1000

Labels = tuple[tuple[str, str], ...]


class Files:
    """Follows files; a `Source`."""

    def __init__(
        self,
        patterns: Sequence[str],
        labels: Mapping[str, str],
        host: str,
        known: Mapping[str, Any],
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._patterns = [str(Path(pattern)) for pattern in patterns]
        self._tell = tell
        self._labels = labels
        self._host = host
        self._known = dict(known)
        self._met: set[str] = set()  # patterns that have led to a file
        self.faults: dict[str, InvalidError] = {}  # by pattern or file: why nothing of it is read, as of the last look
        self._open: dict[str, FollowedFile] = {}
        self._looked_s = float("-inf")
        self._find_renamed()
        self.faults.clear()  # the first look finds and tells them

    def fill(self, batch: Batch, *, is_last: bool) -> None:
        """Add lines of all files."""
        if is_last or time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._look()
            self._looked_s = time.monotonic()
        for file in list(self._open.values()):
            if batch.is_full:
                return
            file.fill(batch, is_last=is_last)
            self._pass_over(file)
        self._close_gone(batch)

    def positions(self) -> Mapping[str, Any]:
        """Give where each file goes on."""
        return {**self._known, **{key: file.position() for key, file in self._open.items()}}

    def close(self) -> None:
        """Close all files."""
        for file in self._open.values():
            file.close()

    def _look(self) -> None:
        before, self.faults = self.faults, {}
        for pattern in self._patterns:
            for path in _named(pattern):
                self._try(path, pattern)
            if pattern not in self._met and pattern not in self.faults:
                self.faults[pattern] = _why_nothing(pattern)
        for name, fault in self.faults.items():
            if self._tell is not None and name not in before:
                self._tell(f"{fault}; it is read as soon as it can be")

    def _try(self, path: Path, pattern: str, name: Path | None = None) -> None:
        """Follow a file, or keep why it cannot be read, so that it does not end the reading of the others."""
        try:
            if self._follow(path, name):
                self._met.add(pattern)
        except FileNotFoundError:
            return  # gone since it was listed
        except OSError as error:
            self._met.add(pattern)
            hint = "let the user that ships read it, and the folders that it is in"
            self.faults[str(path)] = InvalidError(
                f"it cannot be read: {error.strerror}", hint=hint, place=Place(str(path))
            )

    def _follow(self, path: Path, name: Path | None = None) -> bool:
        """Open a file if it is one, and not open yet; tells whether it is one."""
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return False
        key = f"{status.st_dev}:{status.st_ino}"
        before = Path(self._known[key]["path"]) if key in self._known else path
        if path != before and not is_named_after(path, before):
            del self._known[key]  # of a file that is gone; this one has its inode
        if key in self._open or (key not in self._known and self._is_copy(path)):
            return True
        if len(self._open) >= _MOST_FILES:
            raise InvalidError(f"more than {_MOST_FILES} files are to be followed", hint="narrow the patterns")
        if name is None and key in self._known:
            name = Path(self._known[key]["path"])  # under which it is found again when it is renamed once more
        stem = (name or path).name.partition(".")[0]
        labels = {"service_name": stem or "unknown_service", **self._labels}
        file = FollowedFile(path, tuple(sorted(labels.items())), self._host, self._known.get(key, {}))
        file.path = name or path
        self._known.pop(file.key, None)
        self._open[file.key] = file
        return True

    def _is_copy(self, path: Path) -> bool:
        return any(is_named_after(path, file.path) and file.is_copied_to(path) for file in self._open.values())

    def _pass_over(self, file: FollowedFile) -> None:
        """Note copies that were read as the rest of their file, so that they are not read as files of their own."""
        if not file.copied:
            return
        beside = {_key(each) for each in _beside(file.path)}
        gone = [key for key, each in self._known.items() if each["path"] == str(file.path) and key not in beside]
        for key in gone:
            del self._known[key]
        self._known |= {key: position for key, position in file.copied.items() if key in beside - self._open.keys()}
        file.copied.clear()

    def _find_renamed(self) -> None:
        """Find again what was renamed while nobody looked; forget what is gone."""
        for key, position in list(self._known.items()):
            path = Path(position["path"])
            found = next((each for each in sorted(_beside(path)) if _key(each) == key), None)
            if found is None:
                del self._known[key]
            else:
                self._try(found, str(path), path)

    def _close_gone(self, batch: Batch) -> None:
        until_s = time.monotonic() - _GOES_AFTER_S
        idle = [key for key, file in self._open.items() if file.quiet_since_s <= until_s and _key(file.path) != key]
        named = {_key(path) for pattern in self._patterns for path in _named(pattern)} if idle else set()
        for key in idle:
            if key not in named and not batch.is_full and _finish(self._open[key], batch):
                del self._open[key]


def _beside(path: Path) -> Iterator[Path]:
    """Give the file, and what lies beside it under a name that goes on from its."""
    return path.parent.glob(f"{glob.escape(path.name)}*")


def _named(pattern: str) -> list[Path]:
    """Give what a pattern leads to; what leads nowhere may be a name, such as `a[1].log`."""
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 -- absolute patterns
    return [Path(each) for each in found or (pattern,)]


def _why_nothing(pattern: str) -> InvalidError:
    place, path = Place(pattern), Path(pattern)
    try:
        mode = path.stat().st_mode
    except OSError:
        said = "no file matches it" if glob.has_magic(pattern) else "there is no such file"
        return InvalidError(said, hint=f"look at its name; it is looked for from {Path.cwd()}", place=place)
    if stat.S_ISDIR(mode):
        return InvalidError("it is a folder", hint=f"name its files, such as {path / '*.log'}", place=place)
    return InvalidError("it is no plain file", hint="write what it gives to a file, and ship that", place=place)


def _finish(file: FollowedFile, batch: Batch) -> bool:
    file.fill(batch, is_last=True)
    if batch.is_full:
        return False
    file.close()
    return True


def _key(path: Path) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116 -- follows links, as opening does
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"
