"""Keeps the gauges that only the database can tell: unfinished runs by state, and how full the queues are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, func, select, text

from holdfast.kernel.clock import Clock
from holdfast.kernel.runs.metrics import RunMetrics
from holdfast.kernel.runs.model import RunState
from holdfast.kernel.runs.queues import QueueBoard, QueueView
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.sql import Database

EVERY_S: Final = 15.0
OTHER: Final = "other"  # queues that nobody declared share one label: their names come from callers

_UNFINISHED: Final = tuple(state for state in RunState if not state.is_final)


class Meter:
    """Measures for one process."""

    def __init__(self, db: Database, clock: Clock, board: QueueBoard, metrics: RunMetrics) -> None:
        self._db = db
        self._clock = clock
        self._board = board
        self._metrics = metrics
        self._known: set[str] = set()

    async def run(self) -> None:
        """Measure again and again."""
        while True:
            await self.measure()
            await self._clock.sleep(EVERY_S)

    async def measure(self) -> None:
        """Measure once."""
        states = await self._db.read(_count_unfinished)
        for state in _UNFINISHED:
            self._metrics.rows.labels(state.value).set(states.get(state, 0))
        self._metrics.stranded.set(states.get(RunState.STRANDED, 0))
        self._show_queues(await self._board.views())

    def _show_queues(self, views: Iterable[QueueView]) -> None:
        depths: dict[str, tuple[int, float]] = {}
        for view in views:
            name = view.name if view.queue is not None else OTHER
            queued, oldest_s = depths.get(name, (0, 0.0))
            depths[name] = queued + view.queued, max(oldest_s, view.oldest_wait_s or 0.0)
        for name in self._known - depths.keys():
            self._metrics.queue_depth.remove(name)
            self._metrics.queue_oldest_wait.remove(name)
        self._known = set(depths)
        for name, (queued, oldest_s) in depths.items():
            self._metrics.queue_depth.labels(name).set(queued)
            self._metrics.queue_oldest_wait.labels(name).set(oldest_s)


def _count_unfinished(tx: Connection) -> dict[str, int]:
    # The second condition stands in the words of the partial index, which the databases compare letter by letter.
    state = RUNS.c.state
    query = select(state, func.count()).where(state.in_(_UNFINISHED), text("state <> 'succeeded'")).group_by(state)
    return {row[0]: row[1] for row in tx.execute(query)}
