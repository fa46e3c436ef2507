"""One table's writes, gathered into batches: the engine likes few large inserts, callers want an answer soon.

A write waits at most `linger` for company, or as long as its caller can: the most impatient one takes all along. It is
acknowledged when the engine has accepted it, never before; when the
queue is full the caller is told at once, so that the pressure goes up to whoever sends.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import (
    NEVER,
    BusyError,
    HoldfastError,
    InvalidError,
    LimitError,
    StorageFullError,
    UnavailableError,
)
from holdfast.kernel.ids import TenantId, new_id
from holdfast.resilience import PolicyEvent, Retry, retry
from holdfast.store.metrics import StoreMetrics
from holdfast.store.retention import Retention
from holdfast.store.schema import Table
from holdfast.store.settings import StoreSettings
from holdfast.store.space import SpaceWatch

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.store.batches import Batcher

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0

# Hands batches of one table to the engine; the token makes a repeated insert a no-op.
Insert = Callable[[Table, "Sequence[pa.RecordBatch]", str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Around:
    """What every writer of a store shares."""

    settings: StoreSettings
    clock: Clock
    metrics: StoreMetrics
    space: SpaceWatch
    insert: Insert


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: pa.RecordBatch
    accepted: asyncio.Future[None]
    due_s: float


class Writer:
    """Writes to one table. Made by `Store.writer`; one per table and store."""

    def __init__(self, batcher: Batcher, retention: Callable[[], Retention], around: Around) -> None:
        self.table = batcher.table
        self._batcher = batcher
        self._retention = retention
        self._around = around
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._filled = asyncio.Event()
        self._hastened = asyncio.Event()
        self._due_s = math.inf  # when the first of those who wait wants to be on its way
        self._closing = False
        self._give_up_s = math.inf
        self._task: asyncio.Task[None] | None = None
        self._repeat = self._make_retry()

    @property
    def queued_rows(self) -> int:
        """Rows that are not acknowledged yet, those on their way to the engine among them."""
        return self._rows

    def write(
        self,
        rows: pa.RecordBatch | Mapping[str, Sequence[Any]],
        *,
        tenant: TenantId,
        keep_s: int | None = None,
        patience_s: float | None = None,
    ) -> asyncio.Future[None]:
        """Queue `rows` and give what resolves when the engine has accepted them.

        Rows reach the engine in the order of the calls. Cancelling the future gives up the answer, not the rows.

        Args:
            rows: the table's declared columns, as an Arrow batch or as sequences by name.
            tenant: whose they are.
            keep_s: seconds that they stay, instead of what the retention says.
            patience_s: how long they may wait for company, instead of `linger`; fewer inserts cost less.

        Raises:
            InvalidError: the rows do not fit the table; nothing was queued.
            BusyError: the queue is full; nothing was queued.
            LimitError: the rows alone are more than the queue holds.
            StorageFullError: the disk is full; nothing was queued. The future fails with it, too.
            UnavailableError: the store is closed. The future fails with it when the engine does not answer.
        """
        kept_s = self._retention().seconds(tenant, self.table.stream or self.table.name) if keep_s is None else keep_s
        batch = self._batcher.batch(rows, tenant, kept_s)
        accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not batch.num_rows:
            accepted.set_result(None)
            return accepted
        try:
            self._admit(batch)
        except HoldfastError as error:
            self._refused(error, batch.num_rows)
            raise
        linger_s = self._around.settings.linger if patience_s is None else patience_s
        self._queue.append(_Waiting(batch, accepted, self._around.clock.monotonic() + linger_s))
        self._count(batch.num_rows, batch.nbytes)
        self._wake()
        return accepted

    def _admit(self, batch: pa.RecordBatch) -> None:
        settings = self._around.settings
        if self._closing:
            raise UnavailableError("the store is closed", hint="it is stopping; send again to the next process")
        self._around.space.check()
        if batch.num_rows > settings.queue_rows or batch.nbytes > settings.queue_size:
            raise LimitError(
                f"one write of {batch.num_rows} rows is more than the queue of {self.table.name} holds",
                hint="send less at once, or raise telemetry.queue_rows or queue_size",
                retry=NEVER,
            )
        if self._rows + batch.num_rows > settings.queue_rows or self._bytes + batch.nbytes > settings.queue_size:
            raise BusyError(
                f"{self._rows} rows wait to be written to {self.table.name}",
                hint="slow down and send again; telemetry.queue_rows is the bound",
            )

    def _wake(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"store-writer-{self.table.name}")
        self._arrived.set()
        due_s = self._queue[-1].due_s
        if due_s < self._due_s:
            self._due_s = due_s
            self._hastened.set()
        if self._rows >= self._around.settings.batch_rows:
            self._fill()

    def _fill(self) -> None:
        self._filled.set()
        self._hastened.set()

    async def close(self) -> None:
        """Refuse new writes, and return when every queued one has its answer.

        An engine that is away is waited for once, not for every batch.
        """
        self._closing = True
        self._give_up_s = self._around.clock.monotonic() + self._around.settings.write_retry
        self._arrived.set()
        self._fill()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if self._queue:
                await self._linger()
                await self._flush(self._take())
            elif self._closing:
                return
            else:
                self._arrived.clear()

    async def _linger(self) -> None:
        while not self._filled.is_set() and (rest_s := self._due_s - self._around.clock.monotonic()) > 0:
            self._hastened.clear()
            pause = asyncio.ensure_future(self._around.clock.sleep(rest_s))
            hastened = asyncio.ensure_future(self._hastened.wait())
            try:
                done, _ = await asyncio.wait({pause, hastened}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
                hastened.cancel()
            if pause in done:
                return

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        rows = 0
        while self._queue and (not taken or rows + self._queue[0].batch.num_rows <= self._around.settings.batch_rows):
            taken.append(self._queue.popleft())
            rows += taken[-1].batch.num_rows
        self._due_s = min((waiting.due_s for waiting in self._queue), default=math.inf)
        if (
            not self._closing
            and sum(waiting.batch.num_rows for waiting in self._queue) < self._around.settings.batch_rows
        ):
            self._filled.clear()
        return taken

    async def _flush(self, taken: list[_Waiting]) -> None:
        try:
            await self._insert(taken)
        except InvalidError as error:
            if len(taken) == 1:
                self._answer(taken, error)
                return
            for waiting in taken:  # one bad write must not take the others with it
                await self._flush([waiting])
        except HoldfastError as error:
            self._answer(taken, error)
        else:
            self._answer(taken, None)

    async def _insert(self, taken: list[_Waiting]) -> None:
        name, token = self.table.name, new_id()
        batches = [waiting.batch for waiting in taken]
        try:
            await self._repeat.call(self._insert_once, batches, token)
        except StorageFullError:
            raise self._around.space.report_full() from None
        self._around.metrics.batch_rows.labels(name).observe(sum(batch.num_rows for batch in batches))

    async def _insert_once(self, batches: Sequence[pa.RecordBatch], token: str) -> None:
        started_s = self._around.clock.monotonic()
        self._around.space.check()
        await self._around.insert(self.table, batches, token)
        duration_s = self._around.clock.monotonic() - started_s
        self._around.metrics.flush_seconds.labels(self.table.name).observe(duration_s)

    def _make_retry(self) -> Retry:
        around = self._around
        policy = retry(
            attempts=None,
            max_elapsed_s=around.settings.write_retry,
            base_s=FIRST_PAUSE_S,
            cap_s=LONGEST_PAUSE_S,
            jitter="equal",
            on=self._may_pass,
            name=f"store.{self.table.name}",
            clock=around.clock,
        )

        def count(event: PolicyEvent) -> None:
            if event.what == "retried":
                around.metrics.retries.labels(self.table.name).inc()

        policy.add_listener(count)
        return policy

    def _may_pass(self, error: Exception) -> bool:
        """Tell whether the engine may be back soon; a writer that closes waits once for it, not for every batch."""
        is_away = isinstance(error, UnavailableError) and not isinstance(error, StorageFullError)
        return is_away and self._around.clock.monotonic() < self._give_up_s

    def _answer(self, taken: list[_Waiting], error: HoldfastError | None) -> None:
        for waiting in taken:
            rows = waiting.batch.num_rows
            self._count(-rows, -waiting.batch.nbytes)
            if error is None:
                self._around.metrics.written.labels(self.table.name).inc(rows)
            else:
                self._refused(error, rows)
            if waiting.accepted.done():
                continue
            if error is None:
                waiting.accepted.set_result(None)
            else:
                waiting.accepted.set_exception(error)

    def _count(self, rows: int, size: int) -> None:
        self._rows += rows
        self._bytes += size
        self._around.metrics.queued_rows.labels(self.table.name).set(self._rows)
        self._around.metrics.queued_bytes.labels(self.table.name).set(self._bytes)

    def _refused(self, error: HoldfastError, rows: int) -> None:
        self._around.metrics.refused.labels(self.table.name, error.code).inc(rows)
