"""An engine over a folder, for people who test their workflows or try them without a server.

The same engine as the server's, with the same durability; the folder may be opened again, and the runs go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.runs.engine import Runs
from holdfast.kernel.runs.offering import Offering
from holdfast.kernel.runs.queues import QueueBoard
from holdfast.kernel.runs.workflows import Workflow
from holdfast.kernel.sql import migrate, open_sqlite
from holdfast.kernel.wiring import OpsFolder

_MIGRATIONS = ("holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations")


@asynccontextmanager
async def open_runs(
    folder: Path, *workflows: Workflow[Any, Any], ops: Path | None = None, clock: Clock | None = None
) -> AsyncIterator[Runs]:
    """Carry out runs as long as the context lasts.

    Args:
        folder: where the runs are kept, in one SQLite file; it must exist.
        workflows: what can be started.
        ops: an ops folder whose workflows, queues and schedules can be started too.
        clock: the time, if it is not the machine's.

    Raises:
        ConfigError: a file of the ops folder has faults.
    """
    time = clock or SystemClock()
    db = open_sqlite(folder / "runs.db")
    try:
        await migrate(db, _MIGRATIONS)
        events = EventLog(db, time)
        runs = Runs(db, events, time)
        _register(runs, workflows)
        if ops is not None:
            await Offering(runs, partial(QueueBoard, db, events, time)).prepare(OpsFolder(ops), {}).apply()
        async with runs.running():
            yield runs
    finally:
        await db.close()


def _register(runs: Runs, workflows: Iterable[Workflow[Any, Any]]) -> None:
    for workflow in workflows:
        runs.registry.add(workflow)
