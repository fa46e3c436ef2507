"""Finds out by itself how many calls a dependency can take at a time, and lets no more through.

A bulkhead whose limit follows latency, for where nobody knows the right number or it changes. The rules are in
`limit_rules`.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from holdfast.resilience import entries
from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import BulkheadFull, ResilienceError
from holdfast.resilience.forks import renew_after_fork
from holdfast.resilience.limit_rules import Aimd, Gradient, LimitRule, Sample
from holdfast.resilience.places import NoPlaceError, Places
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

DROPS: Final = (TimeoutError, ConnectionError, ResilienceError)
"""Errors that tell of too much load, unless said otherwise."""

_RULES: Final = {"gradient": Gradient, "aimd": Aimd}


class AdaptiveLimit(Policy):
    """A bulkhead that sets its own limit; see `adaptive_limit`. `limit`, `running`, `waiting` tell where it stands."""

    __slots__ = (
        "__weakref__",
        "_answered",
        "_drops_on",
        "_exact",
        "_has_dropped",
        "_highest",
        "_latency_s",
        "_lock",
        "_minimum_calls",
        "_most",
        "_places",
        "_rule",
        "_window_end_s",
        "least",
        "most",
        "queue_timeout_s",
        "window_s",
    )

    kind = "adaptive_limit"

    def __init__(
        self,
        name: str,
        rule: LimitRule,
        *,
        bounds: tuple[int, int, int],
        queue: int,
        queue_timeout_s: float | None,
        window: tuple[float, int],
        drops_on: tuple[type[Exception], ...],
        clock: Clock,
    ) -> None:
        least, initial, most = bounds
        self.least, self.most = least, most
        self.window_s, self._minimum_calls = window
        if not 1 <= least <= initial <= most or queue < 0 or min(window) <= 0:
            told = f"{least=}, {initial=}, {most=}, {queue=}, window={window}"
            raise ValueError(f"1 <= least <= initial <= most, and a queue and a window that can be: {told}")
        super().__init__(name, clock=clock)
        self.queue_timeout_s = queue_timeout_s
        self._rule = rule
        self._drops_on = drops_on
        self._places = Places(initial, queue=queue, clock=clock)
        self._exact = float(initial)
        self._lock = threading.Lock()
        self._window_end_s = 0.0
        self._start_window(clock.monotonic())
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._start_window(self._clock.monotonic())

    def __repr__(self) -> str:
        """Show where it stands."""
        return f"AdaptiveLimit(limit={self.limit}, running={self.running})"

    @property
    def limit(self) -> int:
        """How many calls may run at once now."""
        return self._places.limit

    @property
    def running(self) -> int:
        """How many calls run."""
        return self._places.running

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return self._places.waiting

    @property
    def is_idle(self) -> bool:
        """Whether it may be forgotten: nobody is inside. What it learned is learned again."""
        return not self._places.running

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` when there is a place, else raise BulkheadFull; learn from how long it takes."""
        monotonic, try_enter = self._clock.monotonic, self._places.try_enter

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not try_enter():
                await self._wait_async()
            begun_s = monotonic()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self._end(begun_s, error)
                raise
            self._end(begun_s, None)
            return result

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` when there is a place, else raise BulkheadFull; learn from how long it takes."""
        monotonic, try_enter = self._clock.monotonic, self._places.try_enter

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not try_enter():
                self._wait()
            begun_s = monotonic()
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self._end(begun_s, error)
                raise
            self._end(begun_s, None)
            return result

        return guarded

    def __enter__(self) -> Self:
        """Hold a place for the block, whose time is learned from."""
        if not self._places.try_enter():
            self._wait()
        entries.push(self, self._clock.monotonic())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give it back."""
        self._end(entries.pop(self), error)

    async def __aenter__(self) -> Self:
        """Hold a place for the block, whose time is learned from."""
        if not self._places.try_enter():
            await self._wait_async()
        entries.push(self, self._clock.monotonic())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Give it back."""
        self._end(entries.pop(self), error)

    async def _wait_async(self) -> None:
        try:
            await self._places.enter_async(self.queue_timeout_s)
        except NoPlaceError as refusal:
            raise self._refuse(refusal.why) from None

    def _wait(self) -> None:
        try:
            self._places.enter(self.queue_timeout_s)
        except NoPlaceError as refusal:
            raise self._refuse(refusal.why) from None

    def _refuse(self, why: str) -> BulkheadFull:
        self._tell("refused", limit=self.limit, waiting=self.waiting, why=why)
        told = f"{self.limit} calls at a time is what latency allows now, and there is no place to wait in ({why})"
        return BulkheadFull(told, policy=self.name, retry_after_s=self.window_s)

    def _start_window(self, now_s: float) -> None:
        self._window_end_s = now_s + self.window_s
        self._answered = 0
        self._latency_s = 0.0
        self._highest = 0
        self._has_dropped = False

    def _end(self, begun_s: float, error: BaseException | None) -> None:
        now_s = self._clock.monotonic()
        resized: tuple[int, int] | None = None
        with self._lock:
            self._highest = max(self._highest, self._places.running)
            if error is None:
                self._answered += 1
                self._latency_s += now_s - begun_s
            elif isinstance(error, self._drops_on):
                self._has_dropped = True
            if now_s >= self._window_end_s or now_s < self._window_end_s - self.window_s:
                resized = self._adapt(now_s)
        self._places.leave()
        if resized is not None:
            self._places.resize(resized[1])
            self._tell("resized", before=resized[0], after=resized[1])

    def _adapt(self, now_s: float) -> tuple[int, int] | None:
        if self._answered < self._minimum_calls and not self._has_dropped:
            return None
        mean_s = self._latency_s / self._answered if self._answered else 0.0
        sample = Sample(mean_s, self._highest, self._has_dropped)
        self._exact = min(float(self.most), max(float(self.least), self._rule.next_limit(self._exact, sample)))
        self._start_window(now_s)
        before, after = self._places.limit, int(self._exact)
        return (before, after) if before != after else None


def adaptive_limit(  # noqa: PLR0913 -- each number is a choice of its own, by keyword, with a default
    rule: LimitRule | str = "gradient",
    *,
    initial: int = 20,
    least: int = 1,
    most: int = 1000,
    queue: int = 0,
    queue_timeout_s: float | None = None,
    window_s: float = 1.0,
    minimum_calls: int = 10,
    drops_on: tuple[type[Exception], ...] = DROPS,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> AdaptiveLimit:
    """Let through as many calls at a time as latency shows that the dependency can take.

    A refusal's `retry_after_s` is the window: by then the limit is set anew.

    Args:
        rule: "gradient" (latency against its own long average), "aimd" (errors only), or a rule such as
            `Aimd(latency_s=0.2)`. A rule has a memory of its own: give each limit its own.
        initial: The limit at first.
        least: It never goes below.
        most: It never goes above.
        queue: Calls that may wait for a place.
        queue_timeout_s: How long they wait, in seconds.
        window_s: The limit is set anew once in so many seconds,
        minimum_calls: and not before so many calls were answered, or one was dropped.
        drops_on: Errors that tell of too much load. Others teach nothing: they may be quick.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number means nothing, or there is no such rule.
    """
    if isinstance(rule, str):
        if rule not in _RULES:
            raise ValueError(f"rule={rule!r} is none of: {', '.join(_RULES)}")
        chosen: LimitRule = _RULES[rule]()
    else:
        chosen = rule
    return AdaptiveLimit(
        name,
        chosen,
        bounds=(least, initial, most),
        queue=queue,
        queue_timeout_s=queue_timeout_s,
        window=(window_s, minimum_calls),
        drops_on=drops_on,
        clock=clock,
    )
