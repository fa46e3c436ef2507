"""Applies what is missing of the rooms' revisions, by Alembic; refuses a database that a newer Holdfast has written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from holdfast.kernel.errors import StaleSchemaError


def read_revisions(folders: Sequence[str]) -> ScriptDirectory:
    """Read the revisions that lie in these folders."""
    # An explicit list, because a path may hold any separator that alembic would split a string at.
    return ScriptDirectory(str(Path(__file__).parent), version_locations=list(folders))


def upgrade(tx: Connection, script: ScriptDirectory) -> list[str]:
    """Apply what is missing, within the caller's transaction; give the revisions that were applied.

    Raises:
        StaleSchemaError: the database knows a revision that is not among them.
    """
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
