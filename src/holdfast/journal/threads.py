"""Takes what is bound into threads, pools and processes, which begin without it."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any, Generic, ParamSpec, TypeVar

from holdfast.journal.context import CURRENT, Context, bind
from holdfast.journal.redaction import describe

P = ParamSpec("P")
R = TypeVar("R")


class Carried(Generic[P, R]):
    """A function that runs in the context in which `carry` was called. See there."""

    def __init__(self, fn: Callable[P, R]) -> None:
        self._fn = fn
        self._context = contextvars.copy_context()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it, in a copy: what it binds ends with the call, and several threads may call at once."""
        return self._context.copy().run(self._fn, *args, **kwargs)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Travel to another process as the bound fields only: other variables have no meaning there."""
        fields = self._context[CURRENT].fields if CURRENT in self._context else {}
        return _restore, (self._fn, {name: _plain(value) for name, value in fields.items()})


def carry(fn: Callable[P, R]) -> Callable[P, R]:
    """Give `fn` as a function that runs with all that is bound now: `Thread(target=carry(work))`.

    A thread gets every context variable, OpenTelemetry's span among them; a process gets the bound fields.
    """
    return Carried(fn)


class ContextExecutor(Executor):
    """A pool whose work runs with what was bound where it was submitted: `ContextExecutor(ThreadPoolExecutor())`.

    Pools of processes likewise, with the bound fields.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have the pool call `fn`."""
        return self._pool.submit(carry(fn), *args, **kwargs)

    def map(self, fn: Callable[..., R], *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:
        """Call `fn` for each item, as the pool does it."""
        carried = carry(fn)
        if isinstance(self._pool, ProcessPoolExecutor):
            return self._pool.map(carried, *iterables, timeout=timeout, chunksize=chunksize)
        return self._pool.map(carried, *iterables, timeout=timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 -- as inherited
        """End the pool."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def process_initializer() -> Callable[[], None]:
    """Give what binds in a new process what is bound here: `ProcessPoolExecutor(initializer=process_initializer())`.

    For good; a pool that serves several requests takes a `ContextExecutor`.
    """
    return functools.partial(_bind_for_good, {name: _plain(value) for name, value in CURRENT.get().fields.items()})


def _bind_for_good(fields: Mapping[str, Any]) -> None:
    CURRENT.set(Context(dict(fields)))


def _restore(fn: Callable[..., Any], fields: Mapping[str, Any]) -> Callable[..., Any]:
    return functools.partial(_run_bound, fn, fields)


def _run_bound(fn: Callable[..., R], fields: Mapping[str, Any], /, *args: Any, **kwargs: Any) -> R:
    with bind(**fields):
        return fn(*args, **kwargs)


def _plain(value: Any) -> Any:
    return value if value is None or type(value) in {str, int, float, bool} else describe(value)
