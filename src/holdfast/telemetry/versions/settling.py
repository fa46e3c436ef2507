"""Finds versions that are heard no more: then the new one has settled, or the service has gone back to an older one.

What is silent says `cadence`. Nothing is judged while nobody of a service is heard: a service that stops, or a network
that does, ends no version.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update

from holdfast.telemetry.versions.cadence import has_stood, is_silent
from holdfast.telemetry.versions.events import ROLLED_BACK, SETTLED
from holdfast.telemetry.versions.past import Ending, ending, forget, keep_past
from holdfast.telemetry.versions.standing import is_row
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS
from holdfast.telemetry.versions.telling import deploy_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row

    from holdfast.kernel.events import NewEvent

_COLUMNS: Final = SERVICE_VERSIONS.c
_PLACE: Final = (_COLUMNS.tenant, _COLUMNS.service, _COLUMNS.environment)


def settle(tx: Connection, floor: timedelta, now: datetime) -> list[NewEvent]:
    """Judge every service of which several versions live, or one that has not settled; give the events of it.

    Args:
        tx: the transaction.
        floor: a version that pauses for less is never silent.
        now: the time.
    """
    forget(tx, now)
    is_open = (func.count() > 1) | ((func.count(_COLUMNS.settled_at) == 0) & (func.count(_COLUMNS.last_seen) > 0))
    places = select(*_PLACE).where(_COLUMNS.ended_at.is_(None)).group_by(*_PLACE).having(is_open).subquery()
    joined = SERVICE_VERSIONS.join(
        places,
        (places.c.tenant == _COLUMNS.tenant)
        & (places.c.service == _COLUMNS.service)
        & (places.c.environment == _COLUMNS.environment),
    )
    query = select(SERVICE_VERSIONS).select_from(joined).where(_COLUMNS.ended_at.is_(None))
    rows = tx.execute(query.order_by(*_PLACE, _COLUMNS.version)).all()
    events: list[NewEvent] = []
    for _, group in groupby(rows, key=lambda row: (row.tenant, row.service, row.environment)):
        events += _judge(tx, list(group), floor, now)
    return events


def _judge(tx: Connection, rows: Sequence[Row[Any]], floor: timedelta, now: datetime) -> list[NewEvent]:
    heard = [row for row in rows if row.is_heard and row.last_seen is not None]
    lately = [row for row in heard if not is_silent(row, heard, floor)]
    current = max(lately, key=lambda row: row.began_at, default=None)
    if current is None:
        return []
    stands = has_stood(current, floor)
    overtaken = [row for row in rows if stands and row not in heard and row.began_at < current.began_at]
    gone = [row for row in heard if row not in lately] + overtaken
    ended = [row for row in gone if _end(tx, row, _follower(row, rows, current), now)]
    left = [row for row in ended if row.began_at > current.began_at and not row.is_baseline]
    if left:
        return _go_back(tx, current, max(left, key=lambda row: row.began_at), now)
    is_alone = stands and len(ended) == len(rows) - 1
    if not is_alone or not _mark(tx, current, _COLUMNS.settled_at.is_(None), settled_at=now) or current.is_baseline:
        return []
    return [deploy_event(ROLLED_BACK if current.is_rollback else SETTLED, current, current.from_version)]


def _follower(row: Row[Any], rows: Sequence[Row[Any]], current: Row[Any]) -> Row[Any]:
    """Give what took the place of a version: the next newer one, or what goes on."""
    newer = [other for other in rows if other.is_heard and other.began_at > row.began_at]
    return min(newer, key=lambda other: other.began_at, default=current)


def _go_back(tx: Connection, row: Row[Any], left: Row[Any], now: datetime) -> list[NewEvent]:
    """Have an older version go on alone since the newer one fell silent; told if the newer one was."""
    is_told = left.told_at is not None and left.told_at >= left.began_at
    values = {
        "began_at": left.last_seen,
        "first_seen": left.last_seen,
        "from_version": left.version,
        "settled_at": now,
        "is_baseline": False,
        "is_rollback": True,
    }
    if not _mark(tx, row, _COLUMNS.began_at == row.began_at, **values):
        return []
    keep_past(tx, row, ended_at=now, ending=Ending.REPLACED.value, to_version=left.version)
    return [deploy_event(ROLLED_BACK, row, left.version)] if is_told else []


def _end(tx: Connection, row: Row[Any], follower: Row[Any], now: datetime) -> bool:
    same = _COLUMNS.ended_at.is_(None) & (_COLUMNS.last_seen == row.last_seen)
    return _mark(tx, row, same, **ending(row, follower, now))


def _mark(tx: Connection, row: Row[Any], condition: Any, **values: Any) -> bool:
    return bool(tx.execute(update(SERVICE_VERSIONS).where(is_row(row) & condition).values(**values)).rowcount)
