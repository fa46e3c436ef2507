"""The one shape of all patterns: a policy puts a function under a rule, and policies join with `|`.

The leftmost is the outermost: `retry(...) | timeout(...)` gives every attempt its own time, `timeout(...) | retry(...)`
gives all of them one. `RECOMMENDED_ORDER` is the order that fits when nothing speaks against it.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, ClassVar, Final, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.events import EVERYWHERE, Listener, PolicyEvent, tell

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

RECOMMENDED_ORDER: Final = (
    "fallback",  # sees every failure of what is below
    "cache",  # an answer that is at hand needs nothing of what is below
    "shed",  # who is not served must not cost anything
    "deadline",  # bounds all attempts together
    "retry",
    "hedge",
    "breaker",  # each attempt counts, and an open breaker ends the retrying
    "rate_limit",  # each attempt is a call to whoever set the rate
    "adaptive_limit",
    "bulkhead",  # a place is held while an attempt runs, not while a retry waits
    "timeout",  # time spent in a queue is not the dependency's
)


class Policy(ABC):
    """Puts functions under a rule, async and sync ones: by decorating, by calling, or joined with others by `|`.

    A pattern implements `bind_async` and `bind_sync`, everything else follows. Threads and tasks share a policy.
    """

    __slots__ = ("_clock", "_listeners", "name")

    kind: ClassVar[str] = "policy"

    def __init__(self, name: str = "", *, clock: Clock = SYSTEM_CLOCK, listeners: Iterable[Listener] = ()) -> None:
        self.name = name
        self._clock = clock
        self._listeners = list(listeners)

    @abstractmethod
    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Give an `async def` that calls `fn` under this policy. Its cost is per call, so decide here what can be."""

    @abstractmethod
    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Give a function that calls `fn` under this policy."""

    def call(self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        """Call the async function `fn` under this policy; its result and its errors come through. Await the call."""
        return self.bind_async(fn)(*args, **kwargs)

    def call_sync(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the plain function `fn` under this policy; its result and its errors come through.

        Raises:
            TypeError: `fn` is async: use `call`.
        """
        code = getattr(fn, "__code__", None)
        if code is not None and code.co_flags & inspect.CO_COROUTINE:
            raise TypeError(f"{fn!r} is async: write `await policy.call(...)`")
        return self.bind_sync(fn)(*args, **kwargs)

    def __call__(self, fn: F) -> F:
        """Decorate `fn`, async or not: every call of it goes under this policy. Name, types and docs stay.

        Raises:
            TypeError: `fn` cannot be guarded as a whole: a generator, a classmethod, no function at all.
        """
        refuse_unguardable(fn)
        bound: Callable[..., Any] = self.bind_async(fn) if is_async(fn) else self.bind_sync(fn)
        return fn if bound is fn else functools.update_wrapper(bound, fn)  # type: ignore[return-value]  # same signature

    def __or__(self, inner: Policy) -> Policy:
        """Compose: this policy outside, `inner` inside."""
        return Composed((*policies_of(self), *policies_of(inner)))

    def add_listener(self, listener: Listener) -> None:
        """Have `listener` called with every event of this policy, in the thread or task that causes it."""
        self._listeners.append(listener)

    def _tell(self, what: str, error: BaseException | None = None, **detail: object) -> None:
        if self._listeners or EVERYWHERE:
            at_s = self._clock.monotonic()
            event = PolicyEvent(kind=self.kind, name=self.name, what=what, at_s=at_s, error=error, detail=detail)
            tell(self._listeners, event)


class Composed(Policy):
    """Several policies as one: each calls the next, the last calls the function."""

    __slots__ = ("policies",)

    kind = "composed"

    def __init__(self, policies: tuple[Policy, ...], *, name: str = "") -> None:
        super().__init__(name)
        self.policies = policies

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Bind the innermost first."""
        *outer, last = self.policies
        bound = last.bind_async(fn)
        for policy in reversed(outer):
            bound = policy.bind_async(_mark_like(fn, bound))
        return bound

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Bind the innermost first."""
        bound = fn
        for policy in reversed(self.policies):
            bound = policy.bind_sync(_mark_like(fn, bound))
        return bound

    def add_listener(self, listener: Listener) -> None:
        """Listen to each of the policies."""
        for policy in self.policies:
            policy.add_listener(listener)

    def __repr__(self) -> str:
        """Read as it was written."""
        return " | ".join(map(repr, self.policies))


def policies_of(policy: Policy) -> tuple[Policy, ...]:
    """Give the parts of a composition, outermost first; any other policy is its own only part."""
    return policy.policies if isinstance(policy, Composed) else (policy,)


def is_idempotent(fn: Callable[..., Any]) -> bool:
    """Tell whether `fn` is marked as one that may be called twice without harm."""
    return bool(getattr(fn, "__idempotent__", False))


def _mark_like(fn: Callable[..., Any], bound: F) -> F:
    """Carry the mark of `fn` to what a policy made of it, for the next policy to see."""
    if bound is not fn and is_idempotent(fn):
        bound.__idempotent__ = True  # type: ignore[attr-defined]  # the mark that is_idempotent looks for
    return bound


def is_async(fn: Callable[..., Any]) -> bool:
    """Tell whether calling `fn` gives a coroutine: async functions, partials of them, objects with an async call."""
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))  # noqa: B004 -- not whether it can be called, but how


def refuse_unguardable(fn: object) -> None:
    """Refuse what a policy would guard only in appearance.

    Raises:
        TypeError: With the way to guard it.
    """
    if isinstance(fn, classmethod | staticmethod):
        raise TypeError(f"put the policy below @{type(fn).__name__}, next to the function")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise TypeError(
            f"{fn!r} is a generator: a policy would guard only its creation, none of its items;"
            " decorate the function that fetches one item, or write `for attempt in policy.attempts():`"
        )
    if isinstance(fn, type) or not callable(fn):
        raise TypeError(f"{fn!r} is no function; a policy decorates functions, async or not")
