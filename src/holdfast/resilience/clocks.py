"""Time as a thing that is passed in, so that a test can hold it still. Nothing else here may ask the system for it.

The fake one is in `holdfast.resilience.testing`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Final, Protocol


class Clock(Protocol):
    """What the code may ask of time."""

    def now(self) -> datetime:
        """Give the wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once if it is not positive."""
        ...

    def sleep_sync(self, seconds: float) -> None:
        """Return after `seconds`, having blocked the thread; at once if it is not positive."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()

    monotonic = staticmethod(time.monotonic)

    def now(self) -> datetime:
        """Give the wall clock, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(max(0.0, seconds))

    def sleep_sync(self, seconds: float) -> None:
        """Sleep in this thread."""
        time.sleep(max(0.0, seconds))


SYSTEM_CLOCK: Final = SystemClock()
