"""Tells waiting readers that the log has grown: a signal inside the process, LISTEN/NOTIFY between processes.

A lost signal costs time, never events: every wait also ends after a while, and readers always read from their cursor.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from holdfast.kernel.clock import Clock
from holdfast.resilience import Backoff, Pauses

CHANNEL: Final = "holdfast_events"
_BACKOFF: Final = Backoff(base_s=0.5, cap_s=5.0, jitter="equal")


class Wake:
    """A broadcast that any thread may send and any task of one event loop may await."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._version = 0
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def version(self) -> int:
        """Give a number that changes with every signal; take it before reading, then wait for a later one."""
        return self._version

    def send(self) -> None:
        """Wake everyone; from any thread."""
        loop = self._loop
        if loop is None:
            self._version += 1
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(self._release)

    async def wait(self, seen: int, timeout_s: float) -> None:
        """Return when the version differs from `seen`, or after `timeout_s`."""
        self._loop = asyncio.get_running_loop()
        if self._version != seen:
            return
        waiter = self._loop.create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)

    def _release(self) -> None:
        self._version += 1
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


async def listen_postgres(url: str, wake: Wake, clock: Clock) -> None:
    """Pass the database's notifications on to `wake`, for ever; reconnects by itself."""
    import psycopg  # noqa: PLC0415 -- 0.05 s that a start over SQLite need not spend

    pauses = Pauses(_BACKOFF)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                pauses.reset()
                wake.send()  # what happened while nobody listened
                async for _ in connection.notifies():
                    wake.send()
        except psycopg.OperationalError:
            await clock.sleep(pauses.next_s())
