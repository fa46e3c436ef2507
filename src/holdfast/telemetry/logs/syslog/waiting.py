"""Messages that wait to be read, bounded in number and in bytes: a datagram beyond it is lost, a connection waits."""

from __future__ import annotations

import asyncio
from collections import deque


class Waiting:
    """A queue with two bounds; one message alone always has room."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._messages: deque[tuple[bytes, str]] = deque()
        self._bytes = 0
        self._has_shrunk = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    def offer(self, data: bytes, peer: str) -> bool:
        """Take a message; False if there is no room for it."""
        held = self._messages
        if held and (len(held) >= self._most or self._bytes + len(data) > self._most_bytes):
            return False
        held.append((data, peer))
        self._bytes += len(data)
        return True

    async def put(self, data: bytes, peer: str) -> None:
        """Take a message as soon as there is room for it."""
        while not self.offer(data, peer):
            self._has_shrunk.clear()
            await self._has_shrunk.wait()

    def take(self) -> tuple[bytes, str]:
        """Give the message that has waited longest, and who sent it."""
        data, peer = self._messages.popleft()
        self._bytes -= len(data)
        self._has_shrunk.set()
        return data, peer
