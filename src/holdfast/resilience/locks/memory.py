"""Locks of one process: for tests, for programs of one process, and as the measure of the other backends.

Threads and event loops may share it. A waiter is woken by the release, and by itself when the holder's time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.locks.circles import find_circle
from holdfast.resilience.locks.errors import Deadlock, LockQueueFull
from holdfast.resilience.locks.port import Answer, Claim, Grant, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class _Lease:
    owner: str
    token: int
    until_s: float
    ttl_s: float


@dataclass(slots=True)
class _Place:
    owner: str
    until_s: float
    woken: Future[None] = field(default_factory=Future)

    def wake(self) -> None:
        if not self.woken.done():
            self.woken.set_result(None)


class MemoryLocks:
    """Keeps locks in this process."""

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._leases: dict[str, _Lease] = {}
        self._queues: dict[str, OrderedDict[str, _Place]] = {}
        self._last_token = 0
        self.max_waiting = 1_000

    def claim(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        with self._guard:
            now_s = self._clock.monotonic()
            lease = self._find_lease(claim.name, now_s)
            queue = self._prune(claim.name, now_s)
            ahead = self._count_ahead(queue, claim.waiter)
            if lease is None and ahead == 0:
                self._leave(claim)
                return self._grant(claim, now_s)
            if claim.patience_s > 0:
                self._stand(claim, now_s)
            if lease is None:
                return Refusal("", ahead, 0.0)
            return Refusal(lease.owner, ahead, lease.until_s - now_s)

    async def claim_async(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        return self.claim(claim)

    def wait(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Wait to be woken."""
        woken = self._take_bell(claim)
        if woken is not None:
            with contextlib.suppress(TimeoutError):
                woken.result(timeout=seconds)

    async def wait_async(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Wait to be woken."""
        woken = self._take_bell(claim)
        if woken is None:
            return
        bell = asyncio.wrap_future(woken)
        alarm = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({bell, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            bell.cancel()

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue."""
        with self._guard:
            self._leave(claim)
            if self._find_lease(claim.name, self._clock.monotonic()) is None:
                self._wake_first(claim.name)

    async def withdraw_async(self, claim: Claim) -> None:
        """Leave the queue."""
        self.withdraw(claim)

    def renew(self, claim: Claim, token: int) -> bool:
        """Hold on."""
        with self._guard:
            now_s = self._clock.monotonic()
            lease = self._find_lease(claim.name, now_s)
            if lease is None or lease.token != token:
                return False
            lease.until_s = now_s + claim.ttl_s
            return True

    async def renew_async(self, claim: Claim, token: int) -> bool:
        """Hold on."""
        return self.renew(claim, token)

    def release(self, claim: Claim, token: int) -> None:
        """Give the lock back and wake the first in the queue."""
        with self._guard:
            lease = self._leases.get(claim.name)
            if lease is not None and lease.token == token:
                del self._leases[claim.name]
                self._wake_first(claim.name)

    async def release_async(self, claim: Claim, token: int) -> None:
        """Give the lock back and wake the first in the queue."""
        self.release(claim, token)

    def _grant(self, claim: Claim, now_s: float) -> Grant:
        self._last_token += 1
        self._leases[claim.name] = _Lease(claim.owner, self._last_token, now_s + claim.ttl_s, claim.ttl_s)
        return Grant(self._last_token)

    def _find_lease(self, name: str, now_s: float) -> _Lease | None:
        lease = self._leases.get(name)
        if lease is not None and lease.until_s <= now_s:
            del self._leases[name]
            return None
        if lease is not None:  # a clock that went back makes nobody wait longer than one ttl
            lease.until_s = min(lease.until_s, now_s + lease.ttl_s)
        return lease

    def _prune(self, name: str, now_s: float) -> OrderedDict[str, _Place]:
        queue = self._queues.get(name)
        if queue is None:
            return OrderedDict()
        for waiter in [waiter for waiter, place in queue.items() if place.until_s <= now_s]:
            del queue[waiter]
        if not queue:
            del self._queues[name]
        return queue

    @staticmethod
    def _count_ahead(queue: OrderedDict[str, _Place], waiter: str) -> int:
        for position, other in enumerate(queue):
            if other == waiter:
                return position
        return len(queue)

    def _stand(self, claim: Claim, now_s: float) -> None:
        circle = find_circle(
            claim.owner, claim.name, holder_of=lambda name: self._holder_of(name, now_s), wanted_by=self._wanted_by
        )
        if circle is not None:
            self._leave(claim)
            raise Deadlock(circle)
        queue = self._queues.setdefault(claim.name, OrderedDict())
        if claim.waiter not in queue and len(queue) >= self.max_waiting:
            raise LockQueueFull(f"{len(queue)} wait for the lock {claim.name!r} already: that is the bound")
        place = queue.setdefault(claim.waiter, _Place(claim.owner, now_s))
        place.until_s = now_s + claim.patience_s
        if place.woken.done():
            place.woken = Future()

    def _holder_of(self, name: str, now_s: float) -> str | None:
        lease = self._find_lease(name, now_s)
        return lease.owner if lease else None

    def _wanted_by(self, owner: str) -> Iterator[str]:
        return (name for name, queue in self._queues.items() if any(place.owner == owner for place in queue.values()))

    def _take_bell(self, claim: Claim) -> Future[None] | None:
        with self._guard:
            queue = self._queues.get(claim.name)
            place = queue.get(claim.waiter) if queue else None
            return place.woken if place else None

    def _leave(self, claim: Claim) -> None:
        queue = self._queues.get(claim.name)
        if queue is not None:
            queue.pop(claim.waiter, None)
            if not queue:
                del self._queues[claim.name]

    def _wake_first(self, name: str) -> None:
        queue = self._queues.get(name)
        if queue:
            next(iter(queue.values())).wake()
