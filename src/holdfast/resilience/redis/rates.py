"""Rates that processes share through Redis: asking and taking are one script, so nobody takes what another took.

When Redis is away `take` raises StoreAway; whether calls then go or stay is the rate limit's choice, not the store's.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from holdfast.resilience.ports import Taken
from holdfast.resilience.rate_rules import Gcra, SlidingWindow, TokenBucket
from holdfast.resilience.redis import rate_scripts
from holdfast.resilience.redis.connections import RedisServer, Step

if TYPE_CHECKING:
    from holdfast.resilience.clocks import Clock
    from holdfast.resilience.ports import RateRule

LONGEST_KEY: Final = 200


class RedisLimiterStore:
    """Keeps rates in Redis; a key that is idle expires there by itself."""

    __slots__ = ("_clock", "_give_back", "_take")

    def __init__(self, server: RedisServer, *, clock: Clock | None = None) -> None:
        """Go by the time of Redis, or by `clock` in a test."""
        self._take = Step(server, rate_scripts.TAKE)
        self._give_back = Step(server, rate_scripts.GIVE_BACK)
        self._clock = clock

    def take(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Take `cost` of `key`, now or in at most `most_wait_s`."""
        return _read_taken(self._take.run_sync(*self._describe(key, rule, cost, most_wait_s)))

    def give_back(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Return what was taken but will not be used."""
        self._give_back.run_sync(*self._describe(key, rule, cost, due_s))

    async def take_async(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Do as `take`."""
        return _read_taken(await self._take.run(*self._describe(key, rule, cost, most_wait_s)))

    async def give_back_async(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Do as `give_back`."""
        await self._give_back.run(*self._describe(key, rule, cost, due_s))

    def _describe(self, key: str, rule: RateRule, cost: float, seconds: float) -> tuple[str | float, ...]:
        numbers = _numbers_of(rule)
        place = f"{rule.kind}:{':'.join(f'{number:g}' for number in numbers)}:{key}"
        if len(place) > LONGEST_KEY:
            place = hashlib.sha256(place.encode()).hexdigest()
        now_s = self._clock.monotonic() if self._clock else -1.0
        return (place, repr(now_s), rule.kind, repr(float(cost)), repr(float(seconds)), *map(repr, numbers))


def _numbers_of(rule: RateRule) -> tuple[float, float, float]:
    match rule:
        case Gcra():
            return (float(rule.rate), float(rule.burst), 0.0)
        case TokenBucket():
            initial = rule.burst if rule.initial is None else min(rule.initial, rule.burst)
            return (float(rule.rate), float(rule.burst), float(initial))
        case SlidingWindow():
            return (float(rule.limit), float(rule.window_s), float(rule.slot_s))
    raise TypeError(f"Redis knows the rules gcra, token_bucket and sliding_window, not {rule!r}")


def _read_taken(answer: Any) -> Taken:
    is_admitted, wait_s, due_s = answer
    return Taken(bool(is_admitted), float(wait_s), float(due_s))
