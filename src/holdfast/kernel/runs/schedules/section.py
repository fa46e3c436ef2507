"""The schedules' part of the ops folder: `schedules/*.yaml`, read and put in force as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holdfast.kernel.runs.schedules.book import ScheduleBook
from holdfast.kernel.runs.schedules.files import Judge, load_schedules
from holdfast.kernel.runs.schedules.schedule import Schedule
from holdfast.kernel.wiring import OpsFolder, OpsSection, Prepared

NAME: Final = "schedules"


@dataclass(frozen=True, slots=True)
class PreparedSchedules:
    """The schedules of the folder, valid and not yet in force."""

    schedules: tuple[Schedule, ...]
    book: ScheduleBook
    warnings: tuple[str, ...] = ()

    async def apply(self) -> None:
        """Put them in force instead of those that came from the folder before."""
        await self.book.replace_ops(self.schedules)


def ops_section(book: ScheduleBook, judge: Judge) -> OpsSection:
    """Give the section; `judge` raises what is wrong with a schedule in this process."""

    def prepare(folder: OpsFolder, _before: dict[str, Prepared]) -> PreparedSchedules:
        files = folder.files(f"{NAME}/**/*.yaml", f"{NAME}/**/*.yml")
        return PreparedSchedules(load_schedules(files, judge, root=folder.path), book)

    return OpsSection(NAME, prepare)
