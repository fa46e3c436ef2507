"""Rows: SQLite in the data folder by default, PostgreSQL when a URL says so, behind one small `Database`.

Owns connections, transactions, durability, migrations and the types that both databases share. Refuses ORM sessions:
rooms pass a function over a SQLAlchemy Core connection, and what it returns is plain data.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.kernel.sql.columns import Json, UtcDateTime, keepable
    from holdfast.kernel.sql.database import Database, after_commit
    from holdfast.kernel.sql.migrations import migrate
    from holdfast.kernel.sql.postgres import open_postgres
    from holdfast.kernel.sql.settings import SECTION, DatabaseSettings
    from holdfast.kernel.sql.sqlite import open_sqlite

__all__ = [
    "SECTION",
    "Database",
    "DatabaseSettings",
    "Json",
    "UtcDateTime",
    "after_commit",
    "keepable",
    "migrate",
    "open_postgres",
    "open_sqlite",
]

_HOMES = {
    "columns": "Json UtcDateTime keepable",
    "database": "Database after_commit",
    "migrations": "migrate",
    "postgres": "open_postgres",
    "settings": "SECTION DatabaseSettings",
    "sqlite": "open_sqlite",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
