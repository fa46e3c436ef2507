"""Writes share commits, not fates."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from holdfast.kernel.errors import BusyError, ConflictError, StorageFullError, UnavailableError
from holdfast.kernel.sql import Database, DatabaseSettings, after_commit, open_postgres, open_sqlite


@pytest.fixture
async def notes(db: Database) -> Database:
    await db.write(
        lambda tx: tx.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")) and None
    )
    return db


def add_note(tx: Connection, number: int) -> int:
    tx.execute(text("INSERT INTO note VALUES (:id, 'x')"), {"id": number})
    return number


async def count(db: Database) -> int:
    return await db.read(lambda tx: tx.execute(text("SELECT count(*) FROM note")).scalar_one())


async def test_concurrent_writes_all_land(notes: Database) -> None:
    results = await asyncio.gather(*(notes.write(lambda tx, n=n: add_note(tx, n)) for n in range(300)))
    assert sorted(results) == list(range(300))
    assert await count(notes) == 300


async def test_a_failing_write_leaves_its_neighbours_alone(notes: Database) -> None:
    def fail(tx: Connection) -> None:
        add_note(tx, 1000)
        raise RuntimeError("changed my mind")

    writes = [notes.write(lambda tx, n=n: add_note(tx, n)) for n in range(20)]
    writes.insert(10, notes.write(fail))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results].count(RuntimeError) == 1
    assert await count(notes) == 20


async def test_calls_after_commit_are_made_only_for_what_was_kept(notes: Database) -> None:
    called: list[int] = []

    def work(tx: Connection, number: int) -> None:
        after_commit(tx, lambda: called.append(number))
        if number % 2:
            raise ValueError(number)

    await asyncio.gather(*(notes.write(lambda tx, n=n: work(tx, n)) for n in range(10)), return_exceptions=True)
    await notes.write(lambda tx: None)
    assert sorted(called) == [0, 2, 4, 6, 8]


async def test_readers_may_not_write_to_sqlite(tmp_path: Path) -> None:
    db = open_sqlite(tmp_path / "x.db")
    with pytest.raises(UnavailableError, match="readonly"):
        await db.read(lambda tx: tx.execute(text("CREATE TABLE t (id INTEGER)")) and None)
    await db.close()


async def test_a_closed_database_says_so(notes: Database) -> None:
    await notes.close()
    with pytest.raises(UnavailableError, match="closed"):
        await notes.write(lambda tx: None)


async def test_a_full_queue_is_told_to_the_caller(tmp_path: Path) -> None:
    db = open_sqlite(tmp_path / "x.db", DatabaseSettings(queue_size=2))
    writes = [db.write(lambda tx: None) for _ in range(50)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert any(isinstance(result, BusyError) for result in results)
    await db.write(lambda tx: None)
    await db.close()


async def test_writes_are_refused_when_the_disk_is_short_and_resume_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = open_sqlite(tmp_path / "x.db", DatabaseSettings(reserve=1024**2))
    real = os.statvfs
    room = {"blocks": 0}

    class Short:
        f_bavail = 0
        f_frsize = 4096

    monkeypatch.setattr("os.statvfs", lambda path: Short() if room["blocks"] == 0 else real(path))
    with pytest.raises(StorageFullError, match="refused"):
        await db.write(lambda tx: None)
    assert await db.read(lambda tx: tx.execute(text("SELECT 1")).scalar_one()) == 1
    room["blocks"] = 1
    await db.write(lambda tx: None)
    await db.close()


async def test_a_full_database_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    db = open_sqlite(tmp_path / "x.db")
    await db.write(lambda tx: tx.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")) and None)
    await db.write(lambda tx: add_note(tx, 1))
    await db.write(lambda tx: tx.execute(text("PRAGMA max_page_count=8")) and None)
    fill = text("INSERT INTO note (body) VALUES (:body)")
    with pytest.raises(StorageFullError):
        for _ in range(64):
            await db.write(lambda tx: tx.execute(fill, {"body": "x" * 4000}) and None)
    kept = await count(db)
    await db.write(lambda tx: tx.execute(text("PRAGMA max_page_count=1000000")) and None)
    await db.write(lambda tx: tx.execute(fill, {"body": "x" * 4000}) and None)
    assert await count(db) == kept + 1
    await db.close()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "holdfast.db"
    file.write_bytes(b"half a file, " * 1000)
    with pytest.raises(ConflictError, match="not a readable SQLite database") as caught:
        open_sqlite(file)
    assert str(file) in str(caught.value)
    assert caught.value.hint


async def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        open_postgres("postgresql://nobody@127.0.0.1:1/none")


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from sqlalchemy import text
        from holdfast.kernel.sql import open_sqlite

        async def main():
            db = open_sqlite(Path(sys.argv[1]))
            await db.write(lambda tx: tx.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY)")) and None)
            for number in range(100000):
                await db.write(lambda tx: tx.execute(text("INSERT INTO note VALUES (:n)"), {"n": number}) and None)
                print(number, flush=True)

        asyncio.run(main())
    """)
    file = tmp_path / "killed.db"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
        assert child.stdout is not None
        acknowledged = [int(next(child.stdout)) for _ in range(200)]
        child.kill()
        acknowledged += [int(line) for line in child.stdout if line.endswith("\n")]
    with sqlite3.connect(file) as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM note")}
    connection.close()
    assert set(acknowledged) <= kept


