"""Refuses the writes of a holder that lost its lock, inside the transaction that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from holdfast.resilience.locks.errors import StaleToken

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADMIT: Final = text(
    "INSERT INTO resilience_fences (resource, token) VALUES (:resource, :token)"
    " ON CONFLICT (resource) DO UPDATE SET token = excluded.token WHERE resilience_fences.token <= excluded.token"
)


def admit_token(connection: Connection, resource: str, token: int) -> None:
    """Let the transaction of `connection` go on if no newer token of `resource` was seen.

    Call it first in the transaction that writes: the row stays locked until its commit.

    Raises:
        StaleToken: The sender is not the holder any more; roll the transaction back.
    """
    if connection.execute(ADMIT, {"resource": resource, "token": token}).rowcount == 0:
        raise StaleToken(f"{resource!r} has seen a newer token than {token}: its sender lost the lock")
