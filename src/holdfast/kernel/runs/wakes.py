"""Tells this process of what others have done: LISTEN/NOTIFY on PostgreSQL. Inside one process nobody needs it.

A lost notification costs time, never work: whoever listens also looks by itself now and then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.kernel.clock import Clock
from holdfast.kernel.runs.journal_rows import CHANNEL
from holdfast.resilience import Backoff, Pauses

_BACKOFF: Final = Backoff(base_s=0.5, cap_s=5.0, jitter="equal")


async def listen(url: str, clock: Clock, hear: Callable[[str], None]) -> None:
    """Pass every note on to `hear`, for ever: `queue`, or `run <id>`; `all` after a gap in which notes may be lost."""
    import psycopg  # noqa: PLC0415 -- 0.05 s that a start over SQLite need not spend

    pauses = Pauses(_BACKOFF)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                pauses.reset()
                hear("all")
                async for note in connection.notifies():
                    hear(note.payload)
        except psycopg.OperationalError:
            await clock.sleep(pauses.next_s())
