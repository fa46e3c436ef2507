"""A token that many calls share: one of them fetches it while the others wait."""

from __future__ import annotations

import asyncio
import threading
from weakref import WeakKeyDictionary


class SharedToken:
    """The token now, and who may fetch the next: one thread, or one task of each event loop."""

    __slots__ = ("_by_loop", "guard", "over_s", "value")

    def __init__(self, value: str = "") -> None:
        self.value = value
        self.over_s = float("inf")
        self.guard = threading.Lock()
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def forget(self, value: str) -> None:
        """Forget `value`, unless another call has fetched a newer one already."""
        if self.value == value:
            self.value = ""

    def async_guard(self) -> asyncio.Lock:
        """Give the lock of the running event loop."""
        return self._by_loop.setdefault(asyncio.get_running_loop(), asyncio.Lock())
