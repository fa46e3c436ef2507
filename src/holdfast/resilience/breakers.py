"""Stops calling what keeps failing, so that it can recover and callers fail fast; asks again with a few probes.

This is the breaker as a policy: calls, locks, listeners. What it decides is in `breaker_states`; how processes
share it in `breaker_sharing`.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from holdfast.resilience import entries
from holdfast.resilience.breaker_sharing import Sharing
from holdfast.resilience.breaker_states import BreakerChange, BreakerMachine, BreakerRule, BreakerState, Change
from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import BreakerOpen
from holdfast.resilience.events import EVERYWHERE, tell
from holdfast.resilience.forks import renew_after_fork
from holdfast.resilience.policies import Policy
from holdfast.resilience.ports import BreakerStore

P = ParamSpec("P")
T = TypeVar("T")

ErrorTest = tuple[type[Exception], ...] | Callable[[Exception], bool]
"""Which errors: kinds of them, or a function that is asked."""


class Breaker(Policy):
    """A circuit breaker, as a policy, as a `with` block or by hand; see `breaker`.

    By hand: ask `allow()` before the call, then report with `record_success()` or `record_failure()`.
    Tasks and threads may share it.
    """

    __slots__ = ("__weakref__", "_ignore", "_lock", "_machine", "_on", "_sharing")

    kind = "breaker"

    def __init__(
        self,
        name: str,
        rule: BreakerRule,
        *,
        on: ErrorTest,
        ignore: ErrorTest,
        clock: Clock,
    ) -> None:
        super().__init__(name, clock=clock)
        self._on = on
        self._ignore = ignore
        self._lock = threading.Lock()
        self._machine = BreakerMachine(rule)
        self._sharing: Sharing | None = None
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Start in a forked child with what is known, but without the probes: the parent makes those."""
        self._lock = threading.Lock()
        self._machine.probes.clear()
        if self._sharing is not None:
            self._sharing.lock = self._lock

    def share_through(self, store: BreakerStore, *, refresh_s: float = 1.0) -> None:
        """Share the state with breakers of the same name in other processes; call it before anything is decorated."""
        self._sharing = Sharing(
            self.name,
            store,
            self._machine,
            self._lock,
            refresh_s=refresh_s,
            clock=self._clock,
            tell=self._tell,
        )

    def __repr__(self) -> str:
        """Name it and its state."""
        return f"Breaker({self.name!r}, {'isolated' if self.is_isolated else self.state})"

    @property
    def state(self) -> BreakerState:
        """The state now; an open breaker whose time has passed stays open until somebody asks."""
        return self._machine.state

    @property
    def is_isolated(self) -> bool:
        """Whether it was isolated by hand, and so stays open until it is closed by hand."""
        return self._machine.is_isolated

    @property
    def is_idle(self) -> bool:
        """Whether it remembers nothing that a new one would not: it may be forgotten."""
        machine = self._machine
        has_counted = machine.window is not None and machine.window.calls > 0
        return machine.state is BreakerState.CLOSED and not machine.failures and not has_counted

    @property
    def reset_s(self) -> float:
        """Seconds that it stays open the first time."""
        return self._machine.rule.reset_s

    @property
    def retry_after_s(self) -> float:
        """Seconds until `allow()` may say yes again; 0 when it may now, infinite while it is isolated."""
        if self._machine.state is BreakerState.CLOSED:
            return 0.0
        with self._lock:
            return self._machine.wait_s(self._clock.monotonic())

    def allow(self) -> bool:
        """Tell whether to call now. A yes in half-open is a probe: report its outcome.

        A probe that is never reported is given up after its time, and the next one may go.
        """
        return self._machine.state is BreakerState.CLOSED or self._ask() is not None

    def record_success(self) -> None:
        """Report that the dependency answered, asked or not: one that is open closes."""
        self._record(None, failed=False)

    def record_failure(self) -> None:
        """Report that the dependency failed: the last one allowed, or a probe, opens the breaker.

        One that is open already stays so no longer for it: that call began before.
        """
        self._record(None, failed=True)

    def open(self, for_s: float | None = None) -> None:
        """Refuse calls as if it had opened by itself, for `for_s` seconds if given."""
        with self._lock:
            change = self._machine.open(self._clock.monotonic(), for_s)
        self._announce(change)

    def isolate(self) -> None:
        """Refuse calls until `close` is called: the dependency is known to be away."""
        with self._lock:
            change = self._machine.isolate(self._clock.monotonic())
        self._announce(change)

    def close(self) -> None:
        """Let calls pass, and forget what was counted."""
        with self._lock:
            change = self._machine.close(self._clock.monotonic())
        self._announce(change)

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` if the breaker lets it, else raise BreakerOpen; its errors come through, counted or not."""
        machine, closed = self._machine, BreakerState.CLOSED
        if machine.window is not None or self._sharing is not None:
            return self._bind_measured_async(fn)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            ticket = machine.epoch  # read before the state: a change between the two makes the ticket an old one
            if machine.state is not closed:
                ticket = self._admit()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self._record_error(ticket, error)
                raise
            if machine.failures or ticket < 0:
                self._record(ticket, failed=False)
            return result

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` if the breaker lets it, else raise BreakerOpen; its errors come through, counted or not."""
        machine, closed = self._machine, BreakerState.CLOSED
        if machine.window is not None or self._sharing is not None:
            return self._bind_measured_sync(fn)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            ticket = machine.epoch
            if machine.state is not closed:
                ticket = self._admit()
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self._record_error(ticket, error)
                raise
            if machine.failures or ticket < 0:
                self._record(ticket, failed=False)
            return result

        return guarded

    def _bind_measured_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        monotonic, sharing = self._clock.monotonic, self._sharing

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            begun_s = monotonic()
            if sharing is not None and sharing.is_due(begun_s):
                await self.share_async()
            ticket = self._admit()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self._record_error(ticket, error, begun_s)
                raise
            else:
                self._record(ticket, failed=False, begun_s=begun_s)
                return result
            finally:
                if sharing is not None and sharing.has_news:
                    await self.share_async()

        return guarded

    def _bind_measured_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        monotonic, sharing = self._clock.monotonic, self._sharing

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            begun_s = monotonic()
            if sharing is not None and sharing.is_due(begun_s):
                self.share()
            ticket = self._admit()
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self._record_error(ticket, error, begun_s)
                raise
            else:
                self._record(ticket, failed=False, begun_s=begun_s)
                return result
            finally:
                if sharing is not None and sharing.has_news:
                    self.share()

        return guarded

    def __enter__(self) -> Self:
        """Ask; the block is the call."""
        begun_s = self._clock.monotonic()
        if self._sharing is not None and self._sharing.is_due(begun_s):
            self.share()
        entries.push(self, (self._admit(), begun_s))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Report how the block ended."""
        self._leave(error)
        if self._sharing is not None and self._sharing.has_news:
            self.share()

    async def __aenter__(self) -> Self:
        """Ask; the block is the call."""
        begun_s = self._clock.monotonic()
        if self._sharing is not None and self._sharing.is_due(begun_s):
            await self.share_async()
        entries.push(self, (self._admit(), begun_s))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Report how the block ended."""
        self._leave(error)
        if self._sharing is not None and self._sharing.has_news:
            await self.share_async()

    def share(self) -> None:
        """Tell the store what changed here, and take over what changed elsewhere; calls do so by themselves."""
        if self._sharing is not None:
            for change in self._sharing.run():
                self._announce(change)

    async def share_async(self) -> None:
        """Do as `share`."""
        if self._sharing is not None:
            for change in await self._sharing.run_async():
                self._announce(change)

    def _leave(self, error: BaseException | None) -> None:
        ticket, begun_s = entries.pop(self)
        if error is None:
            self._record(ticket, failed=False, begun_s=begun_s)
        else:
            self._record_error(ticket, error, begun_s)

    def _ask(self) -> int | None:
        with self._lock:
            ticket, change = self._machine.admit(self._clock.monotonic())
        self._announce(change)
        return ticket

    def _admit(self) -> int:
        ticket = self._ask()
        if ticket is not None:
            return ticket
        wait_s = self.retry_after_s
        self._tell("refused", wait_s=wait_s)
        if self.is_isolated:
            told = f"breaker {self.name!r} is isolated until somebody closes it"
            raise BreakerOpen(told, policy=self.name)
        told = f"breaker {self.name!r} is open for {wait_s:.1f} s more"
        raise BreakerOpen(told, policy=self.name, retry_after_s=wait_s)

    def _record_error(self, ticket: int, error: BaseException, begun_s: float | None = None) -> None:
        if isinstance(error, Exception) and not _is_one(error, self._ignore):
            self._record(ticket, failed=_is_one(error, self._on), begun_s=begun_s)
            return
        with self._lock:
            self._machine.give_back(ticket)

    def _record(self, ticket: int | None, *, failed: bool, begun_s: float | None = None) -> None:
        slow_s = self._machine.rule.slow_call_s
        with self._lock:
            now_s = self._clock.monotonic()
            is_slow = slow_s is not None and begun_s is not None and now_s - begun_s > slow_s
            change = self._machine.record(ticket, now_s, failed=failed, is_slow=is_slow)
        self._announce(change)

    def _announce(self, change: Change | None) -> None:
        if change is not None and (self._listeners or EVERYWHERE):
            event = BreakerChange(
                kind=self.kind,
                name=self.name,
                what=change.after.value,
                at_s=self._clock.monotonic(),
                before=change.before,
                after=change.after,
                cause=change.cause,
                failures=change.failures,
            )
            tell(self._listeners, event)


def _is_one(error: Exception, which: ErrorTest) -> bool:
    return isinstance(error, which) if isinstance(which, tuple) else which(error)


def breaker(  # noqa: PLR0913 -- each number is a choice of its own, by keyword, with a default
    *,
    name: str,
    failures: int | None = None,
    failure_rate: float | None = None,
    slow_rate: float | None = None,
    slow_call_s: float | None = None,
    window_calls: int = 100,
    window_s: float | None = None,
    minimum_calls: int = 10,
    reset_s: float = 30.0,
    reset_cap_s: float | None = None,
    probes: int = 1,
    probe_s: float | None = None,
    on: ErrorTest = (Exception,),
    ignore: ErrorTest = (),
    store: BreakerStore | None = None,
    refresh_s: float = 1.0,
    clock: Clock = SYSTEM_CLOCK,
) -> Breaker:
    """Put a circuit breaker in front of one dependency; share it between all calls of that dependency.

    Args:
        name: The dependency, as messages and metrics shall call it; processes share by it.
        failures: How many failures in a row open it; 5 where no rate is given.
        failure_rate: Which part of the calls in the window, 0 to 1, must fail to open it.
        slow_rate: Which part must be slow to open it.
        slow_call_s: A call that takes longer than these seconds is slow, whether it fails or not.
        window_calls: The rates are those of this many last calls.
        window_s: The rates are those of this many last seconds instead.
        minimum_calls: No rate counts before this many calls are in the window.
        reset_s: Seconds that it stays open before probes are let through.
        reset_cap_s: With each failed probe it stays open twice as long, up to this; `reset_s` itself by default.
        probes: How many probes must succeed to close it; so many run at a time. One that fails opens it again.
        probe_s: Seconds after which a probe that was not heard of is given up; `reset_s` by default.
        on: The errors that count as failures: kinds, or a function. Others count as an answer, cancellation as neither.
        ignore: Errors that count as neither.
        store: Where processes share the state; each counts its own calls. See `holdfast.resilience.redis` and `.sql`.
        refresh_s: How often, in seconds, the store is asked; a change of our own is told at once.
        clock: Where time comes from.

    Raises:
        ValueError: A number means nothing.
    """
    has_rate = failure_rate is not None or slow_rate is not None
    try:
        rule = BreakerRule(
            failures=5 if failures is None and not has_rate else failures,
            failure_rate=failure_rate,
            slow_rate=slow_rate,
            slow_call_s=slow_call_s,
            window_calls=window_calls,
            window_s=window_s,
            minimum_calls=minimum_calls if has_rate else 1,
            reset_s=reset_s,
            reset_cap_s=reset_s if reset_cap_s is None else reset_cap_s,
            probes=probes,
            probe_s=reset_s if probe_s is None else probe_s,
        )
    except ValueError as error:
        raise ValueError(f"breaker {name!r}: {error}") from None
    guard = Breaker(name, rule, on=on, ignore=ignore, clock=clock)
    if store is not None:
        guard.share_through(store, refresh_s=refresh_s)
    return guard
