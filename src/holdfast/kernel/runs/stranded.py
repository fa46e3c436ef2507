"""Runs whose code has changed under them, is not there, or ends the process each time: found, and put aside loudly.

The ways out of `stranded` are the engine's: finish on the old version, replay, or cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, text, update

from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.claims import Loaded
from holdfast.kernel.runs.model import Failure, RunState
from holdfast.kernel.runs.runner import STRANDED
from holdfast.kernel.runs.tables import RUN_WORKERS, RUNS
from holdfast.kernel.runs.workflows import Registry, Workflow

_ORPHANED_AFTER_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a claimed run may go on, and if not, why; `progress` is its number of steps if it has got further."""

    workflow: Workflow[Any, Any] | None
    state: RunState = RunState.STRANDED
    reason: str = ""
    progress: int | None = None


def judge(registry: Registry, loaded: Loaded, recovery_limit: int) -> Judgement:
    """Find the code of a run, and see whether it is what the run began with."""
    row = loaded.row
    found = registry.find(row.workflow, row.version)
    if found is None or found.fingerprint != row.fingerprint:
        if not loaded.steps and row.cancel_at is None and row.workflow in registry.names():
            return Judgement(registry.newest(row.workflow))  # nothing was done yet: any version will do
        change = "is not registered here" if found is None else "has changed its code without a new version"
        return Judgement(None, reason=f"version {row.version} of {row.workflow!r} {change}")
    if row.recoveries and len(loaded.steps) > row.recovered_steps:
        return Judgement(found, progress=len(loaded.steps))
    if row.recoveries > recovery_limit:
        reason = f"the process has ended {row.recoveries} times while this run was at work, without any progress"
        return Judgement(None, RunState.FAILED, reason)
    return Judgement(found)


def write_off(tx: Connection, row: Row[Any], judged: Judgement, now: datetime, events: EventLog) -> RunState:
    """Put a claimed run aside."""
    kind = "StrandedError" if judged.state is RunState.STRANDED else "PoisonousRun"
    is_final = judged.state.is_final
    values = {
        "state": judged.state.value,
        "owner": None,
        "error": payloads.write_failure(Failure(kind, judged.reason)),
        "finished_at": now if is_final else None,
    }
    where = (RUNS.c.id == row.id) & (RUNS.c.epoch == row.epoch)
    if tx.execute(update(RUNS).where(where).values(**values)).rowcount:
        if is_final and row.parent_id:
            query = text(
                "UPDATE runs SET state = 'queued', wake_at = NULL"
                " WHERE id = :id AND state = 'waiting' AND owner IS NULL"
            )
            tx.execute(query, {"id": row.parent_id})
        events.append(tx, _event(row, STRANDED if not is_final else "run.failed", judged.reason))
    return judged.state


def find_orphans(tx: Connection, known: Sequence[str], now: datetime, events: EventLog, *, is_alone: bool) -> int:
    """Strand queued runs whose workflow no live process has; on PostgreSQL only after a while, for a deploy to end."""
    names = set(known)
    if not is_alone:
        for workflows in tx.execute(select(RUN_WORKERS.c.workflows)).scalars():
            names.update(workflows)
    query = select(RUNS).where(text("state = 'queued'"), RUNS.c.workflow.not_in(sorted(names)))
    since = now - timedelta(seconds=0 if is_alone else _ORPHANED_AFTER_S)
    rows = tx.execute(query.where(RUNS.c.created_at <= since).limit(100)).all()
    for row in rows:
        write_off(tx, row, Judgement(None, reason=f"no process has the workflow {row.workflow!r}"), now, events)
    return len(rows)


def _event(row: Row[Any], kind: str, reason: str) -> NewEvent:
    return NewEvent(
        kind,
        f"run/{row.id}",
        {"workflow": row.workflow, "version": row.version, "error": reason},
        service=ServiceId(row.service) if row.service else None,
        actor=row.actor,
        tenant=TenantId(row.tenant),
        correlation_id=row.id,
    )
