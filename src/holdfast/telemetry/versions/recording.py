"""Writes down a deploy that somebody records: a row of its own, or what is said about the version that is the newest.

A record and telemetry meet in one row, whichever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from holdfast.telemetry.versions.noting import API, insert_new
from holdfast.telemetry.versions.standing import alive, is_row, newest, rows_of, running
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.versions.standing import Rows


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
    heard = {row.environment for row in alive(rows_of(tx, tenant, said.service)) if row.first_seen is not None}
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
    begun = {
        "from_version": before.version if before is not None else None,
        "is_baseline": False,
        "began_at": at,
        "settled_at": None,
        "ended_at": None,
        "told_at": now if is_told else None,
        **known,
    }
    if row is not None:
        _change(tx, row, {**begun, "is_heard": row.is_heard and row.ended_at is None})
    else:
        key = {"tenant": tenant, "service": said.service, "environment": said.environment, "version": said.version}
        if not insert_new(tx, {**key, "origin": API, "is_heard": False, **begun}):
            return False
    _end_unheard(tx, alive(rows), said.version, now)
    return True


def _end_unheard(tx: Connection, rows: Rows, version: str, now: datetime) -> None:
    """End the others of a service that is never heard: there what is recorded last runs."""
    if any(row.is_heard for row in rows):
        return
    for row in rows:
        if row.version != version:
            _change(tx, row, {"ended_at": now})


def _change(tx: Connection, row: Row[Any], values: dict[str, Any]) -> None:
    tx.execute(update(SERVICE_VERSIONS).where(is_row(row)).values(**values))
