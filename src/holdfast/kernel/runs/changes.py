"""Tells whoever follows a run that something was written about it in this process; nobody who does not follow pays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Followed:
    version: int = 0
    followers: int = 0
    waiters: set[asyncio.Future[None]] = field(default_factory=set)


class Changes:
    """The runs that are followed, and who waits for news of them. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._followed: dict[str, _Followed] = {}

    def follow(self, run_id: str) -> None:
        """Begin to follow a run."""
        self._followed.setdefault(run_id, _Followed()).followers += 1

    def leave(self, run_id: str) -> None:
        """End it."""
        followed = self._followed[run_id]
        followed.followers -= 1
        if not followed.followers:
            del self._followed[run_id]

    def tell(self, run_ids: Iterable[str]) -> None:
        """Something was written about these runs."""
        if not self._followed:
            return
        for followed in filter(None, map(self._followed.get, set(run_ids))):
            followed.version += 1
            for waiter in followed.waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def version_of(self, run_id: str) -> int:
        """Give a number that changes whenever something is written about a followed run."""
        return self._followed[run_id].version

    async def wait(self, run_id: str, seen: int, timeout_s: float) -> None:
        """Return when the version is no longer `seen`, or after `timeout_s`."""
        followed = self._followed[run_id]
        if followed.version != seen:
            return
        waiter = asyncio.get_running_loop().create_future()
        followed.waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            pass
        finally:
            followed.waiters.discard(waiter)
