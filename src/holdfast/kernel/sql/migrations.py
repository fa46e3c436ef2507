"""Brings the schema up to date: every room keeps its own numbered Alembic revisions, each room one branch.

Runs at start, before anything else reads the database. Alembic itself is read only where something is missing: it takes
a twentieth of a start. A file's name begins with its revision, so the names say which revision is a room's newest.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, select, table

from holdfast.kernel.sql.database import Database

_VERSIONS: Final = table("alembic_version", column("version_num"))


async def migrate(db: Database, packages: Iterable[str]) -> list[str]:
    """Apply what is missing, in one transaction; give the revisions that were applied.

    Args:
        db: the database.
        packages: the rooms' migration packages, such as `holdfast.health.migrations`; their files are revisions.

    Raises:
        StaleSchemaError: the database knows a revision that this version does not.
    """
    folders = [str(importlib.resources.files(package)) for package in sorted(packages)]
    newest = newest_revisions(folders)
    if await db.read(_current) == newest:
        return []
    from holdfast.kernel.sql.upgrading import read_revisions, upgrade  # noqa: PLC0415 -- see the module's docstring

    script = read_revisions(folders)
    return await db.write(lambda tx: upgrade(tx, script))


def newest_revisions(folders: Sequence[str]) -> set[str]:
    """Give the newest revision of each folder, as its files are named: `runs_0002` of `runs_0002_queues.py`."""
    return {max(_revision(file) for file in Path(folder).glob("*_[0-9]*.py")) for folder in folders}


def _revision(file: Path) -> str:
    room, number, *_ = file.stem.split("_")
    return f"{room}_{number}"


def _current(tx: Connection) -> set[str]:
    if not tx.dialect.has_table(tx, _VERSIONS.name):
        return set()
    return set(tx.scalars(select(_VERSIONS.c.version_num)))
