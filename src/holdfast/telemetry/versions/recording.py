"""Writes down a deploy that somebody records: a row of its own, or what is said about the version that is the newest.

A record and telemetry meet in one row, whichever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from holdfast.telemetry.versions.noting import insert_new, make_room
from holdfast.telemetry.versions.past import Ending, ending, keep_past
from holdfast.telemetry.versions.standing import API, alive, is_older, is_row, newest, rows_of, running
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.kernel.ids import TenantId


@dataclass(frozen=True, slots=True)
class Recording:
    """What somebody says of a deploy; `at` is now if not given."""

    service: str
    version: str
    environment: str = ""
    commit: str = ""
    url: str = ""
    by: str = ""
    at: datetime | None = None


def place_of(tx: Connection, tenant: TenantId, said: Recording) -> str:
    """Give the environment that is meant: without a word about it the only one in which the service is heard."""
    heard = {row.environment for row in alive(rows_of(tx, tenant, said.service)) if row.origin != API}
    return heard.pop() if not said.environment and len(heard) == 1 else said.environment


def record(
    tx: Connection, tenant: TenantId, said: Recording, at: datetime, now: datetime, *, is_told: bool = True
) -> bool:
    """Write it, and tell whether it is a deploy: not if the version is the newest already."""
    rows = [row for row in rows_of(tx, tenant, said.service) if row.environment == said.environment]
    row = next((row for row in rows if row.version == said.version), None)
    known = {name: getattr(said, name) for name in ("commit", "url", "by") if getattr(said, name)}
    if row is not None and row is newest(rows):
        if known:
            _change(tx, row, known)
        return False
    before = running(rows)
    begun: dict[str, Any] = {
        "from_version": before.version if before is not None else None,
        "is_baseline": False,
        "is_rollback": row is not None and before is not None and is_older(row, before),
        "began_at": at,
        "settled_at": None,
        "ended_at": None,
        "ending": None,
        "to_version": None,
        "told_at": now if is_told else None,
        **known,
    }
    if row is not None:
        if not _begin_anew(tx, row, begun, now):
            return False
    else:
        make_room(tx, rows)
        key = {"tenant": tenant, "service": said.service, "environment": said.environment, "version": said.version}
        if not insert_new(tx, {**key, "origin": API, "is_heard": False, "known_since": at, **begun}):
            return False
    _end_unheard(tx, tenant, said, now)
    return True


def _begin_anew(tx: Connection, row: Row[Any], begun: dict[str, Any], now: datetime) -> bool:
    """Deploy a version once more: what was is past; of what is still heard it is not known since when it is the new."""
    is_still_heard = row.is_heard and row.ended_at is None
    times = {name: getattr(row, name) if is_still_heard else None for name in ("last_seen", "heard_since")}
    first = {"first_seen": begun["began_at"] if is_still_heard else None, "is_heard": is_still_heard}
    blank = {"url": "", "by": "", "trace_id": "", "instance": ""}
    same = is_row(row) & (SERVICE_VERSIONS.c.began_at == row.began_at)
    values = {**blank, **begun, **times, **first}
    if not tx.execute(update(SERVICE_VERSIONS).where(same).values(**values)).rowcount:
        return False
    ended = {"ended_at": now, "ending": Ending.REPLACED.value, "to_version": begun["from_version"]}
    keep_past(tx, row, **({} if row.ended_at is not None else ended))
    return True


def _end_unheard(tx: Connection, tenant: TenantId, said: Recording, now: datetime) -> None:
    """End the others of a service that is never heard: there what is recorded last runs."""
    rows = alive(row for row in rows_of(tx, tenant, said.service) if row.environment == said.environment)
    if any(row.is_heard for row in rows):
        return
    mine = next(row for row in rows if row.version == said.version)
    for row in rows:
        if row is not mine:
            _change(tx, row, ending(row, mine, now))


def _change(tx: Connection, row: Row[Any], values: dict[str, Any]) -> None:
    tx.execute(update(SERVICE_VERSIONS).where(is_row(row)).values(**values))
