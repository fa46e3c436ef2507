"""A bounded number of places, given first come first served to threads and tasks alike."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import CancelledError, Future

__all__ = ["Places"]


class Places:
    """So many places; who finds none waits in line."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"{count} places are none: give at least 1")
        self._free = count
        self._guard = threading.Lock()
        self._waiting: deque[Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self, wait_s: float | None = None) -> bool:
        """Take a place; tell whether there was one within `wait_s`, without a bound if that is None."""
        ticket = self._ask()
        if ticket is None:
            return True
        try:
            ticket.result(wait_s)
        except TimeoutError:
            return not ticket.cancel()  # not, if the place came in the same moment
        except CancelledError:
            return False
        return True

    async def take_async(self) -> None:
        """Take a place."""
        ticket = self._ask()
        if ticket is None:
            return
        try:
            await asyncio.wrap_future(ticket)
        except asyncio.CancelledError:
            if not ticket.cancel() and not ticket.cancelled():  # the place came in the same moment: pass it on
                self.give_back()
            raise

    def give_back(self) -> None:
        """Free a place; the first in line has it."""
        with self._guard:
            while self._waiting:
                ticket = self._waiting.popleft()
                if ticket.set_running_or_notify_cancel():
                    ticket.set_result(None)
                    return
            self._free += 1

    def _ask(self) -> Future[None] | None:
        with self._guard:
            if self._free:
                self._free -= 1
                return None
            ticket: Future[None] = Future()
            self._waiting.append(ticket)
            return ticket
