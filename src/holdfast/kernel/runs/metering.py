"""Keeps the gauges that only the database can tell: unfinished runs by state."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, func, select, text

from holdfast.kernel.clock import Clock
from holdfast.kernel.runs.metrics import RunMetrics
from holdfast.kernel.runs.model import RunState
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.sql import Database

EVERY_S: Final = 15.0

_UNFINISHED: Final = tuple(state for state in RunState if not state.is_final)


class Meter:
    """Measures for one process."""

    def __init__(self, db: Database, clock: Clock, metrics: RunMetrics) -> None:
        self._db = db
        self._clock = clock
        self._metrics = metrics

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


def _count_unfinished(tx: Connection) -> dict[str, int]:
    # The second condition stands in the words of the partial index, which the databases compare letter by letter.
    state = RUNS.c.state
    query = select(state, func.count()).where(state.in_(_UNFINISHED), text("state <> 'succeeded'")).group_by(state)
    return {row[0]: row[1] for row in tx.execute(query)}
