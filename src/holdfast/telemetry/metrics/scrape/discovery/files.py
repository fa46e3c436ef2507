"""Targets in files that are watched: read again when they change, as they were while they are broken.

Source: Prometheus 3, discovery/file.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.kernel.documents import read_text
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.telemetry.metrics.scrape.config import FileDiscovery, read_tree
from holdfast.telemetry.metrics.scrape.discovery.contract import Found, Tell
from holdfast.telemetry.metrics.scrape.discovery.groups import decode_groups, found_in

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.discovery.failures import Failures

LOOK_EVERY_S: Final = 5.0  # at the latest; a change is seen by its times and size, a swap by its inode

_Version = tuple[int, int, int, int]
_STARS: Final = re.compile(r"\*+")


class FileWatch:
    """Watches the files of one section."""

    def __init__(self, section: FileDiscovery, base: Path, clock: Clock, failures: Failures) -> None:
        self._section = section
        self._base = base
        self._clock = clock
        self._failures = failures
        self._seen: dict[Path, _Version] = {}

    async def run(self, tell: Tell) -> None:
        """Look for ever."""
        while True:
            await self.look(tell)
            await self._clock.sleep(min(LOOK_EVERY_S, self._section.refresh_interval))

    async def look(self, tell: Tell) -> None:
        """Look once, and tell what changed."""
        there = await asyncio.to_thread(self._versions)
        for path in self._seen.keys() - there.keys():
            tell(str(path), ())
            self._failures.clear("file", str(path))
            del self._seen[path]
        for path, version in there.items():
            if self._seen.get(path) != version:
                self._seen[path] = version
                await self._read(path, tell)

    async def _read(self, path: Path, tell: Tell) -> None:
        try:
            found = await asyncio.to_thread(read_targets, path)
        except ConfigError as error:
            self._failures.note("file", str(path), "; ".join(str(problem) for problem in error.problems[:5]))
            return
        self._failures.clear("file", str(path))
        tell(str(path), found)

    def _versions(self) -> dict[Path, _Version]:
        found: dict[Path, _Version] = {}
        for pattern in self._section.files:
            for path in _paths(self._base / pattern):
                try:
                    stat = path.stat()
                except OSError:  # gone since it was listed
                    continue
                found[path] = (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
        return found


def find_faults(section: FileDiscovery, base: Path) -> Iterator[str]:
    """Say what is wrong with the files now; watching goes on all the same, with the targets that there were."""
    for pattern in section.files:
        whole = base / pattern
        paths = _paths(whole)
        if not paths and "*" not in whole.name:
            yield f"{whole}: there is no such file of targets"
        for path in paths:
            try:
                read_targets(path)
            except ConfigError as error:
                yield from (f"{problem}: no targets come of this file" for problem in error.problems)


def _paths(pattern: Path) -> list[Path]:
    """Give the files of a pattern; several stars in a row are one, as in Go."""
    name = _STARS.sub("*", pattern.name)
    return sorted(pattern.parent.glob(name)) if pattern.parent.is_dir() else []


def read_targets(path: Path) -> list[Found]:
    """Read one file of target groups; JSON is YAML too, but for an empty file. Raises `ConfigError`."""
    text = read_text(path, str(path))
    if path.suffix.lower() == ".json" and not text.strip():
        fault = InvalidError("an empty file is no JSON", hint="is it just being written?", place=Place(str(path), 1))
        raise ConfigError((fault,))
    groups = decode_groups(read_tree(text, str(path)))
    return [found for group in groups for found in found_in(group, {"__meta_filepath": str(path)})]
