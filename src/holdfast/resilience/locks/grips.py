"""What each task or thread of this process holds now, and how its block ends when the lock is lost.

A task that ends without giving its lock back is not renewed any longer, so that others follow after the lock's time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from holdfast.resilience.locks.holds import Held, Keeper

Key = tuple[int, str, str]
"""A backend, a lock, and the flow of control that holds it."""


class Grip:
    """A lock held by one flow of control, with what keeps it."""

    __slots__ = ("_cancelling", "_flow", "_guarded", "_is_cancelled_by_us", "_keeper", "_key", "held")

    def __init__(self, key: Key, held: Held) -> None:
        self.held = held
        self._key = key
        self._keeper: Keeper | asyncio.Task[None] | None = None
        self._flow = _running_task()
        self._guarded: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._is_cancelled_by_us = False
        held.when_released(self.let_go)
        if self._flow is not None:
            self._flow.add_done_callback(self.let_go)
        _grips[key] = self

    def keep(self, keeper: Keeper | asyncio.Task[None]) -> None:
        """Have `keeper` renew the lock until it is let go."""
        self._keeper = keeper

    def let_go(self, _: object = None) -> None:
        """Stop renewing, and forget that this flow holds the lock."""
        if self._flow is not None:
            self._flow.remove_done_callback(self.let_go)
        self._guarded = None
        if _grips.get(self._key) is self:
            del _grips[self._key]
        if isinstance(self._keeper, asyncio.Task):
            self._keeper.cancel()
        elif self._keeper is not None:
            self._keeper.stop()

    def guard_block(self) -> None:
        """Cancel the running task, which has entered a block, when the lock is lost."""
        self._guarded = _running_task()
        self._cancelling = self._guarded.cancelling() if self._guarded else 0
        self.held.when_lost(self._end_block)

    def absorbs(self, error: BaseException | None) -> bool:
        """Tell whether `error` is our own cancellation, as `asyncio.timeout` decides it."""
        if not self._is_cancelled_by_us or self._guarded is None:
            return False
        remains = self._guarded.uncancel()
        return remains <= self._cancelling and isinstance(error, asyncio.CancelledError)

    def _end_block(self, _: Held) -> None:
        """End the holder's block; a holder that learned of the loss by asking itself is told by the answer."""
        if self._guarded is None:
            return
        loop = self._guarded.get_loop()
        if _running_loop() is not loop:
            loop.call_soon_threadsafe(self._cancel)
        elif asyncio.current_task() is not self._guarded:
            self._cancel()

    def _cancel(self) -> None:
        if self._guarded is not None and not self._is_cancelled_by_us:
            self._is_cancelled_by_us = True
            self._guarded.cancel(f"lost the lock {self.held.name!r}")


_grips: Final[dict[Key, Grip]] = {}  # an entry per held lock


def find_grip(key: Key) -> Grip | None:
    """Give what this flow of control holds."""
    return _grips.get(key)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _running_task() -> asyncio.Task[Any] | None:
    return asyncio.current_task() if _running_loop() is not None else None
