"""What goes wrong with a lock; each error names the lock and, where it is known, who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.resilience.errors import ResilienceError, StoreAway

if TYPE_CHECKING:
    from holdfast.resilience.locks.circles import Circle


class LockError(ResilienceError):
    """The root of all errors of locks."""


class LockTimeout(LockError, TimeoutError):
    """The lock did not become free in the time given; nothing was done under it."""


class LockLost(LockError):
    """The lock is no longer ours: it expired, or the store gave it to somebody else. What runs now runs unguarded."""


class LockQueueFull(LockError):
    """As many as allowed wait for this lock already."""


class LockStoreAway(LockError, StoreAway):
    """The store of the locks does not answer. Nobody gets a lock meanwhile: locks fail closed."""


class Deadlock(LockError):
    """Waiting would never end, because the holder waits, directly or through others, for the one who asks.

    `circle` is the way round: pairs of an owner and the lock that it waits for.
    """

    def __init__(self, circle: Circle) -> None:
        owners = [owner for owner, _ in circle]
        steps = [
            f"{owner!r} waits for {name!r}, held by {holder!r}"
            for (owner, name), holder in zip(circle, [*owners[1:], owners[0]], strict=True)
        ]
        alone = "; pass reentrant=True if it may take its own lock again" if len(circle) == 1 else ""
        super().__init__(f"deadlock: {', '.join(steps)}{alone}")
        self.circle = circle


class StaleToken(LockError):
    """A write came with a fencing token older than one already seen: its sender lost the lock and does not know."""
