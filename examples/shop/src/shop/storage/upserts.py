"""The one statement that SQLite and PostgreSQL both know but SQLAlchemy spells per dialect."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table, literal


def insert_if_absent(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; return whether it was inserted.

    Two callers that race with one key both return: one with True.
    """
    # The dialect in use is loaded already; naming both would load the other, which takes a tenth of a second.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    insert = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(literal(1))
    return connection.execute(insert).first() is not None
