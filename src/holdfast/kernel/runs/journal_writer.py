"""The one writer of the journal: while a commit is under way others gather, and all of them share the next one.

An entry is answered only after its commit. Entries of one run keep their order. When the database fails, entries wait
and are tried again, for as long as it takes: runs stand still meanwhile and lose nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import BusyError, HoldfastError, UnavailableError
from holdfast.kernel.runs.errors import FencedError
from holdfast.kernel.runs.journal_rows import Applied, Rows
from holdfast.kernel.runs.model import RunId
from holdfast.kernel.runs.observers import RunObserver
from holdfast.kernel.runs.records import Batch, Entry
from holdfast.kernel.sql import Database
from holdfast.resilience import Backoff

FaultPoint = Callable[[str], None]
_LARGEST: Final = 512
_BACKOFF: Final = Backoff(base_s=0.05, cap_s=2.0, jitter="equal")
_LOG: Final = journal.get_logger("holdfast.runs")


@dataclass(slots=True)
class _Lane:
    """The entries of some of the runs; a run always has the same lane."""

    batch: Batch = field(default_factory=Batch)
    task: asyncio.Task[None] | None = None


class JournalWriter:
    """Puts entries into batches and batches into transactions.

    Args:
        db: the database.
        rows: what a batch means there.
        clock: for the pauses while the database fails.
        queue_size: entries that may wait before `demand_room` refuses.
        applied: called after each commit with what it has caused.
        observer: hears of batches.
        fault_point: called with a name around each write, so that a test can end the process there.
    """

    def __init__(
        self,
        db: Database,
        rows: Rows,
        clock: Clock,
        *,
        queue_size: int,
        applied: Callable[[Applied], None],
        observer: RunObserver | None = None,
        fault_point: FaultPoint | None = None,
    ) -> None:
        self._db = db
        self._rows = rows
        self._clock = clock
        self._queue_size = queue_size
        self._applied = applied
        self._observer = observer or RunObserver()
        self._fault_point = fault_point
        # SQLite has one writer; PostgreSQL works on one batch while the next is on its way.
        self._lanes = [_Lane() for _ in range(1 if db.dialect == "sqlite" else 2)]
        self._is_closed = False
        self.waiting = 0
        self.commits = 0
        self.written = 0
        self.is_failing = False

    def demand_room(self) -> None:
        """Raise BusyError when too many entries wait, UnavailableError when the writer is closed."""
        if self._is_closed:
            raise UnavailableError("the process stops and takes no more runs")
        if self.waiting >= self._queue_size:
            raise BusyError(f"{self.waiting} journal entries already wait", hint="slow down (runs.journal_size)")

    def add(self, entry: Entry) -> Entry:
        """Take an entry; `wait` for it to know that it is on the disk."""
        lanes = self._lanes
        lane = lanes[0] if len(lanes) == 1 else lanes[zlib.crc32(_lane_key(entry).encode()) % len(lanes)]
        entry.batch = lane.batch
        lane.batch.entries.append(entry)
        self.waiting += 1
        if lane.task is None:
            lane.task = asyncio.get_running_loop().create_task(self._drain(lane))
        return entry

    async def wait(self, entry: Entry) -> None:
        """Return once `entry` is durable.

        Raises:
            FencedError: the run belongs to another process now; nothing was written.
            HoldfastError: the database does not take what the entry says.
        """
        batch = entry.batch
        assert batch is not None
        if not batch.is_settled:
            waiter = asyncio.get_running_loop().create_future()
            batch.waiters.append(waiter)
            await waiter
        if entry.is_refused:
            raise FencedError(entry.run_id)
        if entry.fault is not None:
            raise entry.fault

    async def flush(self) -> None:
        """Return once everything taken so far is durable."""
        tasks = [lane.task for lane in self._lanes if lane.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def close(self, timeout_s: float) -> None:
        """Write what was taken, for at most `timeout_s`; what is left was never acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.flush()
        self._is_closed = True
        for lane in self._lanes:
            if lane.task is not None:
                lane.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await lane.task

    async def _drain(self, lane: _Lane) -> None:
        try:
            while lane.batch.entries:
                batch = lane.batch
                if len(batch.entries) > _LARGEST:
                    batch = _split(lane)
                else:
                    lane.batch = Batch()
                await self._commit(batch.entries)
                self.waiting -= len(batch.entries)
                batch.settle()
        finally:
            lane.task = None

    async def _commit(self, entries: list[Entry]) -> None:
        """Commit the entries together, and one by one when one of them spoils it; wait while the database is away."""
        failures = 0
        began_s = self._clock.monotonic()
        while True:
            try:
                applied = await self._db.write(lambda tx: self._write(tx, entries))
            except HoldfastError as error:
                if not error.retry.possible:
                    return await self._commit_alone(entries, error)
                failures += 1
                self.is_failing = True
                _LOG.warning("runs.journal_waits", error=str(error), entries=len(entries), failures=failures)
                await self._clock.sleep(_BACKOFF.wait_s(failures))
            except Exception as error:  # noqa: BLE001 - the fence of a job: its error goes to whoever wrote the entry
                return await self._commit_alone(entries, error)
            else:
                self._tell("committed")
                self.is_failing = False
                self.commits += 1
                self.written += len(entries)
                self._observer.batch_committed(len(entries), self._clock.monotonic() - began_s)
                self._observer.entries_written(entries)
                return self._applied(applied)

    async def _commit_alone(self, entries: list[Entry], error: Exception) -> None:
        if len(entries) == 1:
            _LOG.error("runs.journal_entry_refused", run=entries[0].run_id, error=str(error))
            entries[0].fault = error
            return
        for entry in entries:
            await self._commit([entry])

    def _write(self, tx: Connection, entries: list[Entry]) -> Applied:
        self._tell("writing")
        applied = self._rows.apply(tx, entries)
        self._tell("committing")
        return applied

    def _tell(self, point: str) -> None:
        if self._fault_point is not None:
            self._fault_point(point)


def _lane_key(entry: Entry) -> RunId:
    """A child's start is fenced by its parent, so it goes where its parent's entries go."""
    return entry.run_id if entry.start is None else entry.start.parent_id or entry.run_id


def _split(lane: _Lane) -> Batch:
    """Take the first part of what waits; the rest waits in a batch of its own."""
    whole = lane.batch
    first, lane.batch = Batch(whole.entries[:_LARGEST]), Batch(whole.entries[_LARGEST:])
    for batch in (first, lane.batch):
        for entry in batch.entries:
            entry.batch = batch
    # Whoever waits for the whole is answered with its last part.
    lane.batch.waiters = whole.waiters
    return first
