"""What shared state asks of a store, so that breakers, limits and caches of many processes agree.

Stores in memory are in `memory_stores`; Redis and SQL ones are extras. A store judges by its own time (that of its
server, where it has one) and takes a `clock` for tests. Each verb has an async twin; an adapter that was given a client
of the other kind refuses with a TypeError that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

RateState = tuple[float, ...]
"""All that a rate rule remembers of one key, the time it last saw first; empty for a key never seen."""


class RateRule(Protocol):
    """The arithmetic of one rate: pure, so that a store may run it under its lock, or its like at its server."""

    @property
    def kind(self) -> str:
        """Which arithmetic: "gcra", "token_bucket" or "sliding_window"."""
        ...

    @property
    def most_cost(self) -> float:
        """The largest cost that any wait could admit."""
        ...

    def admit(self, state: RateState, now_s: float, cost: float, most_wait_s: float) -> tuple[RateState, float]:
        """Give the state after admitting `cost`, with the seconds to wait before it may go.

        A wait over `most_wait_s` is a refusal, which takes nothing; the state may have moved on with time all the same.
        """
        ...

    def give_back(self, state: RateState, due_s: float, cost: float) -> RateState:
        """Undo an admission that was due at `due_s`."""
        ...

    def idle_from_s(self, state: RateState) -> float:
        """Tell from when on `state` means the same as an empty one."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What a limiter's store answered: wait `wait_s`, then go; or, if not admitted, nothing was taken.

    `due_s` is the moment of going on the store's clock; `give_back` asks for it.
    """

    is_admitted: bool
    wait_s: float
    due_s: float


class LimiterStore(Protocol):
    """Keeps the rate of each key. Taking is atomic: two processes never take the same token."""

    def take(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Take `cost` of `key`, now or in at most `most_wait_s`; first come, first served."""
        ...

    def give_back(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Return what was taken but will not be used."""
        ...

    async def take_async(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Do as `take`."""
        ...

    async def give_back_async(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Do as `give_back`."""
        ...


@dataclass(frozen=True, slots=True)
class BreakerRecord:
    """What processes share of a breaker.

    Attributes:
        version: How often the record was changed; 0 where there is none yet.
        state: "closed", "open", "half_open" or "isolated".
        since_s: When it came to this state, on the store's clock.
        wait_s: How long it stays open, or how long its probes have, from `since_s` on.
        failed_probes: How many probes failed since it was last closed.
    """

    version: int = 0
    state: str = "closed"
    since_s: float = 0.0
    wait_s: float = 0.0
    failed_probes: int = 0


class BreakerStore(Protocol):
    """Keeps one record per breaker's name, changed by compare-and-set: of two that change it at once, one loses."""

    def read(self, name: str) -> tuple[BreakerRecord, float]:
        """Give the record, or one of version 0, with the store's time in seconds."""
        ...

    def swap(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Put `record` in place if the version there still is `seen_version` (0: none there); forget it after `keep_s`.

        The record's own version is one more than `seen_version`: that is for the caller to see to.

        Returns:
            Whether it was put.
        """
        ...

    async def read_async(self, name: str) -> tuple[BreakerRecord, float]:
        """Do as `read`."""
        ...

    async def swap_async(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Do as `swap`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A cached value as it came out of a store.

    Attributes:
        body: The bytes that were put.
        fresh_s: For how many seconds more it is fresh; negative once it is stale.
    """

    body: bytes
    fresh_s: float


class CacheStore(Protocol):
    """Keeps bytes for a time. It may forget a value at any moment, and never gives one that is over its time."""

    def get(self, key: str) -> StoredValue | None:
        """Give the value of `key` if there is one, fresh or stale."""
        ...

    def put(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        """Keep `body` for `keep_s` seconds, of which it is fresh for the first `fresh_s`."""
        ...

    def remove(self, key: str) -> None:
        """Forget `key`; one that is not there is no fault."""
        ...

    def clear(self) -> None:
        """Forget all that this store's name space holds."""
        ...

    async def get_async(self, key: str) -> StoredValue | None:
        """Do as `get`."""
        ...

    async def put_async(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        """Do as `put`."""
        ...

    async def remove_async(self, key: str) -> None:
        """Do as `remove`."""
        ...

    async def clear_async(self) -> None:
        """Do as `clear`."""
        ...
