"""A service's database: migrations once and in order, transactions whole, the dialects alike."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, insert, select, text

from shop.chassis import FaultPlan, Faults, Problem
from shop.settings import ServiceName, Settings
from shop.storage import Database, MigrationError, insert_if_absent

things = Table("things", MetaData(), Column("name", Text, primary_key=True), Column("size", BigInteger))
PACKAGE = Path(__file__).parents[1] / "src" / "shop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "migrations"
    path.mkdir()
    (path / "0001_things.sql").write_text("CREATE TABLE things (name TEXT PRIMARY KEY, size BIGINT);\n")
    return path


async def names_in(database: Database) -> list[str]:
    return await database.read(lambda connection: list(connection.execute(select(things.c.name)).scalars()))


async def test_migrations_are_applied_once_and_in_order(any_settings: Settings, folder: Path) -> None:
    (folder / "0002_more.sql").write_text("INSERT INTO things VALUES ('a', 1);\nINSERT INTO things VALUES ('b', 2);\n")
    for _ in range(2):
        database = Database.open(any_settings, "orders", Faults())
        await database.migrate(folder)
        assert await names_in(database) == ["a", "b"]
        await database.close()


async def test_a_migration_that_fails_leaves_nothing_behind(any_settings: Settings, folder: Path) -> None:
    (folder / "0002_wrong.sql").write_text("INSERT INTO things VALUES ('a', 1);\nINSERT INTO nowhere VALUES (1);\n")
    database = Database.open(any_settings, "orders", Faults())
    with pytest.raises(Exception, match="nowhere"):
        await database.migrate(folder)
    assert await names_in(database) == []
    (folder / "0002_wrong.sql").write_text("INSERT INTO things VALUES ('right', 1);\n")
    await database.migrate(folder)
    assert await names_in(database) == ["right"]
    await database.close()


async def test_a_database_of_a_newer_release_is_left_alone(any_settings: Settings, folder: Path) -> None:
    (folder / "0002_more.sql").write_text("INSERT INTO things VALUES ('a', 1);\n")
    database = Database.open(any_settings, "orders", Faults())
    await database.migrate(folder)
    (folder / "0002_more.sql").unlink()
    with pytest.raises(MigrationError, match="no migration 2: a newer release wrote this database"):
        await database.migrate(folder)
    await database.close()


async def test_a_migration_without_a_number_is_named(settings: Settings, folder: Path) -> None:
    (folder / "extra.sql").write_text("SELECT 1;\n")
    database = Database.open(settings, "orders", Faults())
    with pytest.raises(MigrationError, match=r"extra\.sql"):
        await database.migrate(folder)
    await database.close()


@pytest.mark.parametrize("service", [name for name in ServiceName if name is not ServiceName.GATEWAY])
async def test_every_services_tables_are_those_of_its_migrations(any_settings: Settings, service: ServiceName) -> None:
    tables = __import__(f"shop.{service}.tables", fromlist=["metadata"]).metadata.sorted_tables
    database = Database.open(any_settings, service, Faults())
    await database.migrate(PACKAGE / service / "migrations")
    for table in tables:
        assert await database.read(lambda connection, table=table: connection.execute(select(table)).all()) == []
    await database.close()


async def test_a_row_is_inserted_by_one_of_many_who_race(any_settings: Settings, folder: Path) -> None:
    database = Database.open(any_settings, "orders", Faults())
    await database.migrate(folder)
    winners = await asyncio.gather(
        *(database.write(insert_if_absent, things, {"name": "only", "size": size}) for size in range(12))
    )
    assert sum(winners) == 1
    assert await names_in(database) == ["only"]
    await database.close()


async def test_work_that_raises_is_undone(any_settings: Settings, folder: Path) -> None:
    database = Database.open(any_settings, "orders", Faults())
    await database.migrate(folder)

    def begin_and_fail(connection: Connection) -> None:
        connection.execute(insert(things).values(name="half", size=1))
        raise LookupError("changed my mind")

    with pytest.raises(LookupError):
        await database.write(begin_and_fail)
    assert await names_in(database) == []
    await database.close()


async def test_services_do_not_see_each_others_tables(any_settings: Settings, folder: Path) -> None:
    orders = Database.open(any_settings, "orders", Faults())
    catalog = Database.open(any_settings, "catalog", Faults())
    await orders.migrate(folder)
    with pytest.raises(Exception, match="things"):
        await names_in(catalog)
    await orders.close()
    await catalog.close()


async def test_a_database_that_is_away_is_a_503(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    database = Database.open(away, "orders", Faults())
    with pytest.raises(Problem) as refused:
        await database.ping()
    assert (refused.value.status, refused.value.code) == (503, "database-unavailable")
    await database.close()


async def test_a_dead_database_on_command_is_a_503_until_healed(settings: Settings) -> None:
    faults = Faults()
    database = Database.open(settings, "orders", faults)
    await faults.apply(FaultPlan(dead_dependency="database"))
    with pytest.raises(Problem, match="database-unavailable"):
        await database.ping()
    await faults.heal()
    assert await database.read(lambda connection: connection.execute(text("SELECT 7")).scalar_one()) == 7
    await database.close()
