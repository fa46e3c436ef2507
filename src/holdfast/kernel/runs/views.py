"""The half of the engine that only looks: runs, steps, attempts, signals and logs as people are shown them."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.kernel.ids import TenantId
from holdfast.kernel.runs import reading
from holdfast.kernel.runs.model import (
    AttemptView,
    LogLine,
    Page,
    RunFilter,
    RunState,
    RunView,
    SignalView,
    StepView,
)
from holdfast.kernel.sql import Database


class Views:
    """Reads the tables of runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, run_id: str, *, tenant: TenantId | None = None) -> RunView:
        """Give one run."""
        return await self._db.read(lambda tx: reading.get_run(tx, run_id, tenant))

    async def list(
        self, tenant: TenantId, wanted: RunFilter | None = None, *, cursor: str | None = None, limit: int = 100
    ) -> Page[RunView]:
        """Give runs, the newest first."""
        return await self._db.read(lambda tx: reading.list_runs(tx, tenant, wanted or RunFilter(), cursor, limit))

    async def steps(
        self, run_id: str, *, parent: str = "", cursor: str | None = None, limit: int = 100
    ) -> Page[StepView]:
        """Give the steps right below `parent`, in the order in which they began."""
        return await self._db.read(lambda tx: reading.list_steps(tx, run_id, parent, cursor, limit))

    async def attempts(self, run_id: str, key: str) -> Sequence[AttemptView]:
        """Give the attempts of a step that failed or were superseded."""
        return await self._db.read(lambda tx: reading.list_attempts(tx, run_id, key))

    async def signals(self, run_id: str) -> Sequence[SignalView]:
        """Give the signals sent to a run."""
        return await self._db.read(lambda tx: reading.list_signals(tx, run_id))

    async def log(self, run_id: str, *, after: int = 0, limit: int = 500) -> Sequence[LogLine]:
        """Give lines of a run's log, oldest first."""
        return await self._db.read(lambda tx: reading.read_log(tx, run_id, after, limit))

    async def step(self, run_id: str, key: str) -> StepView:
        """Give one step."""
        return await self._db.read(lambda tx: reading.get_step(tx, run_id, key))

    async def counts(self, tenant: TenantId) -> dict[RunState, int]:
        """Give how many runs are in each state but `succeeded`."""
        return await self._db.read(lambda tx: reading.count_runs(tx, tenant))
