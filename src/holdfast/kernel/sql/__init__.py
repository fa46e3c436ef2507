"""Rows: SQLite in the data folder by default, PostgreSQL when a URL says so, behind one small `Database`.

Owns connections, transactions, durability, migrations and the types that both databases share. Refuses ORM sessions:
rooms pass a function over a SQLAlchemy Core connection, and what it returns is plain data.
"""

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
