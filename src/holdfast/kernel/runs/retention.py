"""Deletes finished runs that are older than they are kept, in small batches, with all that belongs to them.

Runs that wait for people (stranded, waiting) are kept however old they are; blobs go by the sweep of `kernel.blobs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter
from sqlalchemy import Connection, delete, select

from holdfast.kernel.clock import Clock
from holdfast.kernel.runs.model import RunState
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.runs.tables import RUN_ATTEMPTS, RUN_LOG, RUN_SIGNALS, RUN_STEPS, RUNS
from holdfast.kernel.sql import Database

BATCH: Final = 200  # runs in one transaction: other writers wait meanwhile
SWEEP_EVERY_S: Final = 600.0
PAUSE_S: Final = 0.05
_PARTS: Final = (RUN_STEPS, RUN_ATTEMPTS, RUN_SIGNALS, RUN_LOG)


async def delete_old_for_ever(db: Database, clock: Clock, settings: RunsSettings, deleted: Counter) -> None:
    """Delete what is too old, then look again after a while."""
    while True:
        await delete_old(db, clock, settings, deleted)
        await clock.sleep(SWEEP_EVERY_S)


async def delete_old(db: Database, clock: Clock, settings: RunsSettings, deleted: Counter) -> int:
    """Delete all that is too old now; give how many runs that were."""
    total = 0
    for states, before in _bounds(clock.now(), settings):
        count = BATCH
        while count == BATCH:
            count = await db.write(lambda tx, states=states, before=before: _delete_batch(tx, states, before))  # type: ignore[misc]  # mypy cannot infer the defaults of a lambda
            deleted.inc(count)
            total += count
            await clock.sleep(PAUSE_S if count == BATCH else 0)
    return total


def _bounds(now: datetime, settings: RunsSettings) -> Iterator[tuple[tuple[RunState, ...], datetime]]:
    if settings.keep_succeeded:
        yield (RunState.SUCCEEDED,), now - timedelta(seconds=settings.keep_succeeded)
    if settings.keep_failed:
        yield (RunState.FAILED, RunState.CANCELLED), now - timedelta(seconds=settings.keep_failed)


def _delete_batch(tx: Connection, states: tuple[RunState, ...], before: datetime) -> int:
    # Ids sort by creation, and nothing finishes before it was created: so only the old end of the key is looked at.
    first_too_young = f"{int(before.timestamp() * 1000):012x}"
    bound = f"{first_too_young[:8]}-{first_too_young[8:]}"
    chosen = (
        select(RUNS.c.id)
        .where(RUNS.c.id < bound, RUNS.c.state.in_([str(state) for state in states]), RUNS.c.finished_at < before)
        .order_by(RUNS.c.id)
        .limit(BATCH)
    )
    ids = list(tx.execute(chosen).scalars())
    if ids:
        for table in _PARTS:
            tx.execute(delete(table).where(table.c.run_id.in_(ids)))
        tx.execute(delete(RUNS).where(RUNS.c.id.in_(ids)))
    return len(ids)
