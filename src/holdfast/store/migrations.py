"""Brings a store to what the rooms declare: numbered, recorded in the store, safe to repeat and to run twice at once.

A store that was written by a newer Holdfast is refused before anything is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from holdfast.kernel.errors import ConflictError, StaleSchemaError
from holdfast.store.clients import Client
from holdfast.store.schema import Schema, Table

RECORD: Final = "holdfast_schema"
_CREATE_RECORD: Final = f"""CREATE TABLE IF NOT EXISTS {RECORD} (
  room LowCardinality(String), version UInt32, title String, release String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY (room, version)"""


def migrate(client: Client, schemas: Iterable[Schema], *, release: str, fsync: bool) -> None:
    """Bring the tables of `schemas` up to date. Blocks.

    Args:
        client: its database is the store's.
        schemas: one per room.
        release: the version of Holdfast, for the record.
        fsync: what an acknowledgement must survive.

    Raises:
        StaleSchemaError: a room's tables were made by a newer Holdfast; nothing was changed.
        ConflictError: after all migrations a declared column is still missing, a fault of the room.
    """
    schemas = tuple(schemas)
    client.command(_CREATE_RECORD)
    recorded = _recorded(client)
    for schema in schemas:
        _refuse_future(schema, recorded.get(schema.room, 0))
    for schema in schemas:
        known = recorded.get(schema.room)
        for table in schema.tables:
            client.command(table.create(fsync=fsync))
        if known is None:
            _record(client, schema.room, schema.version, "tables as declared", release)
        for migration in schema.migrations[known:] if known is not None else ():
            for statement in migration.statements:
                client.command(statement)
            _record(client, schema.room, migration.number, migration.title, release)
        columns, engines = _columns(client, schema), _engines(client, schema)
        for table in schema.tables:
            _verify(schema, table, columns[table.name])
            _set(client, table, engines[table.name], table.settings(fsync=fsync))


def _recorded(client: Client) -> dict[str, int]:
    body = client.raw_query(f"SELECT room, max(version) FROM {RECORD} GROUP BY room", fmt="TabSeparated")  # noqa: S608
    rows = (line.split("\t") for line in body.decode().splitlines())
    return {room: int(version) for room, version in rows}


def _refuse_future(schema: Schema, recorded: int) -> None:
    if recorded > schema.version:
        raise StaleSchemaError(
            f"the tables of {schema.room} have version {recorded}, and this Holdfast knows up to {schema.version}",
            hint="start the newer Holdfast that wrote them, or restore a backup from before its upgrade",
        )


def _record(client: Client, room: str, version: int, title: str, release: str) -> None:
    client.command(
        f"INSERT INTO {RECORD} (room, version, title, release) "
        "SELECT {room:String}, {version:UInt32}, {title:String}, {release:String}",
        {"room": room, "version": version, "title": title, "release": release},
    )


def _columns(client: Client, schema: Schema) -> dict[str, list[str]]:
    """Give the columns of a room's tables; asked at once, because each question takes as long as half a table."""
    return _read(client, "SELECT table, groupArray(name) FROM system.columns", "table", schema)


def _engines(client: Client, schema: Schema) -> dict[str, str]:
    return _read(client, "SELECT name, any(engine_full) FROM system.tables", "name", schema)


def _read(client: Client, select: str, key: str, schema: Schema) -> dict[str, Any]:
    body = client.raw_query(
        f"{select} WHERE database = currentDatabase() AND {key} IN {{tables:Array(String)}} GROUP BY {key}",
        {"tables": [table.name for table in schema.tables]},
        fmt="JSONCompactEachRow",
    )
    return dict(orjson.loads(line) for line in body.splitlines())


def _verify(schema: Schema, table: Table, columns: Iterable[str]) -> None:
    missing = {column.name for column in table.all_columns} - set(columns)
    if missing:
        raise ConflictError(
            f"table {table.name} lacks the column {', '.join(sorted(missing))} after all migrations",
            hint=f"add a migration {schema.version + 1} to the schema of {schema.room}",
        )


def _set(client: Client, table: Table, engine: str, wanted: Sequence[str]) -> None:
    settings = engine.strip().rpartition(" SETTINGS ")[2].split(", ")
    if not set(wanted) <= set(settings):
        client.command(f"ALTER TABLE {table.name} MODIFY SETTING {', '.join(wanted)}")
