"""Takes results from the engine, which must not wait, and brings them into the store in batches.

While the store refuses, results wait within a bound; beyond it the oldest are given up and counted. Samples for the
metric store are made in `samples`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from holdfast.health.engine import Result
from holdfast.health.history.samples import to_samples
from holdfast.health.history.schema import HOURS, PHASES, RESULTS
from holdfast.health.metrics import HealthMetrics
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.resilience import Backoff, Pauses
from holdfast.store import Store
from holdfast.telemetry import MetricSink, Sample

_LINGER_S: Final = 0.5
_HOURS_EVERY_S: Final = 15.0
_BACKOFF: Final = Backoff(base_s=0.5, cap_s=10.0, jitter="none")
_BATCH: Final = 1_000  # more at once would keep the event loop from the schedule for too long
_SAMPLES: Final = 1_000
HOURS_KEPT_S: Final = 400 * 86_400

_Hour = tuple[str, datetime]


class Recorder:
    """The queue between engine and store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: HealthMetrics,
        *,
        sink: MetricSink | None = None,
        queue: int = 200_000,
        tenant: TenantId = DEFAULT_TENANT,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._sink = sink
        self._tenant = tenant
        self._queue: deque[Result] = deque(maxlen=queue)
        self._hours: dict[_Hour, dict[Verdict, float]] = {}
        self._hours_written_s = clock.monotonic()
        self._arrived = asyncio.Event()

    def add(self, result: Result) -> None:
        """Queue a result; never waits."""
        if len(self._queue) == self._queue.maxlen:
            self._metrics.results_dropped.inc()
        self._queue.append(result)
        self._metrics.results_waiting.set(len(self._queue))
        self._arrived.set()

    async def run(self) -> None:
        """Bring results into the store until cancelled; a store that refuses is tried again."""
        pauses = Pauses(_BACKOFF)
        while True:
            await self._arrived.wait()
            await self._clock.sleep(_LINGER_S)
            self._arrived.clear()
            try:
                await self.flush(is_last=False)
                pauses.reset()
            except HoldfastError:
                self._arrived.set()
                await self._clock.sleep(pauses.next_s())

    async def flush(self, *, is_last: bool = True) -> None:
        """Write what waits; what the store refuses stays queued.

        Raises:
            HoldfastError: the store refused.
        """
        while self._queue:
            batch = [self._queue[index] for index in range(min(_BATCH, len(self._queue)))]
            await self._store.writer(RESULTS).write(to_columns(batch), tenant=self._tenant)
            self._forget(batch)
            await self._write_samples(batch)
        now_s = self._clock.monotonic()
        if self._hours and (is_last or now_s - self._hours_written_s >= _HOURS_EVERY_S):
            await self._write_hours()
            self._hours_written_s = now_s

    def _forget(self, batch: Sequence[Result]) -> None:
        for result in batch:
            if self._queue and self._queue[0] is result:  # the oldest may have been given up meanwhile
                self._queue.popleft()
            hour = (result.check, result.at.replace(minute=0, second=0, microsecond=0))
            if result.held_s:
                seconds = self._hours.setdefault(hour, dict.fromkeys(Verdict, 0.0))
                seconds[result.held_verdict] += result.held_s
        self._metrics.results_waiting.set(len(self._queue))

    async def _write_samples(self, batch: Sequence[Result]) -> None:
        """Samples are not tried again: the results hold the same facts, and the next samples come in seconds."""
        if self._sink is None:
            return
        samples = [sample for result in batch for sample in to_samples(result)]
        parts = [samples[start : start + _SAMPLES] for start in range(0, len(samples), _SAMPLES)]
        await asyncio.gather(*(self._write_part(self._sink, part) for part in parts))

    async def _write_part(self, sink: MetricSink, part: Sequence[Sample]) -> None:
        try:
            await sink.write(self._tenant, part)
        except HoldfastError:
            self._metrics.samples_dropped.inc(len(part))

    async def _write_hours(self) -> None:
        hours, self._hours = self._hours, {}
        columns: dict[str, list[Any]] = {
            "check_name": [name for name, _ in hours],
            "hour": [hour for _, hour in hours],
            **{f"{verdict.value}_s": [seconds[verdict] for seconds in hours.values()] for verdict in Verdict},
        }
        try:
            await self._store.writer(HOURS).write(columns, tenant=self._tenant, keep_s=HOURS_KEPT_S)
        except HoldfastError:
            for hour, seconds in hours.items():
                known = self._hours.setdefault(hour, dict.fromkeys(Verdict, 0.0))
                for verdict, held_s in seconds.items():
                    known[verdict] += held_s
            raise


def to_columns(results: Sequence[Result]) -> dict[str, list[Any]]:
    """Give results as the columns of `check_results`."""
    return {
        "check_name": [result.check for result in results],
        "at": [result.at for result in results],
        "verdict": [result.verdict.value for result in results],
        "observed": [result.observed.value for result in results],
        "message": [result.message for result in results],
        "duration_s": [result.duration_s for result in results],
        **{phase: [getattr(result.phases, phase) for result in results] for phase in PHASES},
        "attempts": [min(result.attempts, 255) for result in results],
        "facts": [orjson.dumps(dict(result.facts)).decode() if result.facts else "" for result in results],
        "blocked_by": [result.blocked_by or "" for result in results],
        "held_verdict": [result.held_verdict.value for result in results],
        "held_s": [result.held_s for result in results],
        "is_maintenance": [result.is_maintenance for result in results],
    }
