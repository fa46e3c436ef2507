"""Brings the schema up to date: every room keeps its own numbered Alembic revisions, each room one branch.

Runs at start, before anything else reads the database. Refuses a database that a newer Holdfast has written.
"""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from holdfast.kernel.errors import StaleSchemaError
from holdfast.kernel.sql.database import Database


async def migrate(db: Database, packages: Iterable[str]) -> list[str]:
    """Apply what is missing, in one transaction; give the revisions that were applied.

    Args:
        db: the database.
        packages: the rooms' migration packages, such as `holdfast.health.migrations`; their files are revisions.

    Raises:
        StaleSchemaError: the database knows a revision that this version does not.
    """
    folders = [str(importlib.resources.files(package)) for package in sorted(packages)]
    script = _script(folders)
    return await db.write(lambda tx: _upgrade(tx, script))


def _script(folders: list[str]) -> ScriptDirectory:
    # An explicit list, because a path may hold any separator that alembic would split a string at.
    return ScriptDirectory(str(Path(__file__).parent), version_locations=folders)


def _upgrade(tx: Connection, script: ScriptDirectory) -> list[str]:
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(4653001)")  # two processes may start at once
    current = MigrationContext.configure(tx).get_current_heads()
    known = {revision.revision for revision in script.walk_revisions()}
    unknown = sorted(set(current) - known)
    if unknown:
        raise StaleSchemaError(
            f"the database holds schema revisions that this version does not know: {', '.join(unknown)}",
            hint="start the newer Holdfast that wrote it, or restore the backup taken before the upgrade",
        )
    applied: list[str] = []

    def steps(revision: Any, _context: MigrationContext) -> Any:
        upgrades = script._upgrade_revs("heads", revision)  # noqa: SLF001 - alembic's own commands use it the same way
        applied.extend(step.revision.revision for step in upgrades)
        return upgrades

    config = Config()
    config.set_main_option("script_location", os.fspath(script.dir))
    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=tx, transactional_ddl=True, transaction_per_migration=False)
        environment.run_migrations()
    return applied
