"""A change on disk is in force as a whole or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.ops import Ops
from holdfast.kernel.sql import Database, migrate
from holdfast.kernel.wiring import OpsFolder, OpsSection, Prepared


@dataclass
class Words:
    """A room whose ops are one word per file; `bad` is refused."""

    suffix: str
    in_force: list[str] = field(default_factory=list)

    def prepare(self, folder: OpsFolder, _others: dict[str, Prepared]) -> Prepared:
        files = folder.files(f"*.{self.suffix}")
        words = [file.read_text().strip() for file in files]
        problems = [
            InvalidError("a bad word", place=Place(file.name, 1)) for file in files if "bad" in file.read_text()
        ]
        if problems:
            raise ConfigError(tuple(problems))
        room = self

        class Ready:
            warnings: tuple[str, ...] = ()

            async def apply(self) -> None:
                room.in_force[:] = words

        return Ready()


@pytest.fixture
def rooms() -> tuple[Words, Words]:
    return Words("a"), Words("b")


@pytest.fixture
async def ops(db: Database, fake_clock: FakeClock, tmp_path: Path, rooms: tuple[Words, Words]) -> Ops:
    await migrate(db, ["holdfast.kernel.events.migrations"])
    (tmp_path / "ops").mkdir()
    sections = tuple(OpsSection(room.suffix, room.prepare) for room in rooms)
    return Ops(tmp_path / "ops", sections, EventLog(db, fake_clock), fake_clock)


async def test_one_bad_file_keeps_everything_as_it_was(ops: Ops, rooms: tuple[Words, Words]) -> None:
    folder = ops.report.path
    (folder / "1.a").write_text("one")
    (folder / "1.b").write_text("two")
    await ops.load()
    (folder / "1.a").write_text("changed")
    (folder / "1.b").write_text("bad")
    (folder / "2.b").write_text("bad too")
    with pytest.raises(ConfigError) as caught:
        await ops.load()
    assert len(caught.value.problems) == 2
    assert [room.in_force for room in rooms] == [["one"], ["two"]]
    assert [problem.place.file for problem in ops.report.problems] == ["1.b", "2.b"]
    (folder / "1.b").write_text("good")
    (folder / "2.b").unlink()
    await ops.load()
    assert [room.in_force for room in rooms] == [["changed"], ["good"]]
    assert ops.report.problems == ()


async def test_a_change_is_noticed_once_it_is_still(
    ops: Ops, rooms: tuple[Words, Words], fake_clock: FakeClock, db: Database
) -> None:
    folder = ops.report.path
    await ops.load()
    watching = asyncio.create_task(ops.watch())
    (folder / "1.a").write_text("one")

    async def look_until(word: list[str]) -> None:
        while rooms[0].in_force != word:
            await fake_clock.advance(1.0)
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look_until(["one"]), 60)
    (folder / "1.a").write_text("bad word")

    async def kinds_once_refused() -> list[str]:
        while True:  # the report says so a moment before the event
            await fake_clock.advance(1.0)
            await asyncio.sleep(0.01)
            kinds = [event.kind for event in await EventLog(db, fake_clock).read(DEFAULT_TENANT, after=0)]
            if ops.report.problems and "ops.refused" in kinds:
                return kinds

    kinds = await asyncio.wait_for(kinds_once_refused(), 60)
    assert rooms[0].in_force == ["one"]
    assert kinds == ["ops.loaded", "ops.loaded", "ops.refused"]
    watching.cancel()


async def test_a_folder_that_goes_takes_nothing_along(ops: Ops, rooms: tuple[Words, Words], tmp_path: Path) -> None:
    folder = ops.report.path
    (folder / "1.a").write_text("one")
    await ops.load()
    away = folder.rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"there is no such folder \(make it"):
            await ops.load()
        assert rooms[0].in_force == ["one"]
    away.rename(folder)
    assert (await ops.load()).problems == ()
    (folder / "1.a").unlink()
    await ops.load()
    assert rooms[0].in_force == []
    folder.rmdir()
    await ops.load()


async def test_a_missing_folder_is_an_empty_one(db: Database, fake_clock: FakeClock, tmp_path: Path) -> None:
    await migrate(db, ["holdfast.kernel.events.migrations"])
    room = Words("a", ["before"])
    ops = Ops(tmp_path / "none", (OpsSection("a", room.prepare),), EventLog(db, fake_clock), fake_clock)
    await ops.load()
    assert room.in_force == []
