"""Step code in threads: the default for functions that block.

Python cannot end a thread. A step whose time is over fails at once, its thread is abandoned: counted, bounded, and
its slot given to another. Work that must be ended for real belongs into a process.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge

from holdfast.kernel.runs.places.calls import call_here
from holdfast.kernel.runs.places.errors import StepPlaceError, ThreadsAbandonedError
from holdfast.kernel.runs.places.ports import Command, Work

MOST_THREADS: Final = 64
MOST_ABANDONED: Final = 64

_IDLE_S: Final = 60.0  # an idle thread ends after this long


class _Ticket:
    """One piece of work on its way through a thread."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.context = contextvars.copy_context()
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Any] = self.loop.create_future()
        self.is_running = False
        self.is_abandoned = False


class ThreadPlace:
    """At most `most` threads at work and `most_abandoned` that nobody waits for; further work queues up."""

    def __init__(
        self,
        *,
        most: int = MOST_THREADS,
        most_abandoned: int = MOST_ABANDONED,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._most = most
        self._most_abandoned = most_abandoned
        self._lock = threading.Condition()
        self._waiting: deque[_Ticket] = deque()
        self._threads = 0
        self._idle = 0
        self._abandoned = 0
        self._is_closed = False
        self._count = Gauge(
            "holdfast_run_threads",
            "Threads of steps by state: working, idle, abandoned.",
            ("state",),
            registry=registry,
        )
        self._queued = Gauge("holdfast_run_threads_queued", "Steps that wait for a thread.", registry=registry)

    @property
    def abandoned(self) -> int:
        """How many threads go on although nobody waits for them."""
        return self._abandoned

    async def run(self, work: Work) -> Any:
        """Call the function in a thread; cancelling gives the thread up.

        Raises:
            ThreadsAbandonedError: too many threads hang already.
        """
        if isinstance(work.todo, Command):
            raise StepPlaceError(f"step {work.name}: a command needs a process", hint="leave out place='thread'")
        ticket = _Ticket(work)
        self._enter(ticket)
        try:
            return await ticket.done
        except asyncio.CancelledError:
            self._give_up(ticket)
            raise

    async def close(self) -> None:
        """Let idle threads end; one that hangs ends with the process, because all are daemons."""
        with self._lock:
            self._is_closed = True
            self._lock.notify_all()

    def _enter(self, ticket: _Ticket) -> None:
        with self._lock:
            if self._abandoned >= self._most_abandoned:
                raise ThreadsAbandonedError(
                    f"step {ticket.work.name}: {self._abandoned} threads of earlier steps hang beyond their time",
                    hint="give those steps place='process', which is ended for real, or restart",
                )
            self._waiting.append(ticket)
            self._see_to_it()

    def _give_up(self, ticket: _Ticket) -> None:
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            elif ticket.is_running:
                ticket.is_abandoned = True
                self._abandoned += 1
                self._threads -= 1
            self._see_to_it()

    def _see_to_it(self) -> None:
        """Wake a thread for what waits, or start one; those that are about to look count as idle already."""
        if self._idle >= len(self._waiting):
            self._lock.notify()
        elif self._threads < self._most:
            threading.Thread(target=self._serve, name="run-step", daemon=True).start()
            self._threads += 1
            self._idle += 1
        self._tell()

    def _serve(self) -> None:
        while (ticket := self._take()) is not None:
            result, error = _call(ticket)
            with self._lock:
                ticket.is_running = False
                if ticket.is_abandoned:
                    self._abandoned -= 1
                    self._tell()
                    return
                self._idle += 1
                self._tell()
            _settle(ticket, result, error)
            del ticket, result, error

    def _take(self) -> _Ticket | None:
        with self._lock:
            while not self._waiting and not self._is_closed and self._lock.wait(_IDLE_S):
                pass
            self._idle -= 1
            if not self._waiting:
                self._threads -= 1
                return None
            ticket = self._waiting.popleft()
            ticket.is_running = True
            self._tell()
            return ticket

    def _tell(self) -> None:
        self._count.labels("working").set(self._threads - self._idle)
        self._count.labels("idle").set(self._idle)
        self._count.labels("abandoned").set(self._abandoned)
        self._queued.set(len(self._waiting))


def _call(ticket: _Ticket) -> tuple[Any, BaseException | None]:
    try:
        return ticket.context.run(call_here, ticket.work), None
    except BaseException as error:  # noqa: BLE001 - the fence of a job: it is raised again where the step is awaited
        return None, error


def _settle(ticket: _Ticket, result: Any, error: BaseException | None) -> None:
    def settle() -> None:
        if ticket.done.done():
            return
        if error is None:
            ticket.done.set_result(result)
        elif isinstance(error, StopIteration):
            ticket.done.set_exception(RuntimeError("the step raised StopIteration"))
        else:
            ticket.done.set_exception(error)

    try:
        ticket.loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop has ended; so has whoever waited
