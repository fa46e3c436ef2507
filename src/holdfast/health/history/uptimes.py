"""The uptimes that lists show, for all checks at once, at most half a minute old: one query, not one per check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from holdfast.health.history.reading import Held, History
from holdfast.kernel.clock import Clock
from holdfast.resilience import cache

WINDOWS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"d1": timedelta(days=1), "d7": timedelta(days=7), "d30": timedelta(days=30), "d90": timedelta(days=90)}
)
NOTHING: Final = MappingProxyType({name: Held(length.total_seconds()) for name, length in WINDOWS.items()})
_FRESH_S: Final = 30.0
_STALE_S: Final = 86_400.0  # while the store does not answer


class Uptimes:
    """The last answer, read anew once at a time."""

    def __init__(self, history: History, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        kept = cache(
            ttl_s=_FRESH_S, stale_s=_STALE_S, jitter=0.0, keep_if=bool, max_entries=1, name="check-uptimes", clock=clock
        )
        self._read = kept(self._read_anew)

    async def read(self) -> Mapping[str, Mapping[str, Held]]:
        """Give each check's `Held` by window (`d1`, `d7`, `d30`, `d90`); checks without history are missing.

        What is older than half a minute is given once more while it is read anew, so that nobody waits for it.

        Raises:
            HoldfastError: the store does not answer and nothing was read before.
        """
        return await self._read()

    async def _read_anew(self) -> Mapping[str, Mapping[str, Held]]:
        return await self._history.uptimes(self._clock.now(), WINDOWS)
