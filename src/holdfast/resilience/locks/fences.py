"""The guard on the side of what a lock protects: it refuses whoever comes with an older token than it has seen.

A lock alone cannot stop a holder that was paused, lost the lock, and goes on: only the thing written to can. In a
database use `holdfast.resilience.sql.admit_token` inside the transaction that writes.
"""

from __future__ import annotations

import threading

from holdfast.resilience.locks.errors import StaleToken


class Fence:
    """Remembers the newest token that one resource of this process has seen."""

    __slots__ = ("_guard", "_newest", "resource")

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self._newest = 0
        self._guard = threading.Lock()

    @property
    def newest(self) -> int:
        """The newest token seen; 0 before the first."""
        return self._newest

    def admit(self, token: int) -> None:
        """Let `token` pass if none newer was seen; call it together with the write that it guards.

        Raises:
            StaleToken: The sender is not the holder any more.
        """
        with self._guard:
            if token < self._newest:
                raise StaleToken(
                    f"{self.resource!r} has seen token {self._newest}; {token} is of a holder that lost its lock"
                )
            self._newest = token
