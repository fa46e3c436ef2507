"""`ops/schedules/*.yaml`: in force as a whole, or not at all."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import ConfigError
from holdfast.kernel.events import EventLog
from holdfast.kernel.ops import prepare_all
from holdfast.kernel.runs.schedules import ScheduleBook, ops_section
from holdfast.kernel.sql import migrate

NIGHTLY = "schedules: [{name: nightly, workflow: w, cron: '30 2 * * *', zone: Europe/Berlin}]"


@pytest.fixture
async def section(db, fake_clock):
    await migrate(db, ["holdfast.kernel.runs.migrations", "holdfast.kernel.events.migrations"])
    book = ScheduleBook(db, EventLog(db, fake_clock), fake_clock, None, lambda tick: None)
    return book, ops_section(book, lambda schedule: None)


async def load(folder, section):
    prepared = prepare_all(folder.root, [section])
    for part in prepared.values():
        await part.apply()


async def test_what_is_in_the_folder_is_in_force_and_what_left_it_is_gone(section, ops_folder):
    book, ops = section
    ops_folder.write("schedules/shop.yaml", NIGHTLY)
    ops_folder.write("schedules/deep/down.yml", NIGHTLY.replace("nightly", "deep"))
    await load(ops_folder, ops)
    assert [view.standing.name for view in await book.views()] == ["deep", "nightly"]
    (ops_folder.root / "schedules/deep/down.yml").unlink()
    await load(ops_folder, ops)
    assert [view.standing.name for view in await book.views()] == ["nightly"]


async def test_a_faulty_folder_changes_nothing(section, ops_folder):
    book, ops = section
    ops_folder.write("schedules/shop.yaml", NIGHTLY)
    await load(ops_folder, ops)
    ops_folder.write("schedules/shop.yaml", NIGHTLY.replace("Berlin", "Berlyn"))
    with pytest.raises(ConfigError, match=r"schedules/shop.yaml:1: schedules\[0\].zone: unknown time zone"):
        await load(ops_folder, ops)
    assert [view.standing.definition["zone"] for view in await book.views()] == ["Europe/Berlin"]
