"""Ends the work for a client that has gone: nobody reads its answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from holdfast.kernel.errors import HoldfastError

if TYPE_CHECKING:
    from fastapi import Request

T = TypeVar("T")

WATCHED_AFTER_S: Final = 0.01  # most answers are there before, and cost no second task


class ClientGoneError(HoldfastError):
    """The client closed the connection before the answer; nobody sees this but the log."""

    code = "canceled"


async def while_present(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`, whose request has been read whole, as long as the client waits for it.

    Raises:
        ClientGoneError: it went; the work was cancelled.
    """
    watch = _Watch(request)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.end():
            raise ClientGoneError("the client closed the connection") from None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels the task that made it when the client goes, from a moment after its begin on."""

    def __init__(self, request: Request) -> None:
        task = asyncio.current_task()
        assert task is not None  # for the types: coroutines run in tasks
        self._task = task
        self._cancelling = task.cancelling()
        self._request = request
        self._watching: asyncio.Task[None] | None = None
        self._has_fired = False
        self._begin = asyncio.get_running_loop().call_later(WATCHED_AFTER_S, self._watch)

    def _watch(self) -> None:
        self._watching = asyncio.create_task(_departure(self._request), name="client-watch")
        self._watching.add_done_callback(self._fire)

    def _fire(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and watching.exception() is None:
            self._has_fired = True
            self._task.cancel()

    def end(self) -> bool:
        """Stop watching; tell whether a cancellation was this watch's alone. Work may have passed over it."""
        self._begin.cancel()
        if self._watching is not None:
            self._watching.remove_done_callback(self._fire)
            self._watching.cancel()
        has_fired, self._has_fired = self._has_fired, False
        return has_fired and self._task.uncancel() <= self._cancelling


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