async def test_what_the_driver_says_past_sqlalchemy_is_told_as_ours(notes: Database) -> None:
    def work(tx: Connection) -> None:
        driver: Any = tx.connection.dbapi_connection
        driver.execute("INSERT INTO note VALUES (1, NULL)")

    with pytest.raises(IntegrityError):
        await notes.write(work)
    assert await count(notes) == 0


@pytest.fixture
def postgres(notes: Database) -> Database:
    if notes.dialect != "postgresql":
        pytest.skip("of PostgreSQL's server")
    return notes


async def test_a_deadlock_of_the_drivers_own_statements_is_tried_again(postgres: Database) -> None:
    calls: list[int] = []

    def work(tx: Connection) -> None:
        driver: Any = tx.connection.dbapi_connection
        calls.append(add_note(tx, 1))
        if len(calls) == 1:
            driver.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")

    await postgres.write(work)
    assert len(calls) == 2
    assert await count(postgres) == 1


async def test_a_server_that_drops_us_is_found_again(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop_all(tx: Connection) -> None:
        driver: Any = tx.connection.dbapi_connection
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        driver.execute(f"{others} AND pid <> pg_backend_pid()")
        driver.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(UnavailableError):
        await postgres.write(drop_all)
    monkeypatch.setattr("holdfast.kernel.sql.postgres._FRESH_S", 0.0)
    assert await postgres.write(lambda tx: add_note(tx, 1)) == 1
    assert await count(postgres) == 1


async def test_whoever_is_told_of_a_commit_and_fails_stops_no_later_write(notes: Database) -> None:
    def work(tx: Connection) -> None:
        add_note(tx, 1)
        after_commit(tx, fail)

    def fail() -> None:
        raise RuntimeError("the loop is closed")

    await notes.write(work)
    assert await asyncio.wait_for(notes.write(lambda tx: add_note(tx, 2)), 10) == 2
    assert await count(notes) == 2


async def test_a_write_behind_the_end_is_refused_and_does_not_wait(tmp_path: Path) -> None:
    db = open_sqlite(tmp_path / "db.sqlite")
    await db.write(lambda tx: tx.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")) and None)
    closing = asyncio.ensure_future(db.close())
    writes = [asyncio.ensure_future(db.write(lambda tx, n=n: add_note(tx, n))) for n in range(50)]
    done = await asyncio.wait_for(asyncio.gather(closing, *writes, return_exceptions=True), 20)
    assert all(isinstance(one, int | UnavailableError) for one in done[1:])
