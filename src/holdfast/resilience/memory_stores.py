"""The stores of one process: what tests use, and what stands in until processes must agree.

Each is bounded and forgets what was used longest ago; threads may share it. Nothing here ever waits, so the async verbs
are the sync ones.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.ports import BreakerRecord, RateRule, RateState, StoredValue, Taken


class MemoryLimiterStore:
    """Keeps rates of at most `max_keys` keys, at about 200 bytes each; see `LimiterStore`.

    `evicted` counts keys that were forgotten while their state still meant something.
    """

    __slots__ = ("_clock", "_lock", "_states", "evicted", "max_keys")

    def __init__(self, *, max_keys: int = 10_000, clock: Clock = SYSTEM_CLOCK) -> None:
        if max_keys < 1:
            raise ValueError(f"max_keys={max_keys} must be positive")
        self.max_keys = max_keys
        self.evicted = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[Hashable, RateRule], RateState] = OrderedDict()

    def renew_lock(self) -> None:
        """Start anew in a forked child, where a lock that was held at the fork would never be free."""
        self._lock = threading.Lock()

    def release_idle(self) -> None:
        """Forget every key whose state means nothing any more."""
        with self._lock:
            now_s = self._clock.monotonic()
            for place in [place for place, state in self._states.items() if place[1].idle_from_s(state) <= now_s]:
                del self._states[place]

    def __len__(self) -> int:
        """Tell how many keys are remembered."""
        return len(self._states)

    def take(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Take `cost` of `key`, now or in at most `most_wait_s`."""
        return self.take_of(key, rule, cost, most_wait_s)

    def take_of(self, key: Hashable, rule: RateRule, cost: float, most_wait_s: float) -> Taken:
        """Take `cost` of any kind of key: in memory it need not be text."""
        with self._lock:
            now_s = self._clock.monotonic()
            place = (key, rule)
            state, wait_s = rule.admit(self._states.get(place, ()), now_s, cost, most_wait_s)
            self._states[place] = state
            self._states.move_to_end(place)
            if len(self._states) > self.max_keys:
                (_, forgotten_rule), forgotten = self._states.popitem(last=False)
                self.evicted += forgotten_rule.idle_from_s(forgotten) > now_s
        return Taken(wait_s <= most_wait_s, wait_s, now_s + wait_s)

    def give_back(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Return what was taken but will not be used."""
        self.give_back_of(key, rule, cost, due_s)

    def give_back_of(self, key: Hashable, rule: RateRule, cost: float, due_s: float) -> None:
        """Return what `take_of` took."""
        with self._lock:
            if (state := self._states.get((key, rule))) is not None:
                self._states[key, rule] = rule.give_back(state, due_s, cost)

    async def take_async(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Do as `take`."""
        return self.take(key, rule, cost=cost, most_wait_s=most_wait_s)

    async def give_back_async(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Do as `give_back`."""
        self.give_back(key, rule, cost=cost, due_s=due_s)


class MemoryBreakerStore:
    """Keeps records of at most `max_keys` breakers; see `BreakerStore`."""

    __slots__ = ("_clock", "_lock", "_records", "max_keys")

    def __init__(self, *, max_keys: int = 10_000, clock: Clock = SYSTEM_CLOCK) -> None:
        self.max_keys = max_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._records: OrderedDict[str, tuple[BreakerRecord, float]] = OrderedDict()

    def read(self, name: str) -> tuple[BreakerRecord, float]:
        """Give the record, or one of version 0, with the time."""
        with self._lock:
            return self._read(name)

    def _read(self, name: str) -> tuple[BreakerRecord, float]:
        now_s = self._clock.monotonic()
        record, over_s = self._records.get(name, (BreakerRecord(), now_s))
        return (record if now_s < over_s else BreakerRecord()), now_s

    def swap(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Put `record` in place if the version there still is `seen_version`."""
        with self._lock:
            present, now_s = self._read(name)
            if present.version != seen_version:
                return False
            self._records[name] = (record, now_s + keep_s)
            self._records.move_to_end(name)
            if len(self._records) > self.max_keys:
                self._records.popitem(last=False)
            return True

    async def read_async(self, name: str) -> tuple[BreakerRecord, float]:
        """Do as `read`."""
        return self.read(name)

    async def swap_async(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Do as `swap`."""
        return self.swap(name, seen_version, record, keep_s=keep_s)


_ENTRY_BYTES: Final = 200  # what an entry costs beside its key and body, so that empty values are bounded too


class MemoryCacheStore:
    """Keeps at most `max_bytes` of keys and values; see `CacheStore`."""

    __slots__ = ("_clock", "_lock", "_values", "max_bytes", "used_bytes")

    def __init__(self, *, max_bytes: int = 64 * 1024 * 1024, clock: Clock = SYSTEM_CLOCK) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[bytes, float, float]] = OrderedDict()

    def get(self, key: str) -> StoredValue | None:
        """Give the value of `key` if there is one, fresh or stale."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            body, fresh_until_s, over_s = found
            now_s = self._clock.monotonic()
            if now_s >= over_s:
                self._remove(key)
                return None
            self._values.move_to_end(key)
            return StoredValue(body, fresh_until_s - now_s)

    def put(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        """Keep `body`; one larger than the whole store is not kept."""
        now_s = self._clock.monotonic()
        with self._lock:
            self._remove(key)
            if _weigh(key, body) > self.max_bytes:
                return
            self._values[key] = (body, now_s + fresh_s, now_s + keep_s)
            self.used_bytes += _weigh(key, body)
            while self.used_bytes > self.max_bytes:
                self._remove(next(iter(self._values)))

    def _remove(self, key: str) -> None:
        if (found := self._values.pop(key, None)) is not None:
            self.used_bytes -= _weigh(key, found[0])

    def remove(self, key: str) -> None:
        """Forget `key`."""
        with self._lock:
            self._remove(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self.used_bytes = 0

    async def get_async(self, key: str) -> StoredValue | None:
        """Do as `get`."""
        return self.get(key)

    async def put_async(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        """Do as `put`."""
        self.put(key, body, fresh_s=fresh_s, keep_s=keep_s)

    async def remove_async(self, key: str) -> None:
        """Do as `remove`."""
        self.remove(key)

    async def clear_async(self) -> None:
        """Do as `clear`."""
        self.clear()


def _weigh(key: str, body: bytes) -> int:
    return len(key) + len(body) + _ENTRY_BYTES
