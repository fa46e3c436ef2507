"""A book that the release before has filled keeps its meaning, and a process of that release goes on beside it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, insert, inspect, select, update

from fixtures.deploys import AT, MIGRATIONS, Shop
from holdfast.kernel.sql import UtcDateTime, migrate
from holdfast.telemetry.versions import migrations as revisions
from holdfast.telemetry.versions.hints import RESOURCE
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS

SINCE = {"known_since", "heard_since", "longest_gap_s", "usual_gap_s", "is_rollback", "ending", "to_version"}
OLDER = Table(  # as the release before knows it
    "service_versions",
    MetaData(),
    *(
        Column(each.name, each.type, primary_key=each.primary_key, nullable=each.nullable)
        for each in SERVICE_VERSIONS.columns
        if each.name not in SINCE
    ),
    Column("back_told_at", UtcDateTime),
)


@pytest.fixture
def older(tmp_path, monkeypatch):
    """The migrations of the release before, as a package."""
    package = tmp_path / "older_book"
    package.mkdir()
    (package / "__init__.py").touch()
    first = Path(str(revisions.__file__)).with_name("versions_0001.py")
    (package / first.name).write_text(first.read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    return (MIGRATIONS[0], package.name)


def ago(minutes):
    return AT - timedelta(minutes=minutes)


def row(version, began_at, **more):
    return {
        "tenant": "default",
        "service": "orders",
        "environment": "",
        "version": version,
        "origin": RESOURCE,
        **dict.fromkeys(("trace_id", "instance", "commit", "url", "by"), ""),
        "is_baseline": False,
        "is_heard": True,
        "began_at": began_at,
        "first_seen": began_at,
        "last_seen": began_at,
        **dict.fromkeys(("from_version", "settled_at", "ended_at", "told_at", "back_told_at")),
        **more,
    }


ROWS = [
    # 1 ran, 2 took its place, and 1 has come back two minutes ago, while 2 is still heard.
    row("1", ago(2), is_baseline=False, first_seen=ago(900), last_seen=ago(1), from_version="2", back_told_at=ago(2)),
    row("2", ago(300), last_seen=ago(1), from_version="1", settled_at=ago(290), told_at=ago(300), commit="4f2a"),
    row("0", ago(1000), last_seen=ago(890), is_baseline=True, settled_at=ago(1000), ended_at=ago(880)),
    row("3", ago(5), origin="api", is_heard=False, first_seen=None, last_seen=None, told_at=ago(5), by="ci", url="u"),
]


async def fill(db, rows):
    await db.write(lambda tx: tx.execute(insert(OLDER), rows) and None)


async def test_rows_of_the_release_before_keep_their_meaning(db, older):
    await migrate(db, older)
    await fill(db, ROWS)
    assert await migrate(db, MIGRATIONS) == ["versions_0002", "versions_0003"]

    after = {each.version: each for each in await db.read(lambda tx: tx.execute(select(SERVICE_VERSIONS)).all())}
    changed = {"first_seen", "back_told_at"}
    for before in ROWS:
        kept = {name: getattr(after[before["version"]], name) for name in before.keys() - changed}
        assert kept == {name: value for name, value in before.items() if name not in changed}
    known = [(each.version, each.known_since, each.heard_since, each.is_rollback) for _, each in sorted(after.items())]
    assert known == [
        ("0", ago(1000), ago(890), False),
        ("1", ago(900), ago(1), True),
        ("2", ago(300), ago(1), False),
        ("3", ago(5), None, False),
    ]
    assert (after["1"].first_seen, after["2"].first_seen, after["3"].first_seen) == (ago(2), ago(300), None)

    shop = Shop(db)
    assert await shop.history() == ["1 running", "3 awaited", "2 beside", "0 ended"]
    await shop.live(22, {"1": 1})
    assert await shop.told() == ["rolled_back 2>1"]
    assert await shop.history() == ["1 running", "3 replaced>1", "2 rolled_back>1", "0 ended"]


async def test_a_process_of_the_release_before_goes_on_beside_this_one(db, older):
    await migrate(db, older)
    await fill(db, ROWS)
    columns = OLDER.columns
    mine = (columns.service == "orders") & (columns.version == "0")

    async def read():
        return await db.read(lambda tx: {each.version: each for each in tx.execute(select(OLDER)).all()})

    for _ in range(8):  # so often that a driver has prepared it
        await read()
    await migrate(db, MIGRATIONS)
    seen = await read()
    assert (seen["1"].back_told_at, seen["2"].back_told_at) == (ago(2), None)
    await fill(db, [row("4", AT, from_version="1", told_at=AT)])
    back = {"ended_at": None, "began_at": AT, "last_seen": AT, "from_version": "4", "back_told_at": AT}
    assert await db.write(lambda tx: tx.execute(update(OLDER).where(mine).values(back)).rowcount) == 1

    shop = Shop(db)
    await shop.live(65, {"4": 1})  # of a version that was heard once its end is told after an hour
    assert await shop.told() == ["settled 1>4"]


async def test_a_deploy_that_the_release_before_brings_back_has_not_ended(db):
    await migrate(db, MIGRATIONS)
    shop = Shop(db)
    await shop.go_on(3, "1")
    await shop.go_on(8, "2")
    assert await shop.history() == ["2 running", "1 replaced>2"]
    now = shop.clock.now()
    back = {"ended_at": None, "began_at": now, "last_seen": now, "from_version": "2"}
    await db.write(lambda tx: tx.execute(update(OLDER).where(OLDER.c.version == "1").values(back)) and None)
    first, second = await shop.ledger.deploys("default")
    assert (first.version, first.state, first.ending, first.to_version) == ("1", "running", None, None)
    assert second.version == "2"


async def test_the_tables_are_those_that_the_code_names(db):
    await migrate(db, MIGRATIONS)
    names = await db.read(lambda tx: {each["name"] for each in inspect(tx).get_columns("service_versions")})
    assert names == {*SERVICE_VERSIONS.columns.keys(), "back_told_at"}  # goes with the next release
