"""A handle to a run, and how whoever awaits a run's end learns of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, select, update

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import NotFoundError, TimedOutError
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.errors import RunFailedError
from holdfast.kernel.runs.large_payloads import LargePayloads
from holdfast.kernel.runs.model import Failure, RunId, RunState
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.runs.workflows import Workflow
from holdfast.kernel.sql import Database

O = TypeVar("O")  # noqa: E741 - the output
_KEPT: Final = 2000


@dataclass(frozen=True, slots=True)
class End:
    """How a run has ended, or that people must look at it."""

    state: RunState
    result: str | None
    error: str | None


class Endings:
    """Who waits for which run's end, in this process."""

    def __init__(self, db: Database, clock: Clock, poll_s: float, large: LargePayloads) -> None:
        self.large = large
        self._db = db
        self._clock = clock
        self._poll_s = poll_s
        self._waiters: dict[RunId, list[asyncio.Future[End]]] = {}
        self._here: set[RunId] = set()
        self._recent: dict[RunId, End] = {}

    def expect(self, run_id: RunId) -> None:
        """This run is in this process: its end will be told."""
        self._here.add(run_id)
        self._recent.pop(run_id, None)

    def forget(self, run_id: RunId) -> None:
        """The run has ended and begins again."""
        self._recent.pop(run_id, None)

    def tell(self, run_id: RunId, end: End | None) -> None:
        """The run has ended here, or has left this process."""
        self._here.discard(run_id)
        if end is not None and self._db.dialect == "sqlite":  # elsewhere another process may have it begin again
            self._recent[run_id] = end
            if len(self._recent) > _KEPT:
                self._recent.pop(next(iter(self._recent)))
        for waiter in self._waiters.pop(run_id, ()):
            if not waiter.done():
                waiter.set_result(end) if end is not None else waiter.cancel()

    def hear(self, run_id: RunId | None) -> None:
        """Something has happened to a run elsewhere, or to any run: whoever waits looks again."""
        ids = list(self._waiters) if run_id is None else [run_id]
        for each in ids:
            if each not in self._here:
                self.tell(each, None)

    async def wait(self, run_id: RunId) -> End:
        """Give the end of a run, when it comes."""
        while True:
            end = self._recent.get(run_id)
            if end is None and run_id not in self._here:
                end = await self._db.read(lambda tx: _read(tx, run_id))
                if end is None and self._db.dialect == "postgresql":
                    end = await self._db.write(lambda tx: _watch(tx, run_id))
            if end is not None:
                return end
            waiter: asyncio.Future[End] = asyncio.get_running_loop().create_future()
            self._waiters.setdefault(run_id, []).append(waiter)
            try:
                await self._wait_or_poll(waiter, is_here=run_id in self._here)
            finally:
                self._drop(run_id, waiter)
            if waiter.done() and not waiter.cancelled():
                return waiter.result()

    async def _wait_or_poll(self, waiter: asyncio.Future[End], *, is_here: bool) -> None:
        if is_here:
            await asyncio.wait({waiter})
            return
        poll = asyncio.ensure_future(self._clock.sleep(self._poll_s))
        await asyncio.wait({waiter, poll}, return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]  # two kinds
        poll.cancel()

    def _drop(self, run_id: RunId, waiter: asyncio.Future[End]) -> None:
        waiters = self._waiters.get(run_id, [])
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters:
            self._waiters.pop(run_id, None)


def _read(tx: Connection, run_id: RunId) -> End | None:
    c = RUNS.c
    row = tx.execute(select(c.state, c.result, c.error).where(c.id == run_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no run {run_id!r}")
    state = RunState(row.state)
    return End(state, row.result, row.error) if state.is_final else None


def _watch(tx: Connection, run_id: RunId) -> End | None:
    tx.execute(update(RUNS).where(RUNS.c.id == run_id).values(is_watched=True))
    return _read(tx, run_id)


class RunHandle(Generic[O]):
    """One run: its id, whether this start has made it, and its result."""

    __slots__ = ("_endings", "_workflow", "id", "is_new")

    def __init__(self, run_id: RunId, workflow: Workflow[Any, O] | None, endings: Endings, *, is_new: bool) -> None:
        self.id = run_id
        self.is_new = is_new
        self._workflow = workflow
        self._endings = endings

    async def result(self, timeout_s: float | None = None) -> O:
        """Give the run's result, when it has one.

        Raises:
            RunFailedError: the run failed, or was cancelled.
            TimedOutError: it has not ended within `timeout_s`; it goes on.
        """
        try:
            async with asyncio.timeout(timeout_s):
                end = await self._endings.wait(self.id)
        except TimeoutError:
            raise TimedOutError(f"run {self.id} has not ended within {timeout_s:g} s") from None
        if end.state is RunState.SUCCEEDED:
            kind = self._workflow.output_type if self._workflow is not None else Any
            text = await self._endings.large.fetch(end.result)
            value: O = payloads.decode(text, kind, what="the run's result")
            return value
        failure = payloads.read_failure(end.error) or Failure("RunCancelled", "the run was cancelled")
        raise RunFailedError(self.id, failure)
