"""How much of the processor all live tails together may take: one works at a time, and then rests.

So those who follow logs never crowd out those who send them; what tails cannot keep up with is dropped, and told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock

_RESTS: Final = 3.0  # times as long as it worked, so a quarter of a processor
_LONGEST_REST_S: Final = 0.5


class Share:
    """The turns of all tails of a process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Work in the block, which waits for nobody; the rest comes behind it."""
        async with self._turn:
            began_s = self._clock.monotonic()
            yield
            worked_s = self._clock.monotonic() - began_s
            await self._clock.sleep(min(_RESTS * worked_s, _LONGEST_REST_S))
