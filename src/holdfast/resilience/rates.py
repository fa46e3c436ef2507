"""Lets calls through at a steady rate with some burst, each key on its own; who comes too soon is refused or waits.

The arithmetic is in `rate_rules`, state in memory or where processes share it (`ports.LimiterStore`). The one bucket of
a limit without keys is in `lone_buckets`, because it is on the way of every call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import RateLimited
from holdfast.resilience.forks import renew_after_fork
from holdfast.resilience.keyed_rates import KeyedRate
from holdfast.resilience.lone_buckets import LoneBucket
from holdfast.resilience.memory_stores import MemoryLimiterStore
from holdfast.resilience.policies import Policy
from holdfast.resilience.ports import LimiterStore, RateRule, Taken
from holdfast.resilience.rate_rules import Gcra, rate_rule

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place in the order of calls: go after `wait_s` seconds, or `give_back` what will not be used."""

    limit: RateLimit
    key: Hashable
    cost: float
    wait_s: float
    due_s: float

    def give_back(self) -> None:
        """Let somebody else have it."""
        self.limit._give_back(self.key, self.cost, self.due_s)  # noqa: SLF001 -- its own limit made it

    async def give_back_async(self) -> None:
        """Do as `give_back`."""
        await self.limit._give_back_async(self.key, self.cost, self.due_s)  # noqa: SLF001 -- its own limit made it


