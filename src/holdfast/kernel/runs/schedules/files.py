"""Reads `ops/schedules/*.yaml` into schedules, with every fault of every file in one error.

Whether the workflow exists and takes the input is the caller's knowledge; it is asked schedule by schedule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict

from holdfast.kernel.documents import Document, load_yaml
from holdfast.kernel.errors import ConfigError, HoldfastError, InvalidError
from holdfast.kernel.ids import ServiceId
from holdfast.kernel.runs.schedules.planning import CatchUp
from holdfast.kernel.runs.schedules.schedule import Overlap, Schedule

Judge = Callable[[Schedule], None]


@dataclass(frozen=True, slots=True)
class ScheduleShape:
    """One schedule of a file."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str
    workflow: str
    input: Any = None
    cron: str | None = None
    every: str | None = None
    at: str | None = None
    zone: str = "UTC"
    jitter: str = "0s"
    catch_up: CatchUp = "last"
    catch_up_limit: int = 100
    overlap: Overlap = "skip"
    starts_at: str | None = None
    ends_at: str | None = None
    queue: str | None = None
    priority: int = 0
    concurrency_key: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class FileShape:
    """One file."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    schedules: tuple[ScheduleShape, ...] = ()


def load_schedules(files: Iterable[Path], judge: Judge, *, root: Path | None = None) -> tuple[Schedule, ...]:
    """Read schedule files.

    Args:
        files: what to read; names must be unique over all of them.
        judge: raises what is wrong with a schedule in this process: an unknown workflow or queue, an input that does
            not fit.
        root: places are named relative to this folder.

    Raises:
        ConfigError: with every fault.
    """
    problems: list[InvalidError] = []
    found: dict[str, Schedule] = {}
    for path in files:
        try:
            document = load_yaml(path, FileShape, root=root)
        except ConfigError as error:
            problems += error.problems
            continue
        for index, shape in enumerate(document.value.schedules):
            try:
                schedule = _build(shape)
                judge(schedule)
                _check_name(schedule, found)
            except HoldfastError as error:
                problems.append(_placed(error, document, index))
            else:
                found[schedule.name] = schedule
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(found.values())


def _build(shape: ScheduleShape) -> Schedule:
    values = {field.name: getattr(shape, field.name) for field in dataclasses.fields(shape)}
    service = None if shape.service is None else ServiceId(shape.service)
    return Schedule(**{**values, "service": service})


def _check_name(schedule: Schedule, found: dict[str, Schedule]) -> None:
    if schedule.name in found:
        raise InvalidError(f"the schedule {schedule.name!r} stands here twice", hint="rename one of them")


def _placed(error: HoldfastError, document: Document[FileShape], index: int) -> InvalidError:
    path = [error.place.field] if error.place.field else []
    return InvalidError(error.message, hint=error.hint, place=document.place("schedules", index, *path))
