"""The rate of one key as a policy of its own, so that a block can say whose rate it takes and how much.

All it does is ask the limit that it is of (`rates`), which waits or refuses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from holdfast.resilience.policies import Policy

P = ParamSpec("P")
T = TypeVar("T")


class KeyedRate(Policy):
    """The rate of one key, as a policy and as a block; `RateLimit.of` gives it."""

    __slots__ = ("_acquire", "_acquire_async")

    kind = "rate_limit"

    def __init__(
        self, name: str, acquire: Callable[[], None], acquire_async: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        super().__init__(name)
        self._acquire = acquire
        self._acquire_async = acquire_async

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` when the rate of the key allows."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            await self._acquire_async()
            return await fn(*args, **kwargs)

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` when the rate of the key allows."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            self._acquire()
            return fn(*args, **kwargs)

        return guarded

    def __enter__(self) -> Self:
        """Take it, or wait for it."""
        self._acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give nothing back."""

    async def __aenter__(self) -> Self:
        """Take it, or wait for it."""
        await self._acquire_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Give nothing back."""
