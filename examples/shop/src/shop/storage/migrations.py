"""Numbered SQL files, applied once each, in order: `0001_orders.sql`, `0002_...`.

A file is one transaction. There is no way down: a mistake is repaired by the next number.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine

from shop.chassis import now_ms

_LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL
)"""


class MigrationError(Exception):
    """The schema and the files do not fit together."""


def create_schema(engine: Engine, schema: str) -> None:
    """Make a PostgreSQL schema that is not there yet."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')


def migrate(engine: Engine, folder: Path) -> list[str]:
    """Apply every file of `folder` that the database does not have yet; return their names.

    Raises:
        MigrationError: the database was written by a newer release, or a file has no number.
    """
    files = {_number(path): path for path in sorted(folder.glob("*.sql"))}
    with engine.begin() as connection:
        connection.exec_driver_sql(_LEDGER)
        done = set(connection.exec_driver_sql("SELECT number FROM schema_migrations").scalars())
    if unknown := sorted(done - files.keys()):
        raise MigrationError(
            f"{folder} has no migration {unknown[-1]}: a newer release wrote this database; run that one."
        )
    pending = [files[number] for number in sorted(files.keys() - done)]
    for path in pending:
        with engine.begin() as connection:
            _apply(connection, path)
    return [path.name for path in pending]


def _number(path: Path) -> int:
    head = path.name.partition("_")[0]
    if not head.isdigit():
        raise MigrationError(f"{path}: a migration's name starts with its number, such as 0001_orders.sql")
    return int(head)


def _apply(connection: Connection, path: Path) -> None:
    for statement in path.read_text().split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        f"INSERT INTO schema_migrations VALUES ({_number(path)}, '{path.name}', {now_ms()})"  # noqa: S608 -- our file names
    )
