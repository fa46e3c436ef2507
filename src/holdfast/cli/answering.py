"""On whose answers the command that runs works, so that `main` can tell what is wrong with one without a traceback."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

SERVERS: Final[ContextVar[list[str] | None]] = ContextVar("holdfast.answered", default=None)


def note_answer(url: str) -> None:
    """Say that an answer of this server was read."""
    servers = SERVERS.get()
    if servers is not None:
        servers.append(url)