class RateLimit(Policy):
    """A rate for each key; see `rate_limit`. Calls share one unless `key` or `of` tells them apart."""

    __slots__ = (
        "__weakref__",
        "_cost",
        "_key",
        "_lone",
        "_memory",
        "_rule",
        "_store",
        "max_keys",
        "max_wait_s",
    )

    kind = "rate_limit"

    def __init__(
        self,
        name: str,
        rule: RateRule,
        *,
        key: Callable[..., Hashable] | None,
        cost: float | Callable[..., float],
        max_wait_s: float,
        max_keys: int,
        store: LimiterStore | None,
        clock: Clock,
    ) -> None:
        if max_wait_s < 0 or (not callable(cost) and not 0 < cost <= rule.most_cost):
            raise ValueError(
                f"max_wait_s={max_wait_s} is 0 or more, {cost=} more than 0 and at most {rule.most_cost:g}"
            )
        super().__init__(name, clock=clock)
        self.max_wait_s = max_wait_s
        self.max_keys = max_keys
        self._rule = rule
        self._key = key
        self._cost = cost
        self._memory = MemoryLimiterStore(max_keys=max_keys, clock=clock) if store is None else None
        self._store = store
        self._lone = LoneBucket(rule, clock) if store is None and isinstance(rule, Gcra) else None  # without a key
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        if self._lone is not None:
            self._lone.renew_lock()
        if self._memory is not None:
            self._memory.renew_lock()

    def __repr__(self) -> str:
        """Show the rule."""
        if isinstance(self._rule, Gcra):
            return f"RateLimit(rate={self._rule.rate:g}, burst={self._rule.burst:g})"
        return f"RateLimit({self._rule})"

    def __len__(self) -> int:
        """Tell how many keys are remembered in memory."""
        return len(self._memory) if self._memory is not None else 0

    @property
    def evicted(self) -> int:
        """How many keys were forgotten before their rate was whole again, because there were too many."""
        return self._memory.evicted if self._memory is not None else 0

    def try_acquire(self, key: Hashable = None, *, cost: float = 1) -> float:
        """Take `cost` of `key` if it is there.

        Returns:
            0.0 if it was taken; else the seconds after which it will be there, and nothing was taken.

        Raises:
            ValueError: `cost` is more than ever is there, so that no wait would help.
        """
        return self._take(key, cost, 0.0).wait_s

    async def try_acquire_async(self, key: Hashable = None, *, cost: float = 1) -> float:
        """Do as `try_acquire`, for a store that is asked over the network."""
        return (await self._take_async(key, cost, 0.0)).wait_s

    def reserve(self, key: Hashable = None, *, cost: float = 1, max_wait_s: float = 60.0) -> Reservation:
        """Take `cost` of `key` now for a later moment, at most `max_wait_s` away.

        Raises:
            RateLimited: The moment would be later; nothing was taken.
        """
        taken = self._take(key, cost, max_wait_s)
        if not taken.is_admitted:
            raise self._refuse(key, taken.wait_s)
        return Reservation(self, key, cost, taken.wait_s, taken.due_s)

    async def reserve_async(self, key: Hashable = None, *, cost: float = 1, max_wait_s: float = 60.0) -> Reservation:
        """Do as `reserve`."""
        taken = await self._take_async(key, cost, max_wait_s)
        if not taken.is_admitted:
            raise self._refuse(key, taken.wait_s)
        return Reservation(self, key, cost, taken.wait_s, taken.due_s)

    def acquire(self, key: Hashable = None, *, cost: float = 1) -> None:
        """Wait for `cost` of `key`, at most `max_wait_s`, in this thread.

        Raises:
            RateLimited: It would take longer.
        """
        reservation = self.reserve(key, cost=cost, max_wait_s=self.max_wait_s)
        if reservation.wait_s > 0:
            self._tell("waited", wait_s=reservation.wait_s)
            try:
                self._clock.sleep_sync(reservation.wait_s)
            except BaseException:
                reservation.give_back()
                raise

    async def acquire_async(self, key: Hashable = None, *, cost: float = 1) -> None:
        """Wait for `cost` of `key`, at most `max_wait_s`. Who is cancelled meanwhile gives it back.

        Raises:
            RateLimited: It would take longer.
        """
        reservation = await self.reserve_async(key, cost=cost, max_wait_s=self.max_wait_s)
        if reservation.wait_s > 0:
            self._tell("waited", wait_s=reservation.wait_s)
            try:
                await self._clock.sleep(reservation.wait_s)
            except asyncio.CancelledError:
                await asyncio.shield(reservation.give_back_async())
                raise

    def of(self, key: Hashable, *, cost: float = 1) -> KeyedRate:
        """Give the rate of one key as a policy: `async with limit.of(customer, cost=3):`."""
        return KeyedRate(self.name, partial(self.acquire, key, cost=cost), partial(self.acquire_async, key, cost=cost))

    def release_idle(self) -> None:
        """Forget every key whose rate is whole again; the outcome of later calls does not change."""
        if self._memory is not None:
            self._memory.release_idle()

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` when its rate allows; raise RateLimited, with the seconds, if that is later than `max_wait_s`."""
        if (lone := self._find_simple()) is not None:
            return lone.bind_async(fn, self.acquire_async)
        choose_key, cost = self._key, self._cost

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            key = None if choose_key is None else choose_key(*args, **kwargs)
            await self.acquire_async(key, cost=cost(*args, **kwargs) if callable(cost) else cost)
            return await fn(*args, **kwargs)

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` when its rate allows; raise RateLimited, with the seconds, if that is later than `max_wait_s`."""
        if (lone := self._find_simple()) is not None:
            return lone.bind_sync(fn, self.acquire)
        choose_key, cost = self._key, self._cost

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            key = None if choose_key is None else choose_key(*args, **kwargs)
            self.acquire(key, cost=cost(*args, **kwargs) if callable(cost) else cost)
            return fn(*args, **kwargs)

        return guarded

    def __enter__(self) -> Self:
        """Take one, or wait for it."""
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give nothing back: a rate counts beginnings."""

    async def __aenter__(self) -> Self:
        """Take one, or wait for it."""
        await self.acquire_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Give nothing back: a rate counts beginnings."""

    def _find_simple(self) -> LoneBucket | None:
        """Give the bucket of calls that all share one rate and take one each."""
        is_simple = self._key is None and self._cost == 1
        return self._lone if is_simple and self._lone is not None and self._lone.is_lock_free else None

    def _take(self, key: Hashable, cost: float, most_wait_s: float) -> Taken:
        self._check(cost)
        if self._memory is None:
            assert self._store is not None
            return self._store.take(self._place(key), self._rule, cost=cost, most_wait_s=most_wait_s)
        if key is None and self._lone is not None:
            return self._lone.take(cost, most_wait_s)
        return self._memory.take_of(key, self._rule, cost, most_wait_s)

    async def _take_async(self, key: Hashable, cost: float, most_wait_s: float) -> Taken:
        if self._store is None:
            return self._take(key, cost, most_wait_s)
        self._check(cost)
        return await self._store.take_async(self._place(key), self._rule, cost=cost, most_wait_s=most_wait_s)

    def _give_back(self, key: Hashable, cost: float, due_s: float) -> None:
        if self._memory is None:
            assert self._store is not None
            self._store.give_back(self._place(key), self._rule, cost=cost, due_s=due_s)
        elif key is None and self._lone is not None:
            self._lone.give_back(cost)
        else:
            self._memory.give_back_of(key, self._rule, cost, due_s)

    async def _give_back_async(self, key: Hashable, cost: float, due_s: float) -> None:
        if self._store is None:
            self._give_back(key, cost, due_s)
        else:
            await self._store.give_back_async(self._place(key), self._rule, cost=cost, due_s=due_s)

    def _place(self, key: Hashable) -> str:
        return self.name if key is None else f"{self.name}:{key}"

    def _check(self, cost: float) -> None:
        if not 0 < cost <= self._rule.most_cost:
            raise ValueError(f"cost {cost} is not between 0 and {self._rule.most_cost:g}: it could never be admitted")

    def _refuse(self, key: Hashable, wait_s: float) -> RateLimited:
        self._tell("refused", wait_s=wait_s, key=key)
        whose = "" if key is None else f" of {key!r}"
        told = f"over the rate{whose}, {self!r}; wait {wait_s:.3f} s"
        return RateLimited(told, policy=self.name, retry_after_s=wait_s)


def rate_limit(  # noqa: PLR0913 -- each number is a choice of its own, by keyword, with a default
    *,
    rate: float,
    burst: float = 1,
    per_s: float = 1.0,
    algorithm: str = "gcra",
    initial: float | None = None,
    key: Callable[..., Hashable] | None = None,
    cost: float | Callable[..., float] = 1,
    max_wait_s: float = 0.0,
    max_keys: int = 10_000,
    store: LimiterStore | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> RateLimit:
    """Limit a rate, for each key on its own.

    Args:
        rate: So many calls,
        per_s: in so many seconds.
        burst: Calls that may come at once after a rest. A sliding window has none: the whole rate may.
        algorithm: "gcra" (a bucket that is one number), "token_bucket" (one that may start with `initial` tokens) or
            "sliding_window" (never more than `rate` in any `per_s` seconds).
        initial: With what a token bucket starts; full by default.
        key: Gives the key of a call from its arguments; all calls share one rate by default.
        cost: What a call takes, or a function that tells from its arguments.
        max_wait_s: Who comes too soon waits up to so many seconds, first come, first served; 0 refuses.
        max_keys: How many keys are remembered, at about 200 bytes each; past it the key used longest ago is
            forgotten, and so starts with a full burst if it comes back.
        store: Where processes share the rate; in this process's memory by default. It shares by `name`.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number means nothing, or a store is given without a name.
    """
    if store is not None and not name:
        raise ValueError("processes share a rate by its name: give name=")
    rule = rate_rule(algorithm, rate=rate, burst=burst, per_s=per_s, initial=initial)
    return RateLimit(name, rule, key=key, cost=cost, max_wait_s=max_wait_s, max_keys=max_keys, store=store, clock=clock)
