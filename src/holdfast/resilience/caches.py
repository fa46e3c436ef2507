"""Keeps answers for a while: one caller fetches, the others wait for him, and a stale answer may bridge a failure.

Where values are kept is in `cache_backends`, who fetches for whom in `single_flight`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Final, ParamSpec, TypeVar, cast

from holdfast.resilience.cache_backends import Codec, JsonCodec, MemoryBackend, StoreBackend
from holdfast.resilience.cached_values import CachedValue, CacheStatistics, Lifetimes, ValueTable
from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.deadlines import without_deadline
from holdfast.resilience.degradation import Degraded, DegradedTo, report
from holdfast.resilience.forks import renew_after_fork
from holdfast.resilience.policies import Policy
from holdfast.resilience.ports import CacheStore
from holdfast.resilience.single_flight import Flight, SingleFlight

P = ParamSpec("P")
T = TypeVar("T")

MOST_REFRESHES: Final = 100  # so many stale values are fetched anew in the background at a time


class Cache(Policy):
    """A cache, as a decorator or by hand; see `cache`.

    By hand: `await c.get_or_fetch(key, fetch)`, `c.get_or_fetch_sync(key, fetch)`, `c.put(key, value)`,
    `c.invalidate(key)`.
    """

    __slots__ = (
        "__weakref__",
        "_backend",
        "_counts",
        "_flights",
        "_keep_if",
        "_key",
        "_lives",
        "_negative_on",
        "_refreshes",
        "_rng",
        "_table",
    )

    kind = "cache"

    def __init__(
        self,
        name: str,
        lives: Lifetimes,
        *,
        table: ValueTable,
        key: Callable[..., Hashable] | None,
        keep_if: Callable[[Any], bool] | None,
        negative_on: tuple[type[Exception], ...],
        rng: random.Random,
        clock: Clock,
    ) -> None:
        super().__init__(name, clock=clock)
        self._lives = lives
        self._table = table
        self._backend: MemoryBackend | StoreBackend = MemoryBackend(table)
        self._key = key
        self._keep_if = keep_if
        self._negative_on = negative_on
        self._rng = rng
        self._flights = SingleFlight()
        self._counts = CacheStatistics()
        self._refreshes: set[asyncio.Task[None]] = set()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._table.renew_lock()
        self._refreshes = set()
        self._rng.seed()  # children that draw the same jitter would expire in step

    def keep_in(self, store: CacheStore, codec: Codec) -> None:
        """Keep values in a store that processes share."""
        if self._negative_on:
            raise ValueError("errors are kept in memory only: negative_on and store exclude each other")
        self._backend = StoreBackend(store, codec, self.name, lambda error: self._tell("store_failed", error))

    def __repr__(self) -> str:
        """Show how full it is."""
        return f"Cache({self.name!r}, {len(self._table)} of {self._table.max_entries} entries)"

    def __len__(self) -> int:
        """Tell how many values are in memory."""
        return len(self._table)

    @property
    def statistics(self) -> CacheStatistics:
        """What became of the questions so far; approximate where threads ask at once."""
        counts = self._counts
        counts.waited, counts.evicted, counts.entries = self._flights.waited, self._table.evicted, len(self._table)
        return counts

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Answer from the cache, calling `fn` for what is not there."""
        make_key, look = self._bind_key(fn), self._look_for_fresh()

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            key = make_key(*args, **kwargs)
            found = look(key)
            if found is not None:
                return cast("T", found.value)
            return cast("T", await self.get_or_fetch(key, lambda: fn(*args, **kwargs)))

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Answer from the cache, calling `fn` for what is not there."""
        make_key, look = self._bind_key(fn), self._look_for_fresh()

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            key = make_key(*args, **kwargs)
            found = look(key)
            if found is not None:
                return cast("T", found.value)
            return cast("T", self.get_or_fetch_sync(key, lambda: fn(*args, **kwargs)))

        return guarded

    def _look_for_fresh(self) -> Callable[[Hashable], CachedValue | None]:
        """Give the short way to a value that is at hand."""
        if isinstance(self._backend, StoreBackend):
            return lambda _: None
        get, monotonic, counts = self._table.get, self._clock.monotonic, self._counts

        def look(key: Hashable) -> CachedValue | None:
            now_s = monotonic()
            found = get(key, now_s)
            if found is None or found.error is not None or now_s >= found.fresh_until_s:
                return None
            counts.hits += 1
            return found

        return look

    async def get_or_fetch(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """Give the value of `key`, awaiting `fetch` if it is not there; callers at the same time share one fetch."""
        now_s = self._clock.monotonic()
        found = await self._backend.look_async(key, now_s)
        if found is not None:
            if now_s < found.fresh_until_s:
                self._counts.hits += 1
                return self._give(found)
            if now_s < found.fresh_until_s + self._lives.stale_s and found.error is None:
                self._counts.stale_hits += 1
                self._start_refresh(key, fetch)
                return found.value
        self._counts.misses += 1
        try:
            return await self._flights.run_async(key, lambda flight: self._fetch_async(key, fetch, flight))
        except Exception as error:  # noqa: BLE001 -- the fence of a request: a stale answer bridges it, or it is raised
            return self._bridge(found, error)

    def get_or_fetch_sync(self, key: Hashable, fetch: Callable[[], Any]) -> Any:
        """Do as `get_or_fetch` in a thread. The first who finds a value stale fetches; the others get the stale one."""
        now_s = self._clock.monotonic()
        found = self._backend.look(key, now_s)
        is_stale = False
        if found is not None:
            if now_s < found.fresh_until_s:
                self._counts.hits += 1
                return self._give(found)
            is_stale = now_s < found.fresh_until_s + self._lives.stale_s and found.error is None
            if is_stale and self._flights.is_flying(key):
                self._counts.stale_hits += 1
                return found.value
        self._counts.misses += 1
        try:
            return self._flights.run(key, lambda flight: self._fetch(key, fetch, flight))
        except Exception as error:  # noqa: BLE001 -- the fence of a request: a stale answer bridges it, or it is raised
            if is_stale and found is not None:
                self._tell("refresh_failed", error, key=key)
                return found.value
            return self._bridge(found, error)

    def put(self, key: Hashable, value: Any) -> None:
        """Keep `value` as if it had been fetched now."""
        now_s = self._clock.monotonic()
        self._backend.keep(key, self._age(value, None, now_s), now_s)

    async def put_async(self, key: Hashable, value: Any) -> None:
        """Do as `put`."""
        now_s = self._clock.monotonic()
        await self._backend.keep_async(key, self._age(value, None, now_s), now_s)

    def key_of(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Hashable:
        """Give the key under which a decorated function's answer to these arguments is kept."""
        return self._bind_key(getattr(fn, "__wrapped__", fn))(*args, **kwargs)

    def invalidate(self, key: Hashable) -> None:
        """Forget the value of `key`. A fetch of it that is under way is not kept: it may have read the old value."""
        self._flights.forget(lambda flying: flying == key)
        self._backend.remove(key)
        self._tell("invalidated", key=key)

    async def invalidate_async(self, key: Hashable) -> None:
        """Do as `invalidate`."""
        self._flights.forget(lambda flying: flying == key)
        await self._backend.remove_async(key)
        self._tell("invalidated", key=key)

    def invalidate_where(self, test: Callable[[Hashable], bool]) -> int:
        """Forget the values in memory whose keys pass `test`; give their number."""
        self._flights.forget(test)
        return self._table.remove_where(test)

    def clear(self) -> None:
        """Forget everything."""
        self._flights.forget(lambda _: True)
        self._backend.clear()

    async def clear_async(self) -> None:
        """Do as `clear`."""
        self._flights.forget(lambda _: True)
        await self._backend.clear_async()

    def _bind_key(self, fn: Callable[..., Any]) -> Callable[..., Hashable]:
        if self._key is not None:
            return self._key
        whose = (getattr(fn, "__module__", ""), getattr(fn, "__qualname__", repr(fn)))
        return lambda *args, **kwargs: (whose, args, tuple(sorted(kwargs.items()))) if kwargs else (whose, args)

    async def _fetch_async(self, key: Hashable, fetch: Callable[[], Awaitable[Any]], flight: Flight) -> Any:
        begun_s = self._clock.monotonic()
        found = await self._backend.look_async(key, begun_s)
        if found is not None and begun_s < found.fresh_until_s:  # somebody fetched it since we looked
            return self._give(found)
        try:
            value = await fetch()
        except Exception as error:
            self._note_failure(key, error, flight)
            raise
        if self._is_kept(key, value, flight, begun_s):
            now_s = self._clock.monotonic()
            await self._backend.keep_async(key, self._age(value, None, now_s), now_s)
        return value

    def _fetch(self, key: Hashable, fetch: Callable[[], Any], flight: Flight) -> Any:
        begun_s = self._clock.monotonic()
        found = self._backend.look(key, begun_s)
        if found is not None and begun_s < found.fresh_until_s:
            return self._give(found)
        try:
            value = fetch()
        except Exception as error:
            self._note_failure(key, error, flight)
            raise
        if self._is_kept(key, value, flight, begun_s):
            now_s = self._clock.monotonic()
            self._backend.keep(key, self._age(value, None, now_s), now_s)
        return value

    def _is_kept(self, key: Hashable, value: Any, flight: Flight, begun_s: float) -> bool:
        self._tell("fetched", key=key, seconds=self._clock.monotonic() - begun_s)
        return not flight.is_outdated and (self._keep_if is None or self._keep_if(value))

    def _note_failure(self, key: Hashable, error: Exception, flight: Flight) -> None:
        self._counts.failures += 1
        if self._negative_on and isinstance(error, self._negative_on) and not flight.is_outdated:
            now_s = self._clock.monotonic()
            self._backend.keep(key, self._age(None, error, now_s), now_s)

    def _age(self, value: Any, error: Exception | None, now_s: float) -> CachedValue:
        lives = self._lives
        if error is not None:
            until_s = now_s + lives.negative_ttl_s
            return CachedValue(None, error, until_s, until_s)
        ttl_s = lives.ttl_s * (1 - lives.jitter * self._rng.random()) if lives.jitter else lives.ttl_s
        return CachedValue(value, None, now_s + ttl_s, now_s + ttl_s + max(lives.stale_s, lives.stale_if_error_s))

    @staticmethod
    def _give(found: CachedValue) -> Any:
        if found.error is not None:
            raise found.error.with_traceback(None)  # else each raising would make its traceback longer
        return found.value

    def _bridge(self, found: CachedValue | None, error: Exception) -> Any:
        """Give a stale value for an error, and say so; else raise the error."""
        now_s = self._clock.monotonic()
        if found is None or found.error is not None or now_s >= found.fresh_until_s + self._lives.stale_if_error_s:
            raise error
        stale_s = now_s - found.fresh_until_s
        self._counts.stale_hits += 1
        self._tell("served_stale", error, stale_s=stale_s)
        reason, age_s = f"{type(error).__name__}: {error}", stale_s + self._lives.ttl_s
        report(Degraded(self.name, DegradedTo.STALE, reason, error, age_s))
        return found.value

    def _start_refresh(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> None:
        if self._flights.is_flying(key) or len(self._refreshes) >= MOST_REFRESHES:
            return
        with without_deadline():  # the caller has his answer; his deadline is not that of the refresh
            task = asyncio.get_running_loop().create_task(self._refresh(key, fetch))
        self._refreshes.add(task)
        task.add_done_callback(self._refreshes.discard)

    async def _refresh(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> None:
        try:
            await self._flights.run_async(key, lambda flight: self._fetch_async(key, fetch, flight))
        except Exception as error:  # noqa: BLE001 -- the fence of a job: nobody waits for it, the stale value lives on
            self._tell("refresh_failed", error, key=key)


def cache(  # noqa: PLR0913 -- each number is a choice of its own, by keyword, with a default
    *,
    ttl_s: float,
    stale_s: float = 0.0,
    stale_if_error_s: float = 0.0,
    negative_on: tuple[type[Exception], ...] = (),
    negative_ttl_s: float = 5.0,
    jitter: float = 0.1,
    max_entries: int = 1000,
    max_weight: float | None = None,
    weigh: Callable[[Any], float] | None = None,
    keep_if: Callable[[Any], bool] | None = None,
    key: Callable[..., Hashable] | None = None,
    store: CacheStore | None = None,
    codec: Codec | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
    rng: random.Random | None = None,
) -> Cache:
    """Keep the answers of a function for a while, so that the same question is asked once.

    Args:
        ttl_s: For so many seconds an answer is as good as new.
        stale_s: For so many more it is given at once while a fresh one is fetched in the background.
        stale_if_error_s: For so many more it is given when fetching fails; `degradations()` tells.
        negative_on: Errors that are answers too ("no such customer"), kept for
        negative_ttl_s: so many seconds.
        jitter: Up to this part is taken off each time to live, so that what was kept together does not end together.
        max_entries: How many answers are kept in memory; past it the one used longest ago goes.
        max_weight: What they may weigh together, as `weigh` tells.
        weigh: Gives the weight of an answer, in bytes for instance.
        keep_if: Tells whether an answer is worth keeping.
        key: Gives the key from the arguments; by default it is the function and its arguments, which must be hashable.
        store: Where processes share answers. Needs `key` and `name`: keys are text there.
        codec: How answers become bytes for the store: JSON by default.
        name: As events and messages shall call it.
        clock: Where time comes from.
        rng: Where jitter comes from.

    Raises:
        ValueError: A number means nothing, or things exclude each other.
    """
    lives = Lifetimes(
        ttl_s=ttl_s, stale_s=stale_s, stale_if_error_s=stale_if_error_s, negative_ttl_s=negative_ttl_s, jitter=jitter
    )
    kept = Cache(
        name,
        lives,
        table=ValueTable(max_entries=max_entries, max_weight=max_weight, weigh=weigh),
        key=key,
        keep_if=keep_if,
        negative_on=negative_on,
        rng=rng or random.Random(),  # noqa: S311 -- spreads load, guards nothing
        clock=clock,
    )
    if store is not None:
        if key is None or not name:
            raise ValueError("answers are shared by text: give name= and key=, a function from the arguments to a text")
        kept.keep_in(store, codec or JsonCodec())
    return kept
