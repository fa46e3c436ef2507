"""Which of the versions of a service in an environment runs, by their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from holdfast.kernel.ids import TenantId
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS

API: Final = "api"  # the origin of what was recorded and was never heard
DAY: Final = timedelta(days=1)
Rows = Sequence[Row[Any]]


def rows_of(tx: Connection, tenant: TenantId, service: str) -> Rows:
    """Give all rows of a service."""
    of_service = (SERVICE_VERSIONS.c.tenant == tenant) & (SERVICE_VERSIONS.c.service == service)
    return tx.execute(select(SERVICE_VERSIONS).where(of_service)).all()


def alive(rows: Iterable[Row[Any]]) -> Rows:
    """Give those that have not ended."""
    return [row for row in rows if row.ended_at is None]


def newest(rows: Rows) -> Row[Any] | None:
    """Give the one that was deployed last, whether or not it is heard yet."""
    return max(alive(rows), key=lambda row: row.began_at, default=None)


def running(rows: Rows) -> Row[Any] | None:
    """Give the newest that is heard; where none is, the newest that was recorded."""
    return max(alive(rows), key=lambda row: (row.is_heard, row.began_at), default=None)


def is_older(row: Row[Any], other: Row[Any]) -> bool:
    """Tell whether a version was known before another one."""
    return bool((row.known_since or row.began_at) < (other.known_since or other.began_at))


def is_row(row: Row[Any]) -> Any:
    """Give the SQL condition of a row's key."""
    columns = SERVICE_VERSIONS.c
    return (
        (columns.tenant == row.tenant)
        & (columns.service == row.service)
        & (columns.environment == row.environment)
        & (columns.version == row.version)
    )
