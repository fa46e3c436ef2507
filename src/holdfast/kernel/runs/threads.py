"""Sync code in a thread, awaited to its end: a thread cannot be ended from outside, so nobody walks away from one."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


async def call_in_thread(threads: ThreadPoolExecutor, call: Callable[[], Any]) -> Any:
    """Give what `call` returns. When this is cancelled, it ends once the thread has, and then is cancelled."""
    begun = threads.submit(contextvars.copy_context().run, call)
    work = asyncio.wrap_future(begun)
    is_cancelled = False
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            if begun.cancel():
                raise
            is_cancelled = True
    if is_cancelled:
        if not work.cancelled():
            work.exception()
        raise asyncio.CancelledError
    return work.result()
