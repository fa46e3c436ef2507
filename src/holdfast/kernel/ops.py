"""The folder of ops as code: read by every room, loaded as a whole or not at all, watched for changes.

What a file means is its room's business (`OpsSection.prepare`); here is only the all-or-nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConfigError, InvalidError
from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.ops_report import OpsInForce, OpsReport
from holdfast.kernel.unreadable import find_unreadable, missing
from holdfast.kernel.wiring import OpsFolder, OpsSection, Prepared

LOADED: Final = EventKind("ops.loaded", "The ops folder was read and is in force.")
REFUSED: Final = EventKind("ops.refused", "The ops folder has faults; what was in force stays in force.")
MAX_FILES: Final = 10_000
_LOOK_EVERY_S: Final = 1.0

_log = journal.get_logger()

Fingerprint = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What reading the whole folder came to: the parts that are valid, and every fault of the others."""

    prepared: dict[str, Prepared]
    problems: tuple[InvalidError, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but worth a look, in all parts."""
        return tuple(str(line) for part in self.prepared.values() for line in part.warnings)


def inspect_all(path: Path, sections: Iterable[OpsSection]) -> Inspection:
    """Read and validate the whole folder, changing nothing; faults are given, not raised."""
    folder = OpsFolder(path)
    prepared: dict[str, Prepared] = {}
    if problems := list(find_unreadable(path)):
        return Inspection({}, tuple(problems))  # what is behind it would be taken for missing
    for section in sections:
        try:
            prepared[section.name] = section.prepare(folder, prepared)
        except ConfigError as error:
            problems += error.problems
    return Inspection(prepared, tuple(problems))


def prepare_all(path: Path, sections: Iterable[OpsSection]) -> dict[str, Prepared]:
    """Read and validate the whole folder, changing nothing.

    Raises:
        ConfigError: every fault of every room's files, in one error.
    """
    found = inspect_all(path, sections)
    if found.problems:
        raise ConfigError(found.problems)
    return found.prepared


class Ops:
    """The folder and what of it is in force."""

    def __init__(
        self,
        path: Path,
        sections: tuple[OpsSection, ...],
        events: EventLog,
        clock: Clock,
        in_force: OpsInForce | None = None,
    ) -> None:
        self._in_force = in_force if in_force is not None else OpsInForce()
        self.report = OpsReport(path)
        self._path = path
        self.sections = sections
        self._events = events
        self._clock = clock
        self._alone = asyncio.Lock()
        self._seen: Fingerprint | None = None
        self._has_files = False  # whether what is in force was read from any

    @property
    def report(self) -> OpsReport:
        """What is in force."""
        return self._in_force.report

    @report.setter
    def report(self, report: OpsReport) -> None:
        self._in_force.report = report

    async def load(self, actor: str = "system") -> OpsReport:
        """Read everything and put it in force.

        Raises:
            ConfigError: something is wrong; nothing was changed, and the report and an event say so.
        """
        async with self._alone:
            self._seen = seen = await asyncio.to_thread(_fingerprint, self._path)
            try:
                prepared = await asyncio.to_thread(self._prepare, seen)
            except ConfigError as error:
                await self._refuse(error, actor)
                raise
            for part in prepared.values():
                await part.apply()
            warnings = tuple(str(line) for part in prepared.values() for line in part.warnings)
            self.report = OpsReport(self._path, self._clock.now(), warnings)
            self._has_files = bool(seen)
            data = {"path": str(self._path), "warnings": len(warnings)}
            await self._events.publish(NewEvent(LOADED.name, "ops", data, actor=actor))
            return self.report

    def _prepare(self, seen: Fingerprint) -> dict[str, Prepared]:
        if self._has_files and not seen and not self._path.exists():
            raise ConfigError((missing(self._path),))  # such as a disk that is gone: nobody meant that
        return prepare_all(self._path, self.sections)

    async def watch(self) -> None:
        """Load again whenever files change and have then been still for one look; for ever."""
        pending: Fingerprint | None = None
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            now = await asyncio.to_thread(_fingerprint, self._path)
            if now == self._seen:
                pending = None
            elif now != pending:
                pending = now  # still being written, perhaps
            else:
                pending = None
                await self._reload_quietly()

    async def _reload_quietly(self) -> None:
        try:
            await self.load()
        except ConfigError as error:
            _log.error("ops.refused", problems=[str(problem) for problem in error.problems[:20]])
        else:
            _log.info("ops.loaded", path=str(self._path), warnings=len(self.report.warnings))

    async def _refuse(self, error: ConfigError, actor: str) -> None:
        old = self.report
        self.report = OpsReport(self._path, old.loaded_at, old.warnings, error.problems)
        problems = [str(problem) for problem in error.problems[:20]]
        await self._events.publish(NewEvent(REFUSED.name, "ops", {"problems": problems}, actor=actor))


def _fingerprint(path: Path) -> Fingerprint:
    """Tell the state of the files by name, time and size, hidden ones left out; bounded."""
    found: set[tuple[str, int, int]] = set()
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in names:
            if name.startswith(".") or name.endswith("~") or len(found) >= MAX_FILES:
                continue
            try:
                stat = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - a Path per file and second costs ten times as much
            except OSError:  # gone since it was listed: the next look sees it
                continue
            found.add((os.path.join(folder, name), stat.st_mtime_ns, stat.st_size))  # noqa: PTH118 - as above
    return frozenset(found)
