"""One policy for each key (a host, a customer, a route), in bounded memory.

Only a policy that remembers nothing is forgotten; where all of them do, further keys share one, that of the key `*`.
Rates need none of this: `rate_limit` keeps its keys itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from typing import Any, Final, Generic, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK
from holdfast.resilience.events import Listener
from holdfast.resilience.policies import Policy

P = ParamSpec("P")
T = TypeVar("T")
PolicyT = TypeVar("PolicyT", bound=Policy)

_LOOKS: Final = 8  # so many of the keys used longest ago are asked whether they may be forgotten

OVERFLOW: Final = "*"
"""The key whose policy serves those for whom there is no place."""


class PerKey(Policy, Generic[PolicyT]):
    """A policy that asks `make` for one of its own for each key; see `per_key`.

    `overflowed` counts calls that had to share one.
    """

    __slots__ = ("_key", "_lock", "_make", "_overflow", "_policies", "max_keys", "overflowed")

    kind = "per_key"

    def __init__(
        self,
        name: str,
        make: Callable[[Hashable], PolicyT],
        *,
        key: Callable[..., Hashable],
        max_keys: int,
        listeners: Iterable[Listener] = (),
    ) -> None:
        if max_keys < 1:
            raise ValueError(f"max_keys={max_keys} must be positive")
        super().__init__(name, clock=SYSTEM_CLOCK, listeners=listeners)
        self.max_keys = max_keys
        self.overflowed = 0
        self._make = make
        self._key = key
        self._lock = threading.Lock()
        self._policies: OrderedDict[Hashable, PolicyT] = OrderedDict()
        self._overflow: PolicyT | None = None

    def __repr__(self) -> str:
        """Show how many keys there are."""
        return f"PerKey({self.name!r}, {len(self)} of {self.max_keys} keys)"

    def __len__(self) -> int:
        """Tell how many keys have a policy."""
        return len(self._policies)

    def of(self, key: Hashable) -> PolicyT:
        """Give the policy of `key`, made now if need be."""
        policies = self._policies
        try:
            policies.move_to_end(key)
            return policies[key]
        except KeyError:
            return self._add(key)

    def add_listener(self, listener: Listener) -> None:
        """Listen to the policies of all keys, those to come too."""
        with self._lock:
            super().add_listener(listener)
            for policy in self._policies.values():
                policy.add_listener(listener)

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` under the policy of the key of its arguments."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.of(self._key(*args, **kwargs)).call(fn, *args, **kwargs)

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` under the policy of the key of its arguments."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.of(self._key(*args, **kwargs)).call_sync(fn, *args, **kwargs)

        return guarded

    def _add(self, key: Hashable) -> PolicyT:
        with self._lock:
            if (policy := self._policies.get(key)) is not None:  # another thread added it since we looked
                return policy
            if len(self._policies) < self.max_keys or self._forget_an_idle_one():
                self._policies[key] = policy = self._prepare(key)
                return policy
            self.overflowed += 1
            if self._overflow is None:
                self._overflow = self._prepare(OVERFLOW)
            overflow = self._overflow
        self._tell("overflowed", keys=self.max_keys)
        return overflow

    def _prepare(self, key: Hashable) -> PolicyT:
        policy = self._make(key)
        for listener in self._listeners:
            policy.add_listener(listener)
        return policy

    def _forget_an_idle_one(self) -> bool:
        for _, key in zip(range(_LOOKS), list(self._policies), strict=False):
            if getattr(self._policies[key], "is_idle", True):
                del self._policies[key]
                return True
        return False


def per_key(
    make: Callable[[Hashable], PolicyT],
    *,
    key: Callable[..., Hashable],
    max_keys: int = 1000,
    name: str = "",
) -> PerKey[PolicyT]:
    """Give each key a policy of its own: `per_key(lambda host: breaker(name=host), key=lambda url: host_of(url))`.

    Args:
        make: Makes the policy of a key; `"*"` is the one that keys share when there is no place for another.
        key: Gives the key of a call from its arguments.
        max_keys: How many keys have a policy at a time.
        name: As events and messages shall call it.

    Raises:
        ValueError: `max_keys` is not positive.
    """
    return PerKey(name, make, key=key, max_keys=max_keys)
