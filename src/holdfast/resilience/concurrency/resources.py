"""A pool of things that are dear to make, such as connections: bounded, checked before use, replaced when old, fair.

`ResourcePool` serves threads, `AsyncResourcePool` tasks. What is inside is the user's; how long one may keep it, too.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.concurrency.errors import PoolClosed, PoolExhausted
from holdfast.resilience.concurrency.places import Places

R = TypeVar("R")

__all__ = ["AsyncResourcePool", "Lease", "ResourcePool"]


@dataclass(slots=True)
class Lease(Generic[R]):
    """A resource in use. Set `is_broken` when it must not be used again; an error in the block does so too."""

    resource: R
    made_s: float
    given_s: float
    is_broken: bool = False


class _Shelf(Generic[R]):
    """What is at hand, and what of it is still good; both pools keep their resources here."""

    def __init__(self, size: int, *, max_age_s: float, max_idle_s: float, clock: Clock) -> None:
        if max_age_s <= 0 or max_idle_s <= 0:
            raise ValueError(f"max_age_s={max_age_s} and max_idle_s={max_idle_s} must be positive")
        self.places = Places(size)
        self.clock = clock
        self.is_closed = False
        self._idle: deque[Lease[R]] = deque()
        self._max_age_s = max_age_s
        self._max_idle_s = max_idle_s

    @property
    def idle(self) -> int:
        """How many are at hand."""
        return len(self._idle)

    def pick(self) -> Lease[R] | None:
        """Give what was used last, or None when there is nothing."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def is_good(self, lease: Lease[R]) -> bool:
        """Tell whether it is neither broken nor too old."""
        now_s = self.clock.monotonic()
        is_young = now_s - lease.made_s < self._max_age_s and now_s - lease.given_s < self._max_idle_s
        return is_young and not lease.is_broken and not self.is_closed

    def put(self, lease: Lease[R]) -> None:
        """Take it back."""
        lease.given_s = self.clock.monotonic()
        self._idle.append(lease)

    def wrap(self, resource: R) -> Lease[R]:
        """Begin its life."""
        now_s = self.clock.monotonic()
        return Lease(resource, now_s, now_s)

    def empty(self) -> Iterator[Lease[R]]:
        """Give everything at hand, for the last time."""
        self.is_closed = True
        while (lease := self.pick()) is not None:
            yield lease

    def refuse_if_closed(self) -> None:
        """Let nobody in after the end."""
        if self.is_closed:
            raise PoolClosed("the pool lends no more: it was closed")


class ResourcePool(Generic[R]):
    """Lends at most `size` resources to threads: `with pool.lease() as lease: lease.resource`."""

    def __init__(
        self,
        make: Callable[[], R],
        *,
        size: int,
        close: Callable[[R], Any] = lambda _: None,
        check: Callable[[R], bool] = lambda _: True,
        max_age_s: float = inf,
        max_idle_s: float = inf,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._make, self._close, self._check = make, close, check
        self._shelf: _Shelf[R] = _Shelf(size, max_age_s=max_age_s, max_idle_s=max_idle_s, clock=clock)

    @property
    def idle(self) -> int:
        """How many resources are at hand."""
        return self._shelf.idle

    @contextmanager
    def lease(self, *, wait_s: float | None = 30.0) -> Iterator[Lease[R]]:
        """Lend a resource that passed its check, first come first served.

        Raises:
            PoolExhausted: None came back within `wait_s`.
        """
        if not self._shelf.places.take(wait_s):
            raise PoolExhausted(f"no resource came back within {wait_s} s")
        try:
            self._shelf.refuse_if_closed()
            lease = self._find()
            try:
                yield lease
            except BaseException:
                lease.is_broken = True
                raise
            finally:
                self._take_back(lease)
        finally:
            self._shelf.places.give_back()

    def close(self) -> None:
        """Lend no more; close what is at hand now, and what is in use when it comes back."""
        for lease in self._shelf.empty():
            self._close(lease.resource)

    def _find(self) -> Lease[R]:
        while (lease := self._shelf.pick()) is not None:
            if self._shelf.is_good(lease) and self._check(lease.resource):
                return lease
            self._close(lease.resource)
        return self._shelf.wrap(self._make())

    def _take_back(self, lease: Lease[R]) -> None:
        lease.given_s = self._shelf.clock.monotonic()
        if self._shelf.is_good(lease):
            self._shelf.put(lease)
        else:
            self._close(lease.resource)


class AsyncResourcePool(Generic[R]):
    """Lends at most `size` resources to tasks: `async with pool.lease() as lease: lease.resource`.

    `make`, `close` and `check` may be async. How long to wait is for `asyncio.timeout` or a policy to say.
    """

    def __init__(
        self,
        make: Callable[[], R | Awaitable[R]],
        *,
        size: int,
        close: Callable[[R], Any] = lambda _: None,
        check: Callable[[R], bool | Awaitable[bool]] = lambda _: True,
        max_age_s: float = inf,
        max_idle_s: float = inf,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._make, self._close, self._check = make, close, check
        self._shelf: _Shelf[R] = _Shelf(size, max_age_s=max_age_s, max_idle_s=max_idle_s, clock=clock)

    @property
    def idle(self) -> int:
        """How many resources are at hand."""
        return self._shelf.idle

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease[R]]:
        """Lend a resource that passed its check, first come first served."""
        await self._shelf.places.take_async()
        try:
            self._shelf.refuse_if_closed()
            lease = await self._find()
            try:
                yield lease
            except BaseException:
                lease.is_broken = True
                raise
            finally:
                await self._take_back(lease)
        finally:
            self._shelf.places.give_back()

    async def aclose(self) -> None:
        """Lend no more; close what is at hand now, and what is in use when it comes back."""
        for lease in self._shelf.empty():
            await _settle(self._close(lease.resource))

    async def _find(self) -> Lease[R]:
        while (lease := self._shelf.pick()) is not None:
            if self._shelf.is_good(lease) and await _settle(self._check(lease.resource)):
                return lease
            await _settle(self._close(lease.resource))
        return self._shelf.wrap(await _settle(self._make()))

    async def _take_back(self, lease: Lease[R]) -> None:
        lease.given_s = self._shelf.clock.monotonic()
        if self._shelf.is_good(lease):
            self._shelf.put(lease)
        else:
            await _settle(self._close(lease.resource))


async def _settle(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
