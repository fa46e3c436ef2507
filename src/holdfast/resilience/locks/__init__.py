"""Locks that processes share: one holder at a time, in turn, for a limited time, with a token that tells zombies.

Owns locks, their fencing and the port of their stores; `MemoryLocks` is one, `holdfast.resilience.sql` and
`holdfast.resilience.redis` have the others. Refuses to promise that two holders never overlap: no lock with an
expiry can, which is why every write should carry the token.
"""

from holdfast.resilience.locks.circles import Circle
from holdfast.resilience.locks.errors import (
    Deadlock,
    LockError,
    LockLost,
    LockQueueFull,
    LockStoreAway,
    LockTimeout,
    StaleToken,
)
from holdfast.resilience.locks.fences import Fence
from holdfast.resilience.locks.holds import Held
from holdfast.resilience.locks.locking import Lock, LockTerms, lock
from holdfast.resilience.locks.memory import MemoryLocks
from holdfast.resilience.locks.owners import current_owner
from holdfast.resilience.locks.port import Answer, Claim, Grant, LockBackend, Refusal

__all__ = [
    "Answer",
    "Circle",
    "Claim",
    "Deadlock",
    "Fence",
    "Grant",
    "Held",
    "Lock",
    "LockBackend",
    "LockError",
    "LockLost",
    "LockQueueFull",
    "LockStoreAway",
    "LockTerms",
    "LockTimeout",
    "MemoryLocks",
    "Refusal",
    "StaleToken",
    "current_owner",
    "lock",
]
