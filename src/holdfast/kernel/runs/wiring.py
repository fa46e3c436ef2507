"""Joins runs to the app: the engine, what it offers, its routes, jobs, metrics, events and part of the ops folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.runs import following, queue_routes
from holdfast.kernel.runs.changes import Changes
from holdfast.kernel.runs.desk import Desk
from holdfast.kernel.runs.engine import Runs
from holdfast.kernel.runs.events import KINDS
from holdfast.kernel.runs.facilities import open_facilities
from holdfast.kernel.runs.metering import Meter
from holdfast.kernel.runs.metrics import RunMetrics
from holdfast.kernel.runs.offering import Offering
from holdfast.kernel.runs.permissions import PERMISSIONS
from holdfast.kernel.runs.queue_desk import QueueDesk
from holdfast.kernel.runs.queues import CHANGED as QUEUE_CHANGED
from holdfast.kernel.runs.queues import QueueBoard
from holdfast.kernel.runs.records import Entry
from holdfast.kernel.runs.retention import delete_old_for_ever
from holdfast.kernel.runs.routes import routes
from holdfast.kernel.runs.schedules import CHANGED as SCHEDULE_CHANGED
from holdfast.kernel.runs.schedules import SKIPPED as SCHEDULE_SKIPPED
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.sql import DatabaseSettings
from holdfast.kernel.wiring import Ground, Job, OpsSection, Readiness, Wiring

SECTION_NAME: Final = "workflows"


@dataclass(frozen=True, slots=True)
class RunsRoom:
    """The engine and how it is wired."""

    runs: Runs
    wiring: Wiring


class _Observer(RunMetrics):
    """Counts for the metrics, and tells who follows a run that something was written about it."""

    def __init__(self, registry: CollectorRegistry, changes: Changes) -> None:
        super().__init__(registry)
        self._changes = changes

    def entries_written(self, entries: Sequence[Entry]) -> None:
        """Tell those who follow."""
        self._changes.tell(entry.run_id for entry in entries)


def wire(ground: Ground) -> RunsRoom:
    """Build the room. Runs are carried out by processes of the role `work`; the others start, steer and show them."""
    changes = Changes()
    observer = _Observer(ground.metrics, changes)
    settings = ground.settings[RunsSettings]
    url = ground.settings[DatabaseSettings].url.reveal()
    lent = open_facilities(settings, ground.secrets.redactor, ground.metrics, ground.blobs)
    runs = Runs(ground.db, ground.events, ground.clock, settings, observer=observer, url=url, facilities=lent)
    offering = Offering(runs, partial(QueueBoard, ground.db, ground.events, ground.clock))
    desk = Desk(runs, ground.db, offering)
    observer.in_memory.set_function(lambda: len(runs.residents))
    observer.journal_waiting.set_function(lambda: runs.journal.waiting)
    queues = QueueDesk(runs.queues, runs.schedules, desk)
    meter = Meter(ground.db, ground.clock, runs.queues, observer)
    delete = partial(delete_old_for_ever, ground.db, ground.clock, settings, observer.deleted)
    wiring = Wiring(
        name="runs",
        routers=(following.routes(desk, changes, ground.clock), routes(desk), queue_routes.routes(queues)),
        migrations="holdfast.kernel.runs.migrations",
        jobs=(
            Job("runs:work", partial(_work, runs), "work"),
            Job("runs:retention", delete, "work"),
            Job("runs:meter", meter.run, "work"),
        ),
        permissions=PERMISSIONS,
        event_kinds=(*KINDS, QUEUE_CHANGED, SCHEDULE_CHANGED, SCHEDULE_SKIPPED),
        ops=OpsSection(SECTION_NAME, offering.prepare),
        readiness=(Readiness("runs", partial(_demand_journal, runs)),),
    )
    return RunsRoom(runs, wiring)


async def _work(runs: Runs) -> None:
    """Carry out runs; a job, so that it begins once the ops folder is loaded and the code of all runs is there."""
    async with runs.running():
        await asyncio.Event().wait()


async def _demand_journal(runs: Runs) -> None:
    """Raise UnavailableError while what runs do cannot be written down."""
    if runs.journal.is_failing:
        raise UnavailableError("the journal of runs cannot be written; runs stand still and lose nothing")
