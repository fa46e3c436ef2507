"""The uptimes that lists show, for all checks at once, at most half a minute old: one query, not one per check."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from holdfast.health.history.reading import Held, History
from holdfast.kernel.clock import Clock

WINDOWS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"d1": timedelta(days=1), "d7": timedelta(days=7), "d30": timedelta(days=30), "d90": timedelta(days=90)}
)
NOTHING: Final = MappingProxyType({name: Held(length.total_seconds()) for name, length in WINDOWS.items()})
_FRESH_S: Final = 30.0


class Uptimes:
    """A cache that reads itself anew, once at a time."""

    def __init__(self, history: History, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._reading: asyncio.Task[None] | None = None
        self._read_s = float("-inf")
        self._known: Mapping[str, Mapping[str, Held]] = {}

    async def read(self) -> Mapping[str, Mapping[str, Held]]:
        """Give each check's `Held` by window (`d1`, `d7`, `d30`, `d90`); checks without history are missing.

        What is older than half a minute is given once more while it is read anew, so that nobody waits for it.

        Raises:
            HoldfastError: the store does not answer and nothing was read before.
        """
        if self._clock.monotonic() - self._read_s < _FRESH_S:
            return self._known
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_anew(), name="check-uptimes")
        if not self._known:
            await asyncio.shield(self._reading)
        return self._known

    async def _read_anew(self) -> None:
        known = await self._history.uptimes(self._clock.now(), WINDOWS)
        self._known, self._read_s = known, self._clock.monotonic()
