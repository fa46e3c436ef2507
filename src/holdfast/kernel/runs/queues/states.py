"""The row of a queue: whether people paused it, and what its limits must remember. Its lock is the queue's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select, text, update

from holdfast.kernel.runs.queues.rates import Starts
from holdfast.kernel.runs.tables import RUN_QUEUES


class QueueState(StrEnum):
    """What people have said about a queue."""

    OPEN = "open"
    PAUSED = "paused"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Memory:
    """What the limits of a queue remember between claims.

    Attributes:
        starts: the starts that its rate still counts.
        after_key: where the walk over keys goes on, when there are more keys than one claim looks at.
    """

    starts: Starts = ()
    after_key: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The state of a queue: since when, and who said so."""

    state: QueueState = QueueState.OPEN
    changed_at: datetime | None = None
    changed_by: str = ""


_ENSURE: Final = text(
    "INSERT INTO run_queues (name, is_paused, is_draining) VALUES (:name, FALSE, FALSE) ON CONFLICT DO NOTHING"
)


def lock(tx: Connection, names: Sequence[str]) -> dict[str, Memory]:
    """Lock the rows of these queues until the end of the transaction; `names` must be sorted, or two would deadlock."""
    if not names:
        return {}
    query = select(RUN_QUEUES.c.name, RUN_QUEUES.c.state).where(RUN_QUEUES.c.name.in_(names))
    rows = tx.execute(query.order_by(RUN_QUEUES.c.name).with_for_update()).all()
    if len(rows) < len(names):
        tx.execute(_ENSURE, [{"name": name} for name in names])
        rows = tx.execute(query.order_by(RUN_QUEUES.c.name).with_for_update()).all()
    return {row.name: _to_memory(row.state) for row in rows}


def remember(tx: Connection, name: str, memory: Memory) -> None:
    """Write what the limits remember, under the lock."""
    state = {"starts": [list(start) for start in memory.starts], "after_key": memory.after_key}
    tx.execute(update(RUN_QUEUES).where(RUN_QUEUES.c.name == name).values(state=state))


def read_rulings(tx: Connection) -> dict[str, Ruling]:
    """Give the state of every queue about which anybody has ever said something."""
    columns = RUN_QUEUES.c
    query = select(columns.name, columns.is_paused, columns.is_draining, columns.changed_at, columns.changed_by)
    return {
        row.name: Ruling(_to_state(row), row.changed_at, row.changed_by or "")
        for row in tx.execute(query.where(columns.changed_at.is_not(None)))
    }


def rule(tx: Connection, name: str, state: QueueState, actor: str, now: datetime) -> bool:
    """Set the state of a queue; tell whether it was another one before."""
    tx.execute(_ENSURE, {"name": name})
    columns = RUN_QUEUES.c
    row = tx.execute(select(RUN_QUEUES).where(columns.name == name).with_for_update()).one()
    if _to_state(row) is state:
        return False
    tx.execute(
        update(RUN_QUEUES)
        .where(columns.name == name)
        .values(
            is_paused=state is QueueState.PAUSED,
            is_draining=state is QueueState.DRAINING,
            changed_at=now,
            changed_by=actor,
        )
    )
    return True


def _to_state(row: Any) -> QueueState:
    if row.is_paused:
        return QueueState.PAUSED
    return QueueState.DRAINING if row.is_draining else QueueState.OPEN


def _to_memory(state: Mapping[str, Any] | None) -> Memory:
    if not state:
        return Memory()
    return Memory(tuple((int(at), int(count)) for at, count in state.get("starts", [])), state.get("after_key", ""))
