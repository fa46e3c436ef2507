"""Lets a caller through at a steady rate with some burst, each key on its own.

A token bucket kept as the time at which it would be full again, one number per key; full buckets need not be
kept. The arithmetic is the virtual scheduling form of the GCRA (ITU-T I.371). Limits that processes share
come later.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import RateLimited
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Hashable

P = ParamSpec("P")
T = TypeVar("T")


class RateLimit(Policy):
    """A token bucket per key; see `rate_limit`. Used as a policy, all calls share one bucket.

    `evicted` counts keys that were forgotten before their bucket was full, because the table was.
    """

    __slots__ = ("_full_at_s", "burst", "evicted", "max_keys", "rate")

    kind = "rate_limit"

    def __init__(self, name: str, *, rate: float, burst: int, max_keys: int, clock: Clock) -> None:
        if rate <= 0 or burst < 1 or max_keys < 1:
            raise ValueError(f"rate={rate}, burst={burst} and max_keys={max_keys} must be positive")
        super().__init__(name, clock=clock)
        self.rate = rate
        self.burst = burst
        self.max_keys = max_keys
        self.evicted = 0
        self._full_at_s: OrderedDict[Hashable, float] = OrderedDict()

    def __repr__(self) -> str:
        """Show rate and burst."""
        return f"RateLimit(rate={self.rate:g}, burst={self.burst})"

    def __len__(self) -> int:
        """Tell how many keys are remembered."""
        return len(self._full_at_s)

    def try_acquire(self, key: Hashable = None, *, cost: int = 1) -> float:
        """Take `cost` tokens of `key` if they are there.

        Returns:
            0.0 if they were taken; else the seconds after which they will be there, and nothing was taken.

        Raises:
            ValueError: `cost` is more than the burst, so that no wait would help.
        """
        if cost > self.burst:
            raise ValueError(f"cost {cost} is more than the burst {self.burst}: it could never be admitted")
        now_s = self._clock.monotonic()
        full_at_s = max(self._full_at_s.get(key, now_s), now_s) + cost / self.rate
        wait_s = full_at_s - self.burst / self.rate - now_s
        if wait_s > 1e-9:  # below this it is the rounding of a float
            return wait_s
        self._remember(key, full_at_s, now_s)
        return 0.0

    def release_idle(self) -> None:
        """Forget every key whose bucket is full again; the outcome of later calls does not change."""
        now_s = self._clock.monotonic()
        for key in [key for key, full_at_s in self._full_at_s.items() if full_at_s <= now_s]:
            del self._full_at_s[key]

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` if a token is there, else raise RateLimited, which says in how many seconds it will be."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            self._take()
            return await fn(*args, **kwargs)

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` if a token is there, else raise RateLimited, which says in how many seconds it will be."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            self._take()
            return fn(*args, **kwargs)

        return guarded

    def _take(self) -> None:
        wait_s = self.try_acquire()
        if wait_s:
            self._tell("refused", wait_s=wait_s)
            told = f"over {self.rate:g} calls per second; wait {wait_s:.3f} s"
            raise RateLimited(told, policy=self.name, retry_after_s=wait_s)

    def _remember(self, key: Hashable, full_at_s: float, now_s: float) -> None:
        table = self._full_at_s
        table[key] = full_at_s
        table.move_to_end(key)
        if len(table) > self.max_keys:
            _, forgotten_full_at_s = table.popitem(last=False)
            self.evicted += forgotten_full_at_s > now_s


def rate_limit(
    *, rate: float, burst: int = 1, max_keys: int = 10_000, name: str = "", clock: Clock = SYSTEM_CLOCK
) -> RateLimit:
    """Limit a rate, for each key on its own.

    Args:
        rate: Tokens per second that come back.
        burst: Tokens that a key may have saved up, and has at first.
        max_keys: How many keys are remembered, at about 200 bytes each; past it the key used longest ago is
            forgotten, and so starts with a full burst if it comes back.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number is not positive.
    """
    return RateLimit(name, rate=rate, burst=burst, max_keys=max_keys, clock=clock)
