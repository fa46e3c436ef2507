"""Who is read next: one request at a time, for the interpreter reads no two at once, and tenants in turn.

A tenant that sends a hundred requests waits for itself, and others wait for one of its at most. What waits is bounded:
beyond it senders are told to slow down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import BusyError

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

MOST_WAITING: Final = 256
MOST_BYTES: Final = 64_000_000


class Turns:
    """The turns of one door."""

    def __init__(self, *, most_waiting: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        """Let so many requests wait, of so many bytes together."""
        self._most_waiting = most_waiting
        self._most_bytes = most_bytes
        self._waiting: dict[TenantId, deque[asyncio.Future[None]]] = {}  # tenants in the order of their turns
        self._is_taken = False
        self._count = 0
        self._bytes = 0

    @asynccontextmanager
    async def take(self, tenant: TenantId, size: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the end of the block.

        Raises:
            BusyError: too much waits already.
        """
        if self._is_taken:
            await self._wait(tenant, size)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, tenant: TenantId, size: int) -> None:
        if self._count >= self._most_waiting or (self._count and self._bytes + size > self._most_bytes):
            raise BusyError(f"{self._count} requests wait to be read already", hint="slow down and send again")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(turn)
        self._count, self._bytes = self._count + 1, self._bytes + size
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was ours already
                self._pass_on()
            raise
        finally:
            self._count, self._bytes = self._count - 1, self._bytes - size

    def _pass_on(self) -> None:
        """Give the turn to the tenant that has waited longest for one."""
        while self._waiting:
            tenant = next(iter(self._waiting))
            queue = self._waiting.pop(tenant)
            turn = queue.popleft()
            if queue:
                self._waiting[tenant] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False
