"""Starts whose key holds only for a while: singletons until their run has ended, debounced ones until theirs begins.

The unique indexes decide between processes. A run that ended, or began, between our insert and our look no longer
holds the key, so the insert is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from holdfast.kernel.errors import ConflictError
from holdfast.kernel.runs import statements
from holdfast.kernel.runs.records import NewRun

_ATTEMPTS: Final = 10
_LONGEST: Final = 10  # windows that a debounced run may be put off in all
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Execute = Callable[[statements.Statement, Any, Sequence[Sequence[Any]]], list[Any]]


@dataclass(frozen=True, slots=True)
class KeyedStarts:
    """Settles which run each start came to, over one driver connection."""

    raw: Any
    execute: Execute
    row: Callable[[NewRun], tuple[Any, ...]]
    stamp: Callable[[datetime | None], Any]

    def settle(self, starts: Sequence[NewRun]) -> dict[str, str]:
        """Give the run of each start by the start's id; they have been inserted where no other run held the key."""
        waiting = {start.id: start for start in starts if start.singleton_key or start.debounce_key}
        settled: dict[str, str] = {}
        for _ in range(_ATTEMPTS):
            settled |= self._find_singletons(waiting.values()) | self._find_debounced(waiting.values())
            waiting = {run_id: start for run_id, start in waiting.items() if run_id not in settled}
            if not waiting:
                return settled
            rows = [self.row(start) for start in waiting.values()]
            self.execute(statements.INSERT_QUEUED_RUNS, self.raw, rows)
        raise ConflictError("runs with these keys come and go faster than another can be started", hint="try it again")

    def _find_singletons(self, starts: Any) -> dict[str, str]:
        rows = [
            (start.id, start.tenant, start.workflow, start.singleton_key) for start in starts if start.singleton_key
        ]
        return dict(self.execute(statements.FIND_SINGLETON, self.raw, rows))

    def _find_debounced(self, starts: Any) -> dict[str, str]:
        by_id = {start.id: start for start in starts if start.debounce_key}
        rows = [(start.id, start.tenant, start.workflow, start.debounce_key) for start in by_id.values()]
        holders = {start: (run_id, self._instant(at)) for start, run_id, at in self._find(rows)}
        changes = {}
        for start_id in sorted(holders):  # ids sort by time: the newest input stays
            run_id, created_at = holders[start_id]
            start = by_id[start_id]
            assert start.wake_at is not None
            due = min(start.wake_at, created_at + timedelta(seconds=_LONGEST * start.debounce_s))
            later_us = (due - start.wake_at) // timedelta(microseconds=1)
            changes[run_id] = (run_id, start.input, self.stamp(due), start.rank + later_us, start_id)
        changed = {row[0] for row in self.execute(statements.DEBOUNCE_RUNS, self.raw, list(changes.values()))}
        return {start: run_id for start, (run_id, _) in holders.items() if run_id in changed}

    def _find(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        return self.execute(statements.FIND_DEBOUNCED, self.raw, rows)

    @staticmethod
    def _instant(stamped: Any) -> datetime:
        return stamped if isinstance(stamped, datetime) else _EPOCH + timedelta(microseconds=stamped)
