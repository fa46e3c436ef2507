"""Reads the host again and again, in a thread, and hands every number on as a metric; keeps the newest snapshot.

The first reading is at once, the second a second later, because rates need two; from then on they lie on a grid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from holdfast import journal
from holdfast.health.host.reading import HostReader
from holdfast.health.host.samples import name_samples
from holdfast.health.host.snapshot import HostSnapshot
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId

_FIRST_PAUSE_S: Final = 1.0

_log = journal.get_logger()


class Recorder(Protocol):
    """Where numbers go; `telemetry.MetricSink` is one."""

    def record(self, tenant: TenantId, name: str, labels: Mapping[str, str], at: datetime, value: float) -> None:
        """Take one measurement; must not block."""
        ...


class HostSampler:
    """Measures this host for as long as `run` runs."""

    def __init__(self, reader: HostReader, recorder: Recorder, clock: Clock, every_s: float) -> None:
        self._reader = reader
        self._recorder = recorder
        self._clock = clock
        self._every_s = every_s
        self._latest: HostSnapshot | None = None

    @property
    def latest(self) -> HostSnapshot:
        """Give the newest snapshot.

        Raises:
            UnavailableError: there is none yet.
        """
        if self._latest is None:
            raise UnavailableError("this host has not been measured yet", hint="is host.enabled true in this process?")
        return self._latest

    async def run(self) -> None:
        """Measure for ever."""
        began_s, turn = self._clock.monotonic(), 0
        await self.measure()
        await self._clock.sleep(min(_FIRST_PAUSE_S, self._every_s))
        while True:
            await self.measure()
            passed_s = self._clock.monotonic() - began_s
            turn = max(turn + 1, int(passed_s // self._every_s) + 1)  # what was slept through is not made up for
            await self._clock.sleep(began_s + turn * self._every_s - self._clock.monotonic())

    async def measure(self) -> None:
        """Take one reading and record it; a machine that cannot be read at all leaves the last one in place."""
        try:
            snapshot = await asyncio.to_thread(self._reader.read)
        except OSError as error:
            _log.warning("host.unreadable", error=str(error))
            return
        self._latest = snapshot
        for sample in name_samples(snapshot):
            self._recorder.record(DEFAULT_TENANT, sample.name, sample.labels, snapshot.at, sample.value)
