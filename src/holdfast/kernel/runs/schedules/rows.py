"""The row of a schedule: which instant is next, what waits for the run before, how the last instant ended.

The row's lock makes an instant one process's matter; what it causes is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from holdfast.kernel.ids import TenantId
from holdfast.kernel.runs.model import RunId
from holdfast.kernel.runs.schedules.schedule import Schedule
from holdfast.kernel.runs.tables import RUN_SCHEDULES

_ACTIVE: Final = text(
    "SELECT id FROM runs WHERE tenant = :tenant AND schedule = :schedule AND schedule IS NOT NULL"
    " AND state NOT IN ('succeeded', 'failed', 'cancelled') ORDER BY id"
)
_C: Final = RUN_SCHEDULES.c


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a schedule stands.

    Attributes:
        fingerprint: of the definition that the instants belong to.
        source: `code`, or `ops` for the files.
        next_due: the first instant not yet handled, without jitter.
        next_at: when it is handled.
        held: instants that wait for the run before, oldest first.
        last_due: the last instant that was handled.
        outcome: how it ended: `started`, or why not.
        definition: what people want to see of it, for processes that do not know the schedule.
    """

    tenant: TenantId
    name: str
    workflow: str
    fingerprint: str
    source: str
    definition: Mapping[str, Any]
    is_paused: bool = False
    next_due: datetime | None = None
    next_at: datetime | None = None
    held: tuple[datetime, ...] = ()
    last_due: datetime | None = None
    last_run_id: RunId | None = None
    outcome: str = ""
    changed_at: datetime | None = None
    changed_by: str | None = None

    def pointed(self, schedule: Schedule, next_due: datetime | None) -> Standing:
        """Give the standing with another next instant."""
        next_at = None if next_due is None else schedule.timing.start_of(next_due)
        return replace(self, next_due=next_due, next_at=next_at)

    def after(self, there: Standing) -> Standing:
        """Give the standing with what remains when the instants of a schedule begin anew."""
        return replace(
            self,
            is_paused=there.is_paused,
            changed_at=there.changed_at,
            changed_by=there.changed_by,
            last_due=there.last_due,
            last_run_id=there.last_run_id,
        )


def describe(schedule: Schedule) -> dict[str, Any]:
    """Give what people want to see of a definition, as JSON."""
    return {
        "kind": schedule.kind,
        "rule": schedule.rule,
        "zone": schedule.zone,
        "catch_up": schedule.catch_up,
        "overlap": schedule.overlap,
        "jitter_s": schedule.timing.jitter_s,
        "service": schedule.service,
    }


def read_all(tx: Connection, tenant: TenantId | None = None) -> list[Standing]:
    """Give every schedule, or those of one tenant, by name."""
    query = select(RUN_SCHEDULES).order_by(_C.name, _C.tenant)
    if tenant is not None:
        query = query.where(_C.tenant == tenant)
    return [_to_standing(row) for row in tx.execute(query)]


def find_due(tx: Connection, now: datetime) -> list[tuple[TenantId, str]]:
    """Give the schedules that may owe something: their moment has come, or instants wait for the run before."""
    query = select(_C.tenant, _C.name).where(~_C.is_paused, or_(_C.next_at <= now, _C.is_held))
    return [(TenantId(row.tenant), row.name) for row in tx.execute(query.order_by(_C.next_at))]


def find_next(tx: Connection, known: Collection[tuple[TenantId, str]]) -> datetime | None:
    """Give the moment at which the next of the `known` schedules is due."""
    query = select(_C.tenant, _C.name, _C.next_at).where(~_C.is_paused, _C.next_at.is_not(None))
    return min((row.next_at for row in tx.execute(query) if (row.tenant, row.name) in known), default=None)


def lock(tx: Connection, tenant: TenantId, name: str, *, waits: bool = True) -> Standing | None:
    """Lock the row until the end of the transaction.

    None when there is no such row or, without `waits`, when another process has it.
    """
    query = select(RUN_SCHEDULES).where(_C.tenant == tenant, _C.name == name).with_for_update(skip_locked=not waits)
    row = tx.execute(query).one_or_none()
    return None if row is None else _to_standing(row)


def write(tx: Connection, standing: Standing) -> None:
    """Write the row, under its lock."""
    where = (_C.tenant == standing.tenant) & (_C.name == standing.name)
    tx.execute(update(RUN_SCHEDULES).where(where).values(**_to_row(standing)))


def add(tx: Connection, standing: Standing) -> bool:
    """Insert the row; tell whether no other process was quicker."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    return tx.execute(insert(RUN_SCHEDULES).values(**_to_row(standing)).on_conflict_do_nothing()).rowcount == 1


def remove_missing(tx: Connection, source: str, kept: Iterable[tuple[TenantId, str]]) -> None:
    """Delete the rows of a source that are not among `kept`."""
    keep = set(kept)
    for standing in read_all(tx):
        if standing.source == source and (standing.tenant, standing.name) not in keep:
            tx.execute(delete(RUN_SCHEDULES).where(_C.tenant == standing.tenant, _C.name == standing.name))


def find_active(tx: Connection, tenant: TenantId, name: str) -> list[RunId]:
    """Give the runs of a schedule that have not ended, oldest first."""
    return [RunId(row.id) for row in tx.execute(_ACTIVE, {"tenant": tenant, "schedule": name})]


def _to_standing(row: Row[Any]) -> Standing:
    state = row.state or {}
    held = tuple(datetime.fromisoformat(at).astimezone(UTC) for at in state.get("held", ()))
    return Standing(
        tenant=TenantId(row.tenant),
        name=row.name,
        workflow=row.workflow,
        fingerprint=state.get("fingerprint", ""),
        source=state.get("source", "code"),
        definition=state.get("definition", {}),
        is_paused=row.is_paused,
        next_due=row.next_due,
        next_at=row.next_at,
        held=held,
        last_due=row.last_due_at,
        last_run_id=row.last_run_id,
        outcome=state.get("outcome", ""),
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


def _to_row(standing: Standing) -> dict[str, Any]:
    state = {
        "fingerprint": standing.fingerprint,
        "source": standing.source,
        "definition": dict(standing.definition),
        "held": [at.isoformat() for at in standing.held],
        "outcome": standing.outcome,
    }
    return {
        "tenant": standing.tenant,
        "name": standing.name,
        "workflow": standing.workflow,
        "is_paused": standing.is_paused,
        "next_due": standing.next_due,
        "next_at": standing.next_at,
        "is_held": bool(standing.held),
        "last_due_at": standing.last_due,
        "last_run_id": standing.last_run_id,
        "changed_at": standing.changed_at,
        "changed_by": standing.changed_by,
        "state": state,
    }
