"""The one writer of the journal: while a commit is under way others gather, and all of them share the next one.

One batch at a time, on PostgreSQL too: two side by side are each smaller and together slower. An entry is answered only
after its commit. Entries of one run keep their order. When the database fails, entries wait and are tried again, for as
long as it takes: runs stand still meanwhile and lose nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import BusyError, HoldfastError, UnavailableError
from holdfast.kernel.runs.errors import FencedError, Leave
from holdfast.kernel.runs.journal_rows import Applied, Rows
from holdfast.kernel.runs.observers import RunObserver
from holdfast.kernel.runs.records import Batch, Entry
from holdfast.kernel.sql import Database
from holdfast.resilience import Backoff

FaultPoint = Callable[[str], None]
_LARGEST: Final = 512
_BACKOFF: Final = Backoff(base_s=0.05, cap_s=2.0, jitter="equal")
_LOG: Final = journal.get_logger("holdfast.runs")


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
        self._batch = Batch()
        self._task: asyncio.Task[None] | None = None
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
        if self._is_closed:
            entry.batch = _lost(Batch([entry]))
            return entry
        entry.batch = self._batch
        self._batch.entries.append(entry)
        self.waiting += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())
        return entry

    async def wait(self, entry: Entry) -> None:
        """Return once `entry` is durable.

        Raises:
            FencedError: the run belongs to another process now; nothing was written.
            Leave: the process stops, and what the run has written may not be on the disk.
            UnavailableError: the process stops, and the start may not be on the disk.
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
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self, timeout_s: float) -> None:
        """Write what was taken, for at most `timeout_s`; the rest was never acknowledged, and who waits is told."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.flush()
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        _lost(self._batch)

    async def _drain(self) -> None:
        try:
            while self._batch.entries:
                batch = self._take()
                try:
                    await self._commit(batch.entries)
                except asyncio.CancelledError:
                    _lost(batch)
                    raise
                except Exception as error:  # noqa: BLE001 -- the fence of a job: it is on the disk, and others wait
                    _LOG.exception("runs.commit_untold", error=str(error))
                self.waiting -= len(batch.entries)
                batch.settle()
        finally:
            self._task = None

    def _take(self) -> Batch:
        """Take what waits; of a very large batch the first part, and the rest waits in a batch of its own."""
        whole = self._batch
        if len(whole.entries) <= _LARGEST:
            self._batch = Batch()
            return whole
        first, self._batch = Batch(whole.entries[:_LARGEST]), Batch(whole.entries[_LARGEST:])
        for batch in (first, self._batch):
            for entry in batch.entries:
                entry.batch = batch
        # Whoever waits for the whole is answered with its last part.
        self._batch.waiters = whole.waiters
        return first

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


def _lost(batch: Batch) -> Batch:
    """Tell whoever waits for the batch that nobody will write it."""
    for entry in batch.entries:
        if entry.start is not None:
            entry.fault = UnavailableError("the process stops; whether the run was started is not known")
        else:
            entry.fault = Leave("the process stops")
    batch.settle()
    return batch
