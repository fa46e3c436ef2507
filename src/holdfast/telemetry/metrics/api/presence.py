"""Ends the work for a client that has gone: nobody reads its answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.kernel.errors import HoldfastError

if TYPE_CHECKING:
    from fastapi import Request

T = TypeVar("T")


class ClientGoneError(HoldfastError):
    """The client closed the connection before the answer; nobody sees this but the log."""

    code = "canceled"


async def while_present(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`, whose request has been read whole, as long as the client waits for it.

    Raises:
        ClientGoneError: it went; the work was cancelled.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError("the client closed the connection")
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
