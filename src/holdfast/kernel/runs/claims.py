"""Takes queued runs for this process, loads what they have done already, and knows when more will be due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, text

from holdfast.kernel.runs.model import RunId
from holdfast.kernel.runs.records import Step
from holdfast.kernel.runs.row_reading import step_of_row
from holdfast.kernel.runs.tables import RUN_STEPS, RUNS
from holdfast.kernel.sql import UtcDateTime

_PROMOTE: Final = text(
    "UPDATE runs SET state = 'queued', wake_at = NULL WHERE state = 'waiting' AND owner IS NULL AND wake_at <= :now"
).bindparams(bindparam("now", type_=UtcDateTime))


def _claim(lock: str) -> Any:
    return text(
        "UPDATE runs SET state = CASE WHEN cancel_at IS NULL THEN 'running' ELSE 'cancelling' END, owner = :worker,"
        " epoch = epoch + 1, started_at = COALESCE(started_at, :now), wake_at = NULL"
        " WHERE id IN (SELECT id FROM runs WHERE state = 'queued' AND (wake_at IS NULL OR wake_at <= :now)"
        f" AND workflow IN :workflows ORDER BY priority DESC, id LIMIT :room {lock}) RETURNING id"
    ).bindparams(bindparam("now", type_=UtcDateTime), bindparam("workflows", expanding=True))


_CLAIM: Final = {"sqlite": _claim(""), "postgresql": _claim("FOR UPDATE SKIP LOCKED")}


@dataclass(slots=True)
class Loaded:
    """A claimed run with the steps that it has done."""

    row: Row[Any]
    steps: dict[str, Step] = field(default_factory=dict)


def promote_due(tx: Connection, now: datetime) -> int:
    """Queue parked runs whose time has come; give how many."""
    return tx.execute(_PROMOTE, {"now": now}).rowcount


def claim(tx: Connection, worker: str, workflows: Sequence[str], room: int, now: datetime) -> list[RunId]:
    """Make up to `room` queued runs of these workflows this worker's."""
    if room <= 0 or not workflows:
        return []
    statement = _CLAIM["sqlite" if tx.dialect.name == "sqlite" else "postgresql"]
    values = {"worker": worker, "now": now, "workflows": list(workflows), "room": room}
    return [RunId(row.id) for row in tx.execute(statement, values)]


def load(tx: Connection, ids: Sequence[RunId], worker: str) -> list[Loaded]:
    """Read claimed runs with their steps, oldest first."""
    rows = tx.execute(select(RUNS).where(RUNS.c.id.in_(ids), RUNS.c.owner == worker).order_by(RUNS.c.id)).all()
    steps: dict[str, dict[str, Step]] = defaultdict(dict)
    for row in tx.execute(select(RUN_STEPS).where(RUN_STEPS.c.run_id.in_(ids))):
        steps[row.run_id][row.key] = step_of_row(row)
    return [Loaded(row, steps[row.id]) for row in rows]


def next_moment(tx: Connection, now: datetime) -> datetime | None:
    """Give the first moment at which a parked or delayed run is due."""
    parked = select(func.min(RUNS.c.wake_at)).where(text("state = 'waiting' AND owner IS NULL"))
    delayed = select(func.min(RUNS.c.wake_at)).where(text("state = 'queued'"), RUNS.c.wake_at > now)
    moments = [tx.execute(query).scalar() for query in (parked, delayed)]
    return min((moment for moment in moments if moment is not None), default=None)
