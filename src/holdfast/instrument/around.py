"""Puts something around each call of a function, which stays what it was: plain, async, a generator of either kind.

What stands around a generator lasts from its first item to its end. A staticmethod or classmethod stays one, too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

F = TypeVar("F", bound=Callable[..., Any])


class Around(Protocol):
    """What stands around one call; it is told the result before it ends without an error."""

    result: object

    def __enter__(self) -> Self:
        """Begin, before the call."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End; `GeneratorExit` says that whoever took a generator's items wants no more."""
        ...


Open = Callable[[tuple[Any, ...], dict[str, Any]], Around]
"""Gives what stands around the call that has these arguments."""


def stand_around(fn: F, prepare: Callable[[Callable[..., Any]], Open]) -> F:
    """Give `fn` with something around its calls; `prepare` is asked once, for the function itself."""
    if isinstance(fn, staticmethod | classmethod):
        return type(fn)(stand_around(fn.__func__, prepare))
    make = next((make for is_one, make in _KINDS if is_one(fn)), _plain)
    return functools.wraps(fn)(make(fn, prepare(fn)))  # type: ignore[return-value]  # the same signature


def _plain(fn: Callable[..., Any], opened: Open) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        with opened(args, kwargs) as around:
            result = around.result = fn(*args, **kwargs)
        return result

    return watched


def _coroutine(fn: Callable[..., Any], opened: Open) -> Callable[..., Any]:
    async def watched(*args: Any, **kwargs: Any) -> Any:
        with opened(args, kwargs) as around:
            result = around.result = await fn(*args, **kwargs)
        return result

    return watched


def _generator(fn: Callable[..., Any], opened: Open) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with opened(args, kwargs) as around:
            result = around.result = yield from fn(*args, **kwargs)
        return result

    return watched


def _async_generator(fn: Callable[..., Any], opened: Open) -> Callable[..., Any]:
    async def watched(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with opened(args, kwargs):
            inner: AsyncGenerator[Any, Any] = fn(*args, **kwargs)
            try:
                item = await inner.asend(None)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 -- the fence of a plugin: what is thrown in is for the one inside
                        item = await inner.athrow(error)
                    else:
                        item = await inner.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                await inner.aclose()

    return watched


_KINDS = (
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isasyncgenfunction, _async_generator),
    (inspect.isgeneratorfunction, _generator),
)
