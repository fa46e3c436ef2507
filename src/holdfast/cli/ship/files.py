"""The files of some paths and patterns: new ones are found, renamed ones read to their end, gone ones closed."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.cli.ship.entries import Batch
from holdfast.cli.ship.following import FollowedFile
from holdfast.kernel.errors import InvalidError

LOOK_EVERY_S: Final = 1.0
_GOES_AFTER_S: Final = 5.0  # a file that was renamed may still be written to for a while
_MOST_FILES: Final = 1000

Labels = tuple[tuple[str, str], ...]


class Files:
    """Follows files; a `Source`."""

    def __init__(self, patterns: Sequence[str], labels: Mapping[str, str], host: str, known: Mapping[str, Any]) -> None:
        self._patterns = patterns
        self._labels = labels
        self._host = host
        self._known = dict(known)
        self._open: dict[str, FollowedFile] = {}
        self._looked_s = float("-inf")
        self._find_renamed()

    def fill(self, batch: Batch, *, is_last: bool) -> None:
        """Add lines of all files."""
        if is_last or time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._look()
            self._looked_s = time.monotonic()
        for file in list(self._open.values()):
            if batch.is_full:
                return
            file.fill(batch, is_last=is_last)
        self._close_gone(batch)

    def positions(self) -> Mapping[str, Any]:
        """Give where each file goes on."""
        return {**self._known, **{key: file.position() for key, file in self._open.items()}}

    def close(self) -> None:
        """Close all files."""
        for file in self._open.values():
            file.close()

    def _look(self) -> None:
        for path in self._paths():
            self._follow(path)

    def _paths(self) -> Iterator[Path]:
        for pattern in self._patterns:
            yield from (Path(found) for found in sorted(glob.glob(pattern, recursive=True)))  # noqa: PTH207 -- absolute patterns

    def _follow(self, path: Path, name: Path | None = None) -> None:
        try:
            status = path.stat()
        except OSError:
            return  # gone since it was listed
        key = f"{status.st_dev}:{status.st_ino}"
        if key in self._open or not path.is_file():
            return
        if len(self._open) >= _MOST_FILES:
            raise InvalidError(f"more than {_MOST_FILES} files are to be followed", hint="narrow the patterns")
        stem = (name or path).name.partition(".")[0]
        labels = {"service_name": stem or "unknown_service", **self._labels}
        file = FollowedFile(path, tuple(sorted(labels.items())), self._host, self._known.get(key, {}))
        file.path = name or path
        self._known.pop(file.key, None)
        self._open[file.key] = file

    def _find_renamed(self) -> None:
        """Find again what was renamed while nobody looked; forget what is gone."""
        for key, position in list(self._known.items()):
            path = Path(position["path"])
            siblings = (each for each in sorted(path.parent.glob(f"{path.name}*")) if _key(each) == key)
            found = next(siblings, None)
            if found is None:
                del self._known[key]
            else:
                self._follow(found, path)

    def _close_gone(self, batch: Batch) -> None:
        now_s = time.monotonic()
        for key, file in list(self._open.items()):
            if now_s - file.quiet_since_s < _GOES_AFTER_S or batch.is_full or _key(file.path) == key:
                continue
            if any(_key(path) == key for path in self._paths()):
                continue
            if _finish(file, batch):
                del self._open[key]


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
