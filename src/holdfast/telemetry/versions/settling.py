"""Finds versions that are heard no more: then the new one has settled, or the service has gone back to an older one.

Nothing is judged while nobody of a service is heard: a service that stops, or a network that does, ends no version.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, update

from holdfast.telemetry.versions.events import ROLLED_BACK, SETTLED
from holdfast.telemetry.versions.standing import DAY, is_row
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS
from holdfast.telemetry.versions.telling import deploy_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from holdfast.kernel.events import NewEvent

KEEP: Final = 400 * DAY  # after its end a version is forgotten
_COLUMNS: Final = SERVICE_VERSIONS.c
_PLACE: Final = (_COLUMNS.tenant, _COLUMNS.service, _COLUMNS.environment)


def settle(tx: Connection, since: datetime, now: datetime) -> list[NewEvent]:
    """Judge every service of which several versions live, or one that has not settled; give the events of it.

    Args:
        tx: the transaction.
        since: what has not been heard since then is silent.
        now: the time.
    """
    tx.execute(delete(SERVICE_VERSIONS).where(_COLUMNS.ended_at < now - KEEP))
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
        events += _judge(tx, list(group), since, now)
    return events


def _judge(tx: Connection, rows: Sequence[Row[Any]], since: datetime, now: datetime) -> list[NewEvent]:
    lately = [row for row in rows if row.last_seen is not None and row.last_seen > since]
    current = max(lately, key=lambda row: row.began_at, default=None)
    if current is None or current.began_at > since:
        return []
    silent = [row for row in rows if row not in lately and (row.is_heard or row.began_at < current.began_at)]
    ended = [row for row in silent if _end(tx, row, now)]
    left = [row for row in ended if row.began_at > current.began_at and not row.is_baseline]
    if left:
        return _go_back(tx, current, max(left, key=lambda row: row.began_at), now)
    is_alone = len(ended) == len(rows) - 1
    if not is_alone or not _mark(tx, current, _COLUMNS.settled_at.is_(None), settled_at=now) or current.is_baseline:
        return []
    return [deploy_event(SETTLED, current, current.from_version)]


def _go_back(tx: Connection, row: Row[Any], left: Row[Any], now: datetime) -> list[NewEvent]:
    """Have an older version go on alone, as the newer one is silent; told once a day."""
    is_told = row.back_told_at is None or row.back_told_at < now - DAY
    values = {"began_at": now, "from_version": left.version, "settled_at": now, "is_baseline": False}
    values |= {"back_told_at": now} if is_told else {}
    is_ours = _mark(tx, row, _COLUMNS.began_at == row.began_at, **values)
    return [deploy_event(ROLLED_BACK, row, left.version)] if is_ours and is_told else []


def _end(tx: Connection, row: Row[Any], now: datetime) -> bool:
    return _mark(tx, row, _COLUMNS.ended_at.is_(None) & (_COLUMNS.last_seen == row.last_seen), ended_at=now)


def _mark(tx: Connection, row: Row[Any], condition: Any, **values: Any) -> bool:
    return bool(tx.execute(update(SERVICE_VERSIONS).where(is_row(row) & condition).values(**values)).rowcount)
