"""A lock in somebody's hand: its fencing token, how long it lasts, and whether it is lost.

The time left is counted from before the store was asked, on the holder's own monotonic clock, so the holder
stops believing before the store does, whatever the wall clocks do.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from holdfast.resilience.locks.errors import LockLost, LockStoreAway

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.resilience.clocks import Clock
    from holdfast.resilience.locks.port import Claim, LockBackend

RENEWALS_PER_TTL: Final = 3


class Held:
    """A held lock; hand `token` to everything that is written under it."""

    __slots__ = ("_backend", "_claim", "_clock", "_freed", "_guard", "_loss", "_told", "_until_s", "depth", "token")

    def __init__(self, claim: Claim, token: int, *, backend: LockBackend, clock: Clock, sent_s: float) -> None:
        self.token = token
        self.depth = 1
        self._claim = claim
        self._backend = backend
        self._clock = clock
        self._until_s = sent_s + claim.ttl_s
        self._loss = ""
        self._guard = threading.Lock()
        self._told: list[Callable[[Held], None]] = []
        self._freed: Callable[[Held], None] | None = None

    def __repr__(self) -> str:
        """Name the lock and its token."""
        return f"Held({self.name!r}, token={self.token})"

    @property
    def name(self) -> str:
        """The lock's name."""
        return self._claim.name

    @property
    def owner(self) -> str:
        """Who holds it."""
        return self._claim.owner

    @property
    def ttl_s(self) -> float:
        """How long it lasts after each renewal."""
        return self._claim.ttl_s

    @property
    def remaining_s(self) -> float:
        """Seconds until it is lost unless it is renewed."""
        return max(0.0, self._until_s - self._clock.monotonic())

    @property
    def is_lost(self) -> bool:
        """Whether the lock is not ours any more; never turns back."""
        if not self._loss and self.remaining_s <= 0:
            self.lose(f"it was not renewed for {self.ttl_s:g} s")
        return bool(self._loss)

    def check(self) -> None:
        """Go on only while the lock is ours; call it before each thing that cannot be undone.

        Raises:
            LockLost: It is not.
        """
        if self.is_lost:
            raise self.loss()

    def loss(self) -> LockLost:
        """Give the error that tells of the loss."""
        return LockLost(f"lost the lock {self.name!r} (token {self.token}): {self._loss}", policy=self.name)

    def when_lost(self, callback: Callable[[Held], None]) -> None:
        """Have `callback` called at once when the lock is lost, in the task or thread that learns of it."""
        self._told.append(callback)

    def when_released(self, callback: Callable[[Held], None]) -> None:
        """Have `callback` called when the lock is given back."""
        self._freed = callback

    def lose(self, reason: str) -> None:
        """Note the loss and tell of it, once."""
        with self._guard:
            if self._loss:
                return
            self._loss = reason
        for callback in self._told:
            callback(self)

    async def renew(self) -> None:
        """Extend the lock to `ttl_s` from now.

        Raises:
            LockLost: It is not ours any more.
            LockStoreAway: Nobody answered; the lock lasts as long as it did.
        """
        sent_s = self._start_renewal()
        self._finish_renewal(sent_s, is_ours=await self._backend.renew_async(self._claim, self.token))

    def renew_sync(self) -> None:
        """Do what `renew` does, without an event loop."""
        sent_s = self._start_renewal()
        self._finish_renewal(sent_s, is_ours=self._backend.renew(self._claim, self.token))

    def _start_renewal(self) -> float:
        self.check()
        return self._clock.monotonic()

    def _finish_renewal(self, sent_s: float, *, is_ours: bool) -> None:
        if not is_ours:
            self.lose("its time was over for the store, which may have given it to somebody else")
        self.check()
        self._until_s = sent_s + self.ttl_s

    async def release(self) -> None:
        """Give the lock back.

        Raises:
            LockStoreAway: Nobody answered; the lock is free when its time is over.
        """
        self._note_release()
        await asyncio.shield(self._backend.release_async(self._claim, self.token))

    def release_sync(self) -> None:
        """Do what `release` does, without an event loop."""
        self._note_release()
        self._backend.release(self._claim, self.token)

    def _note_release(self) -> None:
        self._loss = self._loss or "it was given back"
        if self._freed is not None:
            self._freed(self)


async def keep(held: Held, clock: Clock) -> None:
    """Renew `held` again and again until it is lost; meant to run as a task of its own."""
    while not held.is_lost:
        await clock.sleep(_pause_s(held))
        try:
            async with asyncio.timeout(held.remaining_s):
                await held.renew()
        except LockLost:
            return
        except (LockStoreAway, TimeoutError):
            continue  # asked again while there is time; `is_lost` says when there is none


class Keeper:
    """Renews a lock from a thread of its own, for holders without an event loop."""

    __slots__ = ("_done", "_holder", "_thread")

    def __init__(self, held: Held) -> None:
        self._done = threading.Event()
        self._holder = threading.current_thread()
        self._thread = threading.Thread(target=self._keep, args=(held,), name=f"keeps-lock-{held.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the renewing; a renewal under way ends by itself."""
        self._done.set()

    def _keep(self, held: Held) -> None:
        while not held.is_lost and not self._done.wait(_pause_s(held)):
            if not self._holder.is_alive():  # it ended without giving the lock back
                return
            try:
                held.renew_sync()
            except LockLost:
                return
            except LockStoreAway:
                continue


def _pause_s(held: Held) -> float:
    return min(held.ttl_s / RENEWALS_PER_TTL, held.remaining_s)
