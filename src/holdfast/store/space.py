"""Watches the room on the disk, so that a full one is refused before the engine is half through a write.

Reads go on all the time. Writing resumes by itself as soon as there is room again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import StorageFullError, UnavailableError
from holdfast.kernel.units import format_size
from holdfast.store.metrics import StoreMetrics

PROBE_EVERY_S: Final = 1.0

FreeBytes = Callable[[], int]


def free_bytes_of(folder: Path) -> FreeBytes:
    """Give the probe of a folder's disk: the bytes that this process may still use there."""

    def probe() -> int:
        stat = os.statvfs(folder)
        return stat.f_bavail * stat.f_frsize

    return probe


class SpaceWatch:
    """Says no while there is no room.

    A server's disk is not ours to see: there `probe` is None and only its word counts.
    """

    def __init__(
        self, place: str, reserve_bytes: int, probe: FreeBytes | None, clock: Clock, metrics: StoreMetrics
    ) -> None:
        self._place = place
        self._reserve = reserve_bytes
        self._probe = probe
        self._clock = clock
        self._metrics = metrics
        self._next_look_s = 0.0
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why writes are refused now; empty if they are not."""
        return self._reason

    def check(self) -> None:
        """Return if a write may try.

        Raises:
            StorageFullError: there was too little room when last looked, less than a second ago.
            UnavailableError: the folder is gone.
        """
        now_s = self._clock.monotonic()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + PROBE_EVERY_S
            self._look()
        if self._reason:
            raise self.refusal()

    def refusal(self) -> StorageFullError:
        """Give the error for a write that is refused."""
        return StorageFullError(
            self._reason,
            hint="free some space, or shorten telemetry.retention; writing resumes by itself, reading goes on",
        )

    def report_full(self) -> StorageFullError:
        """Take the engine's word that a write found no room; for a second no other one is tried."""
        self._reason = f"the disk of {self._place} is full"
        self._next_look_s = self._clock.monotonic() + PROBE_EVERY_S
        self._metrics.is_full.set(1)
        return self.refusal()

    def _look(self) -> None:
        self._reason = ""
        if self._probe is not None:
            try:
                free = self._probe()
            except OSError as error:
                raise UnavailableError(
                    f"the store in {self._place} cannot be looked at: {error.strerror}",
                    hint="is its disk still mounted?",
                ) from error
            self._metrics.free_bytes.set(free)
            if free < self._reserve:
                self._reason = (
                    f"the disk of {self._place} has {format_size(free)} left, and telemetry.reserve keeps "
                    f"{format_size(self._reserve)}"
                )
        self._metrics.is_full.set(bool(self._reason))
