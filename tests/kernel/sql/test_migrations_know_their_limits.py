"""The schema comes up once, twice over nothing, and never backwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text

import holdfast
from holdfast.kernel.errors import StaleSchemaError
from holdfast.kernel.sql import Database, Json, UtcDateTime, migrate
from holdfast.kernel.sql.migrations import newest_revisions
from holdfast.kernel.sql.upgrading import read_revisions

PACKAGES = ["holdfast.kernel.events.migrations"]


async def test_the_schema_is_made_once(db: Database) -> None:
    assert await migrate(db, PACKAGES) == ["events_0001", "events_0002"]
    assert await migrate(db, PACKAGES) == []
    assert await db.read(lambda tx: tx.execute(text("SELECT count(*) FROM event_log")).scalar_one()) == 0


def test_names_of_files_say_which_revision_is_the_newest() -> None:
    folders = sorted(str(file.parent) for file in Path(holdfast.__file__).parent.rglob("migrations/__init__.py"))
    assert len(folders) > 10
    assert newest_revisions(folders) == set(read_revisions(folders).get_heads())


async def test_a_schema_that_is_current_is_not_looked_through(db: Database) -> None:
    await migrate(db, PACKAGES)
    with patch("holdfast.kernel.sql.upgrading.read_revisions", side_effect=AssertionError):
        assert await migrate(db, PACKAGES) == []


async def test_two_processes_may_start_at_once(db: Database) -> None:
    applied = await asyncio.gather(migrate(db, PACKAGES), migrate(db, PACKAGES))
    assert sorted(map(len, applied)) == [0, 2]


async def test_a_schema_from_the_future_is_refused(db: Database) -> None:
    await migrate(db, PACKAGES)
    await db.write(lambda tx: tx.execute(text("INSERT INTO alembic_version VALUES ('events_9999')")) and None)
    with pytest.raises(StaleSchemaError, match="events_9999") as caught:
        await migrate(db, PACKAGES)
    assert "newer" in caught.value.hint


async def test_instants_and_json_come_back_as_they_went(db: Database) -> None:
    table = Table(
        "moment", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("data", Json)
    )
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    await db.write(lambda tx: table.create(tx))
    await db.write(lambda tx: tx.execute(insert(table).values(id=1, at=at, data={"ö": [1, None, 2.5]})) and None)
    row = await db.read(lambda tx: tx.execute(select(table)).one())
    assert row.at == at
    assert row.at.tzinfo is UTC
    assert row.data == {"ö": [1, None, 2.5]}


async def test_a_naive_datetime_is_refused(db: Database) -> None:
    table = Table("moment", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
    await db.write(lambda tx: table.create(tx))
    with pytest.raises(Exception, match="naive datetime"):
        await db.write(lambda tx: tx.execute(insert(table).values(id=1, at=datetime(2026, 1, 1))) and None)  # noqa: DTZ001 - the fault under test
