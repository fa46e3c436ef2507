"""`Runs`: the engine as its callers see it. It puts the parts together and starts runs; `worker` carries them out.

What is declared to it stands in `declarations`, what people do to runs in `controls`, what they look at in `views`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import TenantId, new_id
from holdfast.kernel.runs import journal_rows, payloads, printouts
from holdfast.kernel.runs.controls import Controls
from holdfast.kernel.runs.declarations import Declarations
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.facilities import Facilities
from holdfast.kernel.runs.handles import Endings, RunHandle
from holdfast.kernel.runs.journal_writer import FaultPoint, JournalWriter
from holdfast.kernel.runs.large_payloads import own_blobs
from holdfast.kernel.runs.model import (
    OnCancel,
    RunId,
    StartOptions,
)
from holdfast.kernel.runs.observers import RunObserver
from holdfast.kernel.runs.planning import Planner, as_planned, keep_input, options_of_child, read_options
from holdfast.kernel.runs.queues import QueueBoard
from holdfast.kernel.runs.records import Entry, NewRun
from holdfast.kernel.runs.residents import Residents
from holdfast.kernel.runs.row_reading import facts_of_new
from holdfast.kernel.runs.scheduled_starts import EngineLauncher
from holdfast.kernel.runs.schedules import ScheduleBook
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.runs.worker import Worker
from holdfast.kernel.runs.workflows import Registry, Workflow
from holdfast.kernel.sql import Database, after_commit

O = TypeVar("O")  # noqa: E741 - the output


class Runs(Declarations, Controls):
    """The durable engine of one process.

    Args:
        db: where runs stand.
        events: where what people care about is told.
        clock: the time.
        settings: limits.
        observer: hears what happens, for metrics.
        url: of the PostgreSQL database, to hear other processes; empty on SQLite.
        fault_point: see `JournalWriter`.
        facilities: what the process lends: places for step code, the eye for secrets.
    """

    def __init__(
        self,
        db: Database,
        events: EventLog,
        clock: Clock,
        settings: RunsSettings | None = None,
        *,
        observer: RunObserver | None = None,
        url: str = "",
        fault_point: FaultPoint | None = None,
        facilities: Facilities | None = None,
    ) -> None:
        self.settings = settings or RunsSettings()
        self.observer = observer or RunObserver()
        self.registry = Registry()
        super().__init__(db)
        self._events = events
        self._clock = clock
        self._id = new_id()
        self.journal = JournalWriter(
            db,
            journal_rows.Rows(db.dialect, events),
            clock,
            queue_size=self.settings.journal_size,
            applied=self._applied,
            observer=self.observer,
            fault_point=fault_point,
        )
        lent = facilities or Facilities()
        self.residents = Residents(
            self._id, db, self.journal, clock, self.settings, observer=self.observer, facilities=lent
        )
        self.residents.plan_child = self._plan_child
        self.residents.started_child = self._started
        if lent.blobs is not None:
            own_blobs(lent.blobs, db)
        self._endings = Endings(db, clock, self.settings.poll, self.residents.large)
        self.queues = QueueBoard(db, events, clock)
        self._planner = Planner(self.queues, clock, self.settings.payload_limit)
        self._worker = Worker(
            db, clock, self.residents, self.registry, self._endings, queues=self.queues, events=events, url=url
        )
        launcher = EngineLauncher(self.registry, self._planner.plan, self._enqueue, clock)
        self.schedules = ScheduleBook(db, events, clock, launcher, self._worker.ticked)
        self.queues.announce = self._worker.announce
        self._worker.schedules = self.schedules
        self._is_running = False

    # --- what there is

    @property
    def worker_id(self) -> str:
        """Give the id of this process among those that share the database."""
        return self._id

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Carry out runs as long as the context lasts; what a former process has left behind goes first."""
        with printouts.heard_by_steps():
            await self._worker.start()
            self._is_running = True
            try:
                yield
            finally:
                self._is_running = False
                await self._worker.stop()

    # --- starting

    async def start(
        self,
        workflow: Workflow[Any, O] | str,
        input: Any = None,  # noqa: A002 - the word of the field
        options: StartOptions | None = None,
        **fields: Any,
    ) -> RunHandle[O]:
        """Start a run; when this returns it is on the disk.

        Args:
            workflow: the workflow, or the name of one.
            input: its input, or plain JSON data that fits its type.
            options: see `StartOptions`.
            fields: the same as `options`, by name.

        Raises:
            InvalidError: the input does not fit.
            NotFoundError: there is no workflow of this name.
            BusyError: too much waits for the disk.
        """
        found = self.registry.newest(workflow) if isinstance(workflow, str) else workflow
        wanted = read_options(options, fields)
        self.journal.demand_room()
        new = self._planner.plan(found, input, wanted)
        await keep_input(new, self.residents.large)
        is_ours = self._admits(new, found)
        if is_ours:
            new.owner = self._id
        else:
            self._planner.stand_in_line(new)
        entry = self.journal.add(Entry(new.id, 0, start=new))
        if is_ours:
            self._endings.expect(new.id)
            self.residents.launch(facts_of_new(new), found, new.input, begun_by=entry)
        await self.journal.wait(entry)
        found = as_planned(found, wanted)
        return RunHandle(entry.existing or new.id, found, self._endings, is_new=entry.existing is None)

    def enqueue(
        self,
        tx: Connection,
        workflow: Workflow[Any, Any] | str,
        input: Any = None,  # noqa: A002 - the word of the field
        options: StartOptions | None = None,
        **fields: Any,
    ) -> RunId:
        """Start a run in the caller's own transaction: it exists when, and only if, that commits."""
        found = self.registry.newest(workflow) if isinstance(workflow, str) else workflow
        return self._enqueue(tx, self._planner.plan(found, input, read_options(options, fields)))

    def _enqueue(self, tx: Connection, new: NewRun) -> RunId:
        self._planner.stand_in_line(new)
        entry = Entry(new.id, 0, start=new)
        journal_rows.Rows(self._db.dialect, self._events).apply(tx, [entry])
        after_commit(tx, self._worker.look_soon)
        return entry.existing or new.id

    def _admits(self, new: NewRun, workflow: Workflow[Any, Any]) -> bool:
        """Tell whether a run may begin here at once instead of standing in its queue."""
        is_known = self.registry.find(workflow.name, workflow.version) is workflow
        is_free = new.wake_at is None and new.singleton_key is None and self.queues.may_start_at_once(new.queue)
        return self._is_running and is_known and is_free and self.residents.room > 0

    def _plan_child(
        self, run: Execution, workflow: Any, given: Any, on_cancel: OnCancel, key: str | None, queue: str | None
    ) -> tuple[NewRun, Any]:
        found = self.registry.newest(workflow) if isinstance(workflow, str) else workflow
        new = self._planner.plan(found, given, options_of_child(run.facts, key, queue), is_child=True)
        new.parent_id, new.on_cancel = run.facts.id, on_cancel
        if self._admits(new, found):
            new.owner = self._id
        else:
            self._planner.stand_in_line(new)
        return new, found

    def _started(self, new: NewRun, is_ours: bool) -> None:  # noqa: FBT001 - a callback
        found = self.registry.find(new.workflow, new.version)
        if is_ours and new.owner is not None and found is not None:
            self.residents.launch(facts_of_new(new), found, new.input)

    def _applied(self, applied: journal_rows.Applied) -> None:
        for run_id in applied.woken:
            self.residents.poke(run_id)
        if applied.queued:
            self._worker.look_soon()

    # --- looking

    def handle(self, run_id: str, workflow: Workflow[Any, O] | None = None) -> RunHandle[O]:
        """Give a handle to a run that was started before."""
        return RunHandle(RunId(run_id), workflow, self._endings, is_new=False)

    async def query(self, run_id: str, name: str, *, tenant: TenantId | None = None) -> Any:
        """Ask a run: live while it is in this process, otherwise what it last published.

        Raises:
            NotFoundError: it does not answer to `name`.
        """
        view = await self.get(run_id, tenant=tenant)
        run = self.residents.get(RunId(run_id))
        if run is not None and name in run.queries:
            published = run.publish()
            return payloads.decode(published)[name]
        if name not in view.published and not view.state.is_final:
            await self.journal.flush()  # it may have left the memory just now
            view = await self.get(run_id, tenant=tenant)
        if name not in view.published:
            known = ", ".join(sorted(view.published)) or "nothing yet"
            raise NotFoundError(f"run {run_id} does not answer to {name!r}", hint=f"it answers to: {known}")
        return view.published[name]
