"""What a process does by itself: takes up queued runs, says that it is alive, takes over from those that are not.

Everything else is done because somebody asked for it; see `engine`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, text

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import EventLog
from holdfast.kernel.runs import claims, leases, stranded
from holdfast.kernel.runs.execution import Execution, as_text
from holdfast.kernel.runs.handles import End, Endings
from holdfast.kernel.runs.leases import Leases
from holdfast.kernel.runs.model import RunId, RunState
from holdfast.kernel.runs.queues import Claimant, Claimed, QueueBoard
from holdfast.kernel.runs.residents import Residents
from holdfast.kernel.runs.row_reading import facts_of_row
from holdfast.kernel.runs.runner import Ending
from holdfast.kernel.runs.schedules import ScheduleBook, Tick
from holdfast.kernel.runs.steering import notify
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.runs.wakes import listen
from holdfast.kernel.runs.workflows import Registry, Workflow
from holdfast.kernel.sql import Database, after_commit
from holdfast.resilience import Backoff, Pauses

_LOG: Final = journal.get_logger("holdfast.runs")
_CLAIM_AT_ONCE: Final = 100
_BACKOFF: Final = Backoff(base_s=0.5, cap_s=2.0, jitter="equal")


class Worker:
    """The background of one engine: three loops, and the ways in which they are told to look."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        residents: Residents,
        registry: Registry,
        endings: Endings,
        *,
        queues: QueueBoard,
        events: EventLog,
        url: str,
    ) -> None:
        self._id = residents.worker
        self._db = db
        self._clock = clock
        self._residents = residents
        self._registry = registry
        self._endings = endings
        self._queues = queues
        self.schedules: ScheduleBook | None = None
        self._events = events
        self._url = url
        self._settings = residents.settings
        self._leases = Leases(self._id, self._settings.lease)
        self._work = asyncio.Event()
        self._moment: datetime | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_full = False
        residents.ended = self._ended
        residents.wakes_at = self._wakes_at

    # --- being told

    def look_soon(self) -> None:
        """Runs may be queued; from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
                self._loop.call_soon_threadsafe(self._work.set)

    def announce(self, tx: Connection) -> None:
        """Have every process look for work once `tx` is committed."""
        notify(tx, "queue")
        after_commit(tx, self.look_soon)

    def ticked(self, tick: Tick) -> None:
        """Schedules have started runs, or had some cancelled."""
        for run_id in tick.cancelled:
            self.hear(run_id)
        self._work.set()

    def hear_soon(self, run_id: RunId) -> None:
        """Something has come for a run; from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.hear, run_id)

    def hear(self, run_id: RunId) -> None:
        """Something has come for a run, that may be here or parked."""
        self._residents.poke(run_id)
        self._endings.hear(run_id)
        self._work.set()

    def _hear_note(self, note: str) -> None:
        if note.startswith("run "):
            self._residents.poke(RunId(note[4:]))
            self._endings.hear(RunId(note[4:]))
        else:
            self._work.set()
        if note == "all":
            self._endings.hear(None)
            for run in self._residents.live():
                self._residents.look(run)

    def _wakes_at(self, moment: datetime | None) -> None:
        if moment is not None and (self._moment is None or moment < self._moment):
            self._moment = moment
            self._set_alarm(moment)

    def _set_alarm(self, moment: datetime) -> None:
        pause_s = (moment - self._clock.now()).total_seconds()
        self._residents.timers.after(pause_s, self._work.set)

    def _ended(self, run: Execution, _workflow: Workflow[Any, Any], ending: Ending | None) -> None:
        end = None
        if ending is not None and ending.state.is_final:
            end = End(ending.state, ending.result, as_text(ending.failure))
            if run.facts.parent_id is not None:
                outcome = (ending.state, ending.result, end.error)
                self._residents.tell_parent(run.facts.parent_id, run.facts.id, outcome)
            started_s = (self._clock.now() - run.facts.started_at).total_seconds()
            self._residents.observer.run_finished(_workflow.name, ending.state, max(0.0, started_s))
        elif ending is not None:
            self._residents.observer.run_stranded(_workflow.name, ending.failure.message if ending.failure else "")
        self._endings.tell(run.facts.id, end)
        if run.facts.schedule is not None and self.schedules is not None:
            self.schedules.wake.send()
        if self._is_full or self._queues.is_crowded(run.facts.queue):
            self._work.set()

    # --- starting and stopping

    async def start(self) -> None:
        """Take over what a former process left, then begin to look for work."""
        self._loop = asyncio.get_running_loop()
        now = self._clock.now()
        names = self._registry.names()
        is_alone = self._db.dialect == "sqlite"

        def begin(tx: Connection) -> int:
            left = self._leases.others(tx) if is_alone else []
            self._leases.beat(tx, now, names)
            return leases.take_over(tx, left)

        taken = await self._db.write(begin)
        if taken:
            _LOG.info("runs.recovered", runs=taken)
        self._work.set()
        loops: list[tuple[str, Callable[[], Awaitable[None]]]] = [("claims", self._claim), ("leases", self._watch)]
        if self.schedules is not None:
            await self.schedules.sync()
            loops.append(("schedules", self.schedules.run))
        self._tasks = [asyncio.create_task(keep(name, do, self._clock)) for name, do in loops]
        if self._url and not is_alone:
            self._tasks.append(asyncio.create_task(listen(self._url, self._clock, self._hear_note)))

    async def stop(self) -> None:
        """Let running steps end for a while, then give all runs back, so that another process has them at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._residents.quiesce()
        await self._residents.journal.close(self._settings.stop_grace)
        await self._residents.close()
        with contextlib.suppress(HoldfastError):
            await self._db.write(lambda tx: leases.leave(tx, self._id))

    # --- the loops

    async def _claim(self) -> None:
        """Take up what is queued, until there is nothing more; then wait to be told, for a moment, or for the poll."""
        self._work.clear()
        self._moment = None
        now = self._clock.now()
        names = self._registry.names()
        room = min(self._residents.room, _CLAIM_AT_ONCE)

        claimant = Claimant(self._id, tuple(names), max(0, room))

        def work(tx: Connection) -> tuple[Claimed, datetime | None]:
            claims.promote_due(tx, now)
            return self._queues.claim(tx, claimant), claims.next_moment(tx)

        claimed, parked_until = await self._db.write(work)
        self._queues.note_claimed(claimed)
        ids = [one.run_id for one in claimed.runs]
        self._is_full = room <= 0 or len(ids) >= room
        if ids:
            for loaded in await self._db.read(lambda tx: claims.load(tx, ids, self._id)):
                self._take_up(loaded)
        if len(ids) == _CLAIM_AT_ONCE:
            return
        await self._queues.refresh_now_and_then(self._settings.poll)
        for moment in (parked_until, claimed.retry_at):
            self._wakes_at(moment)
        alarm = self._residents.timers.after(self._settings.poll, self._work.set)
        await self._work.wait()
        alarm.cancel()

    def _take_up(self, loaded: claims.Loaded) -> None:
        row = loaded.row
        judged = stranded.judge(self._registry, loaded, self._settings.recovery_limit)
        facts = facts_of_row(row)
        if judged.workflow is None:
            self._residents.spawn(self._write_off(loaded, judged))
            return
        recorded = loaded.steps if row.epoch > 1 else None
        is_cancelled = row.cancel_at is not None
        self._residents.launch(facts, judged.workflow, row.input, recorded, is_cancelled=is_cancelled)
        self._endings.expect(facts.id)
        if judged.progress is not None:
            self._residents.spawn(self._note_progress(facts.id, judged.progress))

    async def _write_off(self, loaded: claims.Loaded, judged: stranded.Judgement) -> None:
        run_id = RunId(loaded.row.id)
        state = await self._db.write(
            lambda tx: stranded.write_off(tx, loaded.row, judged, self._clock.now(), self._events)
        )
        if state is RunState.STRANDED:
            _LOG.error("runs.stranded", run=run_id, workflow=loaded.row.workflow, reason=judged.reason)
            self._residents.observer.run_stranded(loaded.row.workflow, judged.reason)
        self._endings.tell(run_id, None)
        if loaded.row.parent_id:
            self._residents.poke(RunId(loaded.row.parent_id))

    async def _note_progress(self, run_id: RunId, steps: int) -> None:
        query = text("UPDATE runs SET recoveries = 1, recovered_steps = :steps WHERE id = :id")
        await self._db.write(lambda tx: tx.execute(query, {"steps": steps, "id": run_id}))

    async def _watch(self) -> None:
        """Say that we live, see who does not, and look for requests whose note was lost."""
        await self._clock.sleep(self._settings.heartbeat)
        now, now_s = self._clock.now(), self._clock.monotonic()
        names = self._registry.names()

        def work(tx: Connection) -> tuple[int, list[RunId]]:
            self._leases.beat(tx, now, names)
            dead = self._leases.find_dead(tx, now_s)
            taken = leases.take_over(tx, dead)
            stranded.find_orphans(tx, names, now, self._events, is_alone=self._db.dialect == "sqlite")
            query = select(RUNS.c.id).where(RUNS.c.owner == self._id, RUNS.c.state == RunState.CANCELLING.value)
            return taken, [RunId(run_id) for run_id in tx.execute(query.limit(1000)).scalars()]

        taken, cancelling = await self._db.write(work)
        if taken:
            _LOG.warning("runs.taken_over", runs=taken)
            self._residents.observer.runs_taken_over(taken)
            self._work.set()
        for run_id in cancelling:
            self._residents.poke(run_id)


async def keep(name: str, do: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Do it again and again; a failure costs a pause, not the loop."""
    pauses = Pauses(_BACKOFF)
    while True:
        try:
            await do()
            pauses.reset()
        except HoldfastError as error:
            _LOG.warning("runs.loop_waits", loop=name, error=str(error))
            await clock.sleep(pauses.next_s())
        except Exception:  # noqa: BLE001 - the fence of a job: the loop goes on
            _LOG.exception("runs.loop_failed", loop=name)
            await clock.sleep(pauses.next_s())
