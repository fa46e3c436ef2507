"""The one shape of all patterns: a policy calls an async function for you, and policies join with `|`.

`retry(...) | timeout(...)` gives every attempt its own deadline; `timeout(...) | retry(...)` gives all of
them one.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")


class Policy(ABC):
    """Calls an async function under a rule: `await policy.call(fn, ...)`, or `@policy` on its definition."""

    __slots__ = ()

    @abstractmethod
    async def call(self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` under this policy; its result and its errors come through unchanged."""

    def __call__(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Put every call of the async function `fn` under this policy.

        Raises:
            TypeError: `fn` is not async, so that its calls could not be timed, retried or queued.
        """
        if not inspect.iscoroutinefunction(fn):
            raise TypeError(f"{fn!r} is not an async function; a policy can only decorate async functions")

        @functools.wraps(fn)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.call(fn, *args, **kwargs)

        return guarded

    def __or__(self, inner: Policy) -> Policy:
        """Compose: this policy outside, `inner` inside."""
        return Composed(self, inner)


class Composed(Policy):
    """Two policies as one: the outer one calls the inner one, which calls the function."""

    __slots__ = ("inner", "outer")

    def __init__(self, outer: Policy, inner: Policy) -> None:
        self.outer = outer
        self.inner = inner

    async def call(self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` under both policies."""
        # A ParamSpec cannot say that a generic method is handed on together with its arguments.
        return await self.outer.call(self.inner.call, fn, *args, **kwargs)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        """Read as it was written."""
        return f"{self.outer!r} | {self.inner!r}"
