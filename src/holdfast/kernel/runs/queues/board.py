"""The queues that this process knows, and what it remembers of them between looks at the database.

Decides without I/O whether a new run may start at once, waits, or is refused; exact limits are `claiming`'s matter.
Another process' pause or drain is known here as soon as its notification, or else the next poll, has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from sqlalchemy import Connection

from holdfast.kernel import decoding
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConflictError, LimitError, NotFoundError
from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.runs.queues import reading, states
from holdfast.kernel.runs.queues.claiming import Claimed, claim
from holdfast.kernel.runs.queues.places import Claimant
from holdfast.kernel.runs.queues.queue import DEFAULT_QUEUE, Queue
from holdfast.kernel.runs.queues.reading import QueueView
from holdfast.kernel.runs.queues.states import QueueState, Ruling
from holdfast.kernel.sql import Database

CHANGED: Final = EventKind("queue.changed", "Somebody paused, drained or opened a queue: {queue, state}.")
_OPEN: Final = Ruling()
_FAR: Final = 12


class QueueBoard:
    """The queues of one process; the queue `default`, without limits, is always there."""

    def __init__(self, db: Database, events: EventLog, clock: Clock, queues: Iterable[Queue] = ()) -> None:
        self.announce: Callable[[Connection], None] = lambda _tx: None  # the engine tells other processes
        self._looked_at_s: float | None = None
        self._db = db
        self._events = events
        self._clock = clock
        self._queues = {DEFAULT_QUEUE: Queue(DEFAULT_QUEUE)}
        self._rulings: dict[str, Ruling] = {}
        self._depths: dict[str, int] = {}
        self._crowded: set[str] = set()
        for queue in queues:
            self.add(queue)

    def add(self, queue: Queue) -> None:
        """Take a queue; `default` may be given limits once.

        Raises:
            ConflictError: another one has this name.
        """
        there = self._queues.get(queue.name, queue)
        if there not in {queue, Queue(DEFAULT_QUEUE)}:
            raise ConflictError(f"the queue {queue.name!r} is there twice, with other limits", hint="keep one of them")
        self._queues[queue.name] = queue

    def replace(self, gone: Iterable[Queue], come: Iterable[Queue]) -> None:
        """Take queues instead of others; runs that stand in one that is gone wait until it is declared again."""
        for queue in gone:
            self._queues.pop(queue.name, None)
        self._queues.setdefault(DEFAULT_QUEUE, Queue(DEFAULT_QUEUE))
        for queue in come:
            self._queues[queue.name] = queue

    def find(self, name: str) -> Queue:
        """Give the queue of this name.

        Raises:
            NotFoundError: this process does not know it.
        """
        queue = self._queues.get(name)
        if queue is None:
            hint = decoding.suggest(name, self._queues)
            raise NotFoundError(f"there is no queue {name!r}", hint=hint or "register it: runs.queue(Queue(...))")
        return queue

    def admit(self, name: str, *, is_child: bool = False) -> Queue:
        """Let a new run into a queue.

        Args:
            name: the queue's.
            is_child: a child is part of a run that is there already, so a draining queue takes it.

        Raises:
            NotFoundError: this process does not know the queue.
            ConflictError: the queue is draining.
            LimitError: as many runs wait as the queue allows.
        """
        queue = self.find(name)
        if self._rulings and self._state(name) is QueueState.DRAINING and not is_child:
            raise ConflictError(
                f"queue {name} is draining: it takes no new runs", hint=f"open it: holdfast queues resume {name}"
            )
        if self._depths and self._depths.get(name, 0) >= queue.max_queued:
            raise LimitError(
                f"{queue.max_queued} runs wait in queue {name} (max_queued)",
                hint="start fewer, give it more workers, or raise max_queued",
            )
        return queue

    def may_start_at_once(self, name: str) -> bool:
        """Tell whether a run may skip the line: no limits to ask for, nobody waiting, not paused."""
        if self._queues[name].is_limited or (self._crowded and name in self._crowded):
            return False
        return not self._rulings or self._state(name) is not QueueState.PAUSED

    def is_crowded(self, name: str) -> bool:
        """Tell whether runs wait in a queue, as far as this process knows."""
        return name in self._crowded

    def note_queued(self, name: str, *, is_delayed: bool = False) -> None:
        """Remember that a run was put into a queue."""
        self._depths[name] = self._depths.get(name, 0) + 1
        if not is_delayed:
            self._crowded.add(name)

    def claim(self, tx: Connection, worker: Claimant) -> Claimed:
        """Make queued runs the worker's; tell the outcome to `note_claimed` once it is committed."""
        return claim(tx, dict(self._queues), worker, self._clock.now())

    def note_claimed(self, claimed: Claimed) -> None:
        """Remember which queues a claim has left with nobody in line."""
        self._rulings = dict(claimed.rulings)
        self._crowded = set(claimed.backlogs)
        for one in claimed.runs:
            self._depths[one.queue] = max(0, self._depths.get(one.queue, 0) - 1)

    async def refresh(self) -> None:
        """Look at what other processes have changed: pauses, drains, and how many runs wait."""
        self._rulings, depths = await self._db.read(self._look)
        self._depths = {name: depth for name, depth in depths.items() if depth}

    async def refresh_now_and_then(self, every_s: float) -> None:
        """Look again when the last look is older than `every_s`, or than twelve times that while all have much room."""
        now_s = self._clock.monotonic()
        is_near = any(self._depths.get(queue.name, 0) * 2 >= queue.max_queued for queue in self._queues.values())
        pause_s = every_s if is_near else every_s * _FAR  # counting a long line costs tens of milliseconds
        if self._looked_at_s is None or now_s - self._looked_at_s >= pause_s:
            self._looked_at_s = now_s
            await self.refresh()

    async def views(self) -> list[QueueView]:
        """Give every queue that is known here or holds runs, by name."""
        return await self._db.read(partial(reading.read_queues, queues=self._queues, now=self._clock.now()))

    async def pause(self, name: str, *, actor: str) -> None:
        """Start nothing from the queue; what runs goes on, new runs are taken and wait."""
        await self._rule(name, QueueState.PAUSED, actor)

    async def drain(self, name: str, *, actor: str) -> None:
        """Refuse new runs; those in the queue are worked off."""
        await self._rule(name, QueueState.DRAINING, actor)

    async def resume(self, name: str, *, actor: str) -> None:
        """Open a paused or draining queue."""
        await self._rule(name, QueueState.OPEN, actor)

    def _state(self, name: str) -> QueueState:
        return self._rulings.get(name, _OPEN).state

    def _look(self, tx: Connection) -> tuple[dict[str, Ruling], dict[str, int]]:
        queues = list(self._queues.values())
        depths = {queue.name: reading.count_queued(tx, queue.name, queue.max_queued) for queue in queues}
        return states.read_rulings(tx), depths

    async def _rule(self, name: str, state: QueueState, actor: str) -> None:
        now = self._clock.now()
        if name not in self._queues and name not in {view.name for view in await self.views()}:
            self.find(name)

        def write(tx: Connection) -> None:
            if states.rule(tx, name, state, actor, now):
                data = {"queue": name, "state": state.value}
                self.announce(tx)
                self._events.append(tx, NewEvent(CHANGED.name, f"queue/{name}", data, actor=actor))

        await self._db.write(write)
        self._rulings = {**self._rulings, name: replace(_OPEN, state=state, changed_at=now, changed_by=actor)}
