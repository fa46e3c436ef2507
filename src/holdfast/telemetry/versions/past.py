"""Keeps deploys that are past: what a version's row said before the version was deployed anew, and for how long.

A copy is written in the transaction that changes the row, by whoever won the change, and never changed again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from holdfast.telemetry.versions.standing import DAY
from holdfast.telemetry.versions.tables import PAST_DEPLOYS, SERVICE_VERSIONS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

KEEP: Final = 400 * DAY  # after its end a deploy is forgotten
MOST_PAST: Final = 1000  # of a service in an environment; the oldest go first
_NAMES: Final = tuple(column.name for column in PAST_DEPLOYS.columns)


class Ending(StrEnum):
    """How a deploy ended."""

    REPLACED = "replaced"  # by a newer one
    ROLLED_BACK = "rolled_back"  # the service went back to an older version


def ending(row: Row[Any], follower: Row[Any], now: datetime) -> dict[str, Any]:
    """Give what is to be noted of a deploy that ends as another one goes on."""
    is_back = follower.is_rollback and follower.from_version == row.version
    is_left = follower.began_at < row.began_at and not row.is_baseline
    how = Ending.ROLLED_BACK if is_back or is_left else Ending.REPLACED
    return {"ended_at": now, "ending": how.value, "to_version": follower.version}


def keep_past(tx: Connection, row: Row[Any], **ended: Any) -> None:
    """Write down what a row said before it changed, with how it ended where the row does not say so itself."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    values = {name: getattr(row, name) for name in _NAMES} | ended
    tx.execute(dialect.insert(PAST_DEPLOYS).values(**values).on_conflict_do_nothing())
    columns = PAST_DEPLOYS.c
    mine = (columns.tenant == row.tenant) & (columns.service == row.service) & (columns.environment == row.environment)
    newest = select(columns.began_at).where(mine).order_by(columns.began_at.desc())
    oldest = tx.execute(newest.offset(MOST_PAST - 1).limit(1)).scalar()
    if oldest is not None:
        tx.execute(delete(PAST_DEPLOYS).where(mine & (columns.began_at < oldest)))


def forget(tx: Connection, now: datetime) -> None:
    """Drop what ended long ago."""
    for table in (SERVICE_VERSIONS, PAST_DEPLOYS):
        tx.execute(delete(table).where(table.c.ended_at < now - KEEP))
