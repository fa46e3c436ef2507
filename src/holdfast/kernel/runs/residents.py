"""The runs in this process's memory: begins their code, parks those that wait, brings them what they wait for."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.runs import leases, printouts
from holdfast.kernel.runs.errors import FencedError, Leave, Parked
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.facilities import Facilities
from holdfast.kernel.runs.facts import Facts, Wait
from holdfast.kernel.runs.journal_writer import JournalWriter
from holdfast.kernel.runs.large_payloads import LargePayloads
from holdfast.kernel.runs.model import FINAL, OnCancel, RunId, RunState, StepKind
from holdfast.kernel.runs.observers import RunObserver
from holdfast.kernel.runs.records import Entry, NewRun, Step
from holdfast.kernel.runs.runner import Ending, carry
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.runs.signals import Signals
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.runs.threads import call_in_thread
from holdfast.kernel.runs.timers import Timers
from holdfast.kernel.runs.workflows import Workflow
from holdfast.kernel.sql import Database
from holdfast.resilience import bulkhead

_LOG: Final = journal.get_logger("holdfast.runs")
_MOST_WAITING: Final = 200_000  # more runs than are in memory: concurrency plus those that wait (`runs.resident_limit`)
PlanChild = Callable[[Execution, Any, Any, OnCancel, str | None, str | None], tuple[NewRun, Any]]
Ended = tuple[RunState, str | None, str | None]


class Residents:
    """Live executions by run id; also what executions call the engine's doors."""

    def __init__(
        self,
        worker: str,
        db: Database,
        writer: JournalWriter,
        clock: Clock,
        settings: RunsSettings,
        *,
        observer: RunObserver,
        facilities: Facilities,
    ) -> None:
        self.worker = worker
        self.journal = writer
        self.clock = clock
        self.timers = Timers(clock)
        self.settings = settings
        self.observer = observer
        self.places = facilities.places
        self.mask = facilities.mask
        self.large = LargePayloads(facilities.blobs, settings.inline_limit, clock)
        self.plan_child: PlanChild = _cannot_plan
        self.started_child: Callable[[NewRun, bool], None] = lambda _new, _is_ours: None
        self.ended: Callable[[Execution, Workflow[Any, Any], Ending | None], None] = lambda _run, _workflow, _ending: (
            None
        )
        self.wakes_at: Callable[[datetime | None], None] = lambda _moment: None
        self._db = db
        self._live: dict[RunId, Execution] = {}
        self._idle: dict[RunId, Execution] = {}
        self._workflows: dict[RunId, Workflow[Any, Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._signals = Signals(db)
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="run-step")
        self._workflow_places = bulkhead(settings.threads, queue=_MOST_WAITING, name="run_workflow_threads")
        self._looking: dict[RunId, bool] = {}
        self._postponed: set[RunId] = set()
        self.is_stopping = False
        self._calm = asyncio.Event()

    # --- what is here

    @property
    def busy(self) -> int:
        """Count the runs that do something, and do not only wait."""
        return len(self._live) - len(self._idle)

    @property
    def room(self) -> int:
        """Count the runs that may begin now."""
        return self.settings.concurrency - self.busy

    def __len__(self) -> int:
        """Count the runs in memory."""
        return len(self._live)

    def get(self, run_id: RunId) -> Execution | None:
        """Give a run that is in memory."""
        return self._live.get(run_id)

    def live(self) -> list[Execution]:
        """Give all runs in memory."""
        return list(self._live.values())

    # --- beginning and ending

    def launch(
        self,
        facts: Facts,
        workflow: Workflow[Any, Any],
        given: str | None,
        recorded: dict[str, Step] | None = None,
        *,
        begun_by: Entry | None = None,
        is_cancelled: bool = False,
    ) -> Execution:
        """Begin a run's code; it does nothing before `begun_by` is durable."""
        run = Execution(facts, self, recorded)
        run.last = begun_by
        if is_cancelled:
            run.begin_stopped("cancel")
        elif facts.deadline is not None and facts.deadline <= self.clock.now():
            run.begin_stopped("timeout")
        self._live[facts.id] = run
        self._workflows[facts.id] = workflow
        run.task = run.main = asyncio.get_running_loop().create_task(self._carry(run, workflow, given))
        return run

    async def _carry(self, run: Execution, workflow: Workflow[Any, Any], given: str | None) -> None:
        printouts.PRINTOUT.set(None)  # whoever started it may be a step
        if not workflow.is_async:
            run.main = None  # its thread is not ours to cancel: it ends at its next operation
        timer = None
        if run.facts.deadline is not None and not run.stopping:
            left_s = (run.facts.deadline - self.clock.now()).total_seconds()
            timer = self.timers.after(left_s, functools.partial(run.stop, "timeout"))
        self.observer.run_started(workflow.name, is_reentry=run.is_reentry)
        ending: Ending | None = None
        try:
            ending = await carry(run, workflow, given)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the fence of a job: the run is taken up again, a few times
            _LOG.exception("runs.engine_failed", run=run.facts.id, error=str(error))
            run.leave(Leave("the engine failed"))
            self.spawn(self._give_back(run))
        finally:
            if timer is not None:
                timer.cancel()
            self._forget(run)
            self.ended(run, workflow, ending)

    async def _give_back(self, run: Execution) -> None:
        try:
            await self._settle(run)  # its row may not be there yet
        except (HoldfastError, Leave):
            return  # it was not started, or is another process's
        await self._db.write(lambda tx: leases.give_back(tx, run.facts.id, run.facts.epoch))
        self.wakes_at(self.clock.now())

    def _forget(self, run: Execution) -> None:
        run_id = run.facts.id
        if self._live.get(run_id) is run:
            del self._live[run_id]
            self._idle.pop(run_id, None)
            self._workflows.pop(run_id, None)
            self._signals.forget(run_id)
        if isinstance(run.leaving, FencedError):
            self.observer.writes_fenced(1)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something on the side; it is ended with the engine."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what goes on on the side."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.timers.close()
        await self.places.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def quiesce(self) -> None:
        """Begin no more steps, and wait for those at work, for at most the grace; then every run leaves."""
        self.is_stopping = True
        timer = self.timers.after(self.settings.stop_grace, self._calm.set)
        self.calm()
        await self._calm.wait()
        timer.cancel()
        tasks = [run.task for run in self._live.values() if run.task is not None]
        for run in self.live():
            run.leave(Leave("the process stops"))
        if tasks:
            await asyncio.wait(tasks, timeout=self.settings.stop_grace)

    def step_done(self, run_id: RunId, step: Step) -> None:
        """Tell the observer."""
        if run_id in self._workflows and step.finished_at is not None:
            seconds = (step.finished_at - step.started_at).total_seconds()
            name = self._workflows[run_id].name
            self.observer.step_finished(name, step.kind, step.state, seconds, step.attempts)

    def calm(self) -> None:
        """See whether any step is still at work."""
        if not any(run.busy for run in self._live.values()):
            self._calm.set()

    # --- parking

    def idle(self, run: Execution) -> None:
        """All branches of the run wait: let it leave the memory, soon, or at once where many wait."""
        self._idle[run.facts.id] = run
        if len(self._idle) > self.settings.resident_limit:
            asyncio.get_running_loop().call_soon(self._park_if_idle, run)
        else:
            self.timers.after(self.settings.park_after, functools.partial(self._park_if_idle, run))

    def active(self, run: Execution) -> None:
        """A branch of the run goes on."""
        self._idle.pop(run.facts.id, None)

    def _park_if_idle(self, run: Execution) -> None:
        is_idle = run.busy == 0 and run.waits and not any(wait.answer.done() for wait in run.waits.values())
        if not is_idle or run.leaving is not None:
            return
        if run.facts.id in self._looking:  # what it waits for may be there: parked now, it would come back at once
            self._postponed.add(run.facts.id)
            return
        wake_at = run.wake_at()
        if wake_at is not None and (wake_at - self.clock.now()).total_seconds() < self.settings.park_after:
            return
        self.park(run)

    def park(self, run: Execution) -> None:
        """Write that the run waits as a row only, and end its code here."""
        mark = run.mark(RunState.WAITING, owner=None)
        mark.published = run.publish()
        run.end_output()
        run.write(mark=mark)
        run.leave(Parked())
        self.observer.run_parked(self._workflows[run.facts.id].name)
        self.wakes_at(mark.wake_at)

    # --- bringing what is waited for

    def poke(self, run_id: RunId) -> None:
        """Something may have come for this run: a signal, a child's end, a request to cancel."""
        run = self._live.get(run_id)
        if run is not None:
            self.look(run)

    def look(self, run: Execution) -> None:
        """See soon what has come; asked again meanwhile, look once more afterwards."""
        run_id = run.facts.id
        if run_id in self._looking:
            self._looking[run_id] = True
            return
        self._looking[run_id] = False
        self.spawn(self._look(run))

    async def _look(self, run: Execution) -> None:
        run_id = run.facts.id
        try:
            await self._settle(run)
            kinds = {wait.kind for wait in run.waits.values()}
            if StepKind.SIGNAL in kinds:
                await self._signals.deliver(run)
            if StepKind.CHILD in kinds:
                await self._deliver_children(run)
            row = await self._db.read(lambda tx: _cancel_request(tx, run_id))
            if row and self._live.get(run_id) is run:
                run.stop("cancel")
        except (HoldfastError, Leave):
            return  # the database is away, or the run is gone: the poll looks again
        finally:
            is_postponed = run_id in self._postponed
            self._postponed.discard(run_id)
            if self._looking.pop(run_id, False) and run.leaving is None:
                self.look(run)
            if is_postponed and self._live.get(run_id) is run:
                self._park_if_idle(run)

    async def _settle(self, run: Execution) -> None:
        """Wait until what the run has written can be read."""
        if run.last is not None:
            await self.journal.wait(run.last)

    async def _deliver_children(self, run: Execution) -> None:
        waits = {wait.name: wait for wait in run.waits.values() if wait.kind is StepKind.CHILD}
        for child_id, *ended in await self._db.read(lambda tx: _ended(tx, list(waits))):
            answer_child(waits[child_id], tuple(ended))

    def tell_parent(self, parent_id: RunId, child_id: RunId, ended: Ended) -> None:
        """Give a child's outcome to its parent, if that is in memory."""
        parent = self._live.get(parent_id)
        for wait in list(parent.waits.values()) if parent is not None else []:
            if wait.kind is StepKind.CHILD and wait.name == child_id:
                answer_child(wait, ended)

    async def take_signal(self, run: Execution, wait: Wait) -> Any:
        """Look a last time for the signal of a wait that is about to time out."""
        await self._settle(run)
        return await self._signals.take_last(run, wait)

    # --- doors of executions

    async def start_child(self, run: Execution, child: NewRun) -> RunId:
        """Start a child, fenced by its parent; give its id, or that of the run that has its key already."""
        entry = self.journal.add(Entry(child.id, run.facts.epoch, start=child))
        await self.journal.wait(entry)
        self.started_child(child, entry.existing is None)
        return entry.existing or child.id

    async def in_thread(self, call: Callable[[], Any]) -> Any:
        """Call a step's sync function in a thread, in this task's context."""
        return await call_in_thread(self._threads, call)

    async def in_workflow_thread(self, fn: Callable[..., Any], *arguments: Any) -> Any:
        """Call a sync workflow in a thread of its own, of which there are so many."""
        async with self._workflow_places:
            with ThreadPoolExecutor(1, thread_name_prefix="run-workflow") as threads:
                return await call_in_thread(threads, functools.partial(fn, *arguments))


def answer_child(wait: Wait, ended: Any) -> None:
    """Give a wait its child's outcome."""
    if not wait.answer.done():
        wait.answer.set_result(ended)


def _ended(tx: Connection, ids: list[str]) -> list[tuple[Any, ...]]:
    c = RUNS.c
    query = select(c.id, c.state, c.result, c.error).where(c.id.in_(ids), c.state.in_([state.value for state in FINAL]))
    return [tuple(row) for row in tx.execute(query)]


def _cancel_request(tx: Connection, run_id: RunId) -> bool:
    return tx.execute(select(RUNS.c.cancel_at).where(RUNS.c.id == run_id)).scalar() is not None


def _cannot_plan(*_arguments: Any) -> Any:
    raise AssertionError("the engine sets this")
