"""Writes how long something took, and whether it went well: one line at its end."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar, cast

from holdfast.journal.loggers import Logger, get_logger

P = ParamSpec("P")
R = TypeVar("R")

LEVELS: Final = frozenset({"debug", "info", "warning"})


class timed:  # noqa: N801 -- reads as a verb where it is used
    """Time a block, or a function, async or not: `with timed("report_built") as timer:`, `@timed("report_built")`.

    The line carries `duration_ms` and `outcome`: `ok`, or `failed` at level error, with the error. In a block,
    `timer.add(rows=7)` puts further fields on it.

    Args:
        event: The name of the line.
        logger: Who writes it.
        level: The level of a line about what went well: debug, info or warning.
        slower_than_s: Write it only when it took longer, or failed.
        fields: Fields of the line.
    """

    def __init__(
        self,
        event: str,
        *,
        logger: Logger | None = None,
        level: str = "info",
        slower_than_s: float = 0.0,
        **fields: Any,
    ) -> None:
        if level not in LEVELS:
            raise ValueError(f"{level!r} is no level of a timer; choose {', '.join(sorted(LEVELS))}")
        self._event = event
        self._logger = logger or get_logger()
        self._level = level
        self._slower_than_s = slower_than_s
        self._fields = fields
        self._began_s = 0.0
        self.duration_s = 0.0

    def __enter__(self) -> Self:
        self._began_s = time.perf_counter()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> None:
        self.duration_s = time.perf_counter() - self._began_s
        duration_ms = round(self.duration_s * 1000, 3)
        if isinstance(error, Exception):
            self._logger.error(
                self._event, **{**self._fields, "duration_ms": duration_ms, "outcome": "failed", "exc_info": error}
            )
        elif self.duration_s >= self._slower_than_s:
            outcome = "ok" if error is None else "cancelled"
            write = getattr(self._logger, self._level)
            write(self._event, **{**self._fields, "duration_ms": duration_ms, "outcome": outcome})

    def add(self, **fields: Any) -> None:
        """Put fields on the line."""
        self._fields |= fields

    def __call__(self, fn: Callable[P, R]) -> Callable[P, R]:
        """Time each call of a function, coroutines to their end."""
        if inspect.iscoroutinefunction(fn):

            @functools.wraps(fn)
            async def timed_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._fresh():
                    return await fn(*args, **kwargs)

            return cast("Callable[P, R]", timed_async)

        @functools.wraps(fn)
        def timed_sync(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._fresh():
                return fn(*args, **kwargs)

        return timed_sync

    def _fresh(self) -> timed:
        return timed(
            self._event,
            logger=self._logger,
            level=self._level,
            slower_than_s=self._slower_than_s,
            **self._fields,
        )
