"""What a store must do to keep locks; memory, SQL tables, PostgreSQL's advisory locks and Redis do it.

Each verb has an async twin. A backend judges by its own time (that of its server, where it has one) and takes a `clock`
for tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants which lock, and for how long.

    Attributes:
        owner: Who asks, as deadlock detection and messages name it.
        waiter: This one attempt, unique; it keeps the place in the queue.
        ttl_s: How long the lock is held unless renewed.
        patience_s: How long a place in the queue is kept without asking again; 0 takes no place.
    """

    name: str
    owner: str
    waiter: str
    ttl_s: float
    patience_s: float


@dataclass(frozen=True, slots=True)
class Grant:
    """The lock is the claimer's. `token` is larger than that of every earlier grant of this lock."""

    token: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody else holds the lock or stands before us.

    Attributes:
        holder: The owner who holds it; empty when it is free for the first in the queue.
        ahead: How many stand before us.
        free_in_s: When the holder's time is over unless it renews.
    """

    holder: str
    ahead: int
    free_in_s: float


Answer = Grant | Refusal


class LockBackend(Protocol):
    """Keeps locks, first come first served."""

    def claim(self, claim: Claim) -> Answer:
        """Take the lock if it is free and nobody stands before; else stand in the queue.

        Raises:
            Deadlock: Waiting would never end.
            LockQueueFull: The queue has its bound.
            LockStoreAway: The store does not answer.
        """
        ...

    def wait(self, claim: Claim, answer: Refusal, seconds: float) -> None:
        """Return when it may pay to claim again after `answer`, in `seconds` at the latest."""
        ...

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue."""
        ...

    def renew(self, claim: Claim, token: int) -> bool:
        """Hold the lock for `ttl_s` from now; False when it is not ours any more."""
        ...

    def release(self, claim: Claim, token: int) -> None:
        """Give the lock back; nothing happens when it is not ours any more."""
        ...

    async def claim_async(self, claim: Claim) -> Answer:
        """Do as `claim`."""
        ...

    async def wait_async(self, claim: Claim, answer: Refusal, seconds: float) -> None:
        """Do as `wait`."""
        ...

    async def withdraw_async(self, claim: Claim) -> None:
        """Do as `withdraw`."""
        ...

    async def renew_async(self, claim: Claim, token: int) -> bool:
        """Do as `renew`."""
        ...

    async def release_async(self, claim: Claim, token: int) -> None:
        """Do as `release`."""
        ...
