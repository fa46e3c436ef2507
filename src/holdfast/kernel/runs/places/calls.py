"""How a step's function is called in this process."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from holdfast.kernel.runs.places.ports import Command, Work


def call_here(work: Work) -> Any:
    """Call the function in this thread; an async one gets a loop of its own."""
    assert not isinstance(work.todo, Command)
    result = work.todo(*work.args, **work.named)
    return asyncio.run(_finish(result)) if inspect.isawaitable(result) else result


async def _finish(result: Any) -> Any:
    return await result
