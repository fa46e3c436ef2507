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


@dataclass(slots=True)
class Loaded:
    """A claimed run with the steps that it has done."""

    row: Row[Any]
    steps: dict[str, Step] = field(default_factory=dict)


def promote_due(tx: Connection, now: datetime) -> int:
    """Queue parked runs whose time has come; give how many."""
    return tx.execute(_PROMOTE, {"now": now}).rowcount


def load(tx: Connection, ids: Sequence[RunId], worker: str) -> list[Loaded]:
    """Read claimed runs with their steps, in the order of `ids`."""
    place = {run_id: number for number, run_id in enumerate(ids)}
    found = tx.execute(select(RUNS).where(RUNS.c.id.in_(ids), RUNS.c.owner == worker)).all()
    rows = sorted(found, key=lambda row: place[row.id])
    steps: dict[str, dict[str, Step]] = defaultdict(dict)
    for row in tx.execute(select(RUN_STEPS).where(RUN_STEPS.c.run_id.in_(ids))):
        steps[row.run_id][row.key] = step_of_row(row)
    return [Loaded(row, steps[row.id]) for row in rows]


def next_moment(tx: Connection) -> datetime | None:
    """Give the first moment at which a parked run is due."""
    parked = select(func.min(RUNS.c.wake_at)).where(text("state = 'waiting' AND owner IS NULL"))
    found: datetime | None = tx.execute(parked).scalar()
    return found
