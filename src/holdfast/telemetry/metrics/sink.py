"""Where samples go in: turned into columns, their series announced, and acknowledged once the store has them.

`write` is for whoever can send again (remote write, OTLP, imports); `record` is for our own measurements, which are
dropped and counted when the store refuses.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.kernel.ids import TenantId
from holdfast.store import Store
from holdfast.telemetry.metrics.samples import Sample
from holdfast.telemetry.metrics.series import Life, SeriesCache, SeriesKey, series_key
from holdfast.telemetry.metrics.tables import SAMPLES, SERIES, STREAM

ANNOUNCE_EVERY: Final = timedelta(hours=1)
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """Bounds of a sink.

    Attributes:
        cached_series: series whose ids are remembered, about 500 bytes each.
        gather_s: how long `record` waits for more samples before it writes.
        gather_samples: samples that `record` holds at most.
    """

    cached_series: int = 200_000
    gather_s: float = 0.05
    gather_samples: int = 20_000


class MetricSink:
    """Writes samples of every tenant."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock | None = None,
        metrics: CollectorRegistry | None = None,
        settings: SinkSettings | None = None,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._settings = settings or SinkSettings()
        self._series = SeriesCache(self._settings.cached_series)
        self._gathered: dict[TenantId, list[Sample]] = {}
        self._count = 0
        self._gathering: asyncio.Task[None] | None = None
        registry = metrics or CollectorRegistry()
        self._dropped = Counter(
            "holdfast_metrics_samples_dropped",
            "Our own measurements that the store refused, by error code.",
            ("reason",),
            registry=registry,
        )
        self._cached = Gauge("holdfast_metrics_cached_series", "Series whose ids are remembered.", registry=registry)

    async def write(self, tenant: TenantId, samples: Iterable[Sample]) -> None:
        """Store `samples`; when this returns, the store has accepted all of them.

        Raises:
            InvalidError: a sample is out of range; nothing was stored.
            BusyError: too much is waiting; the same samples may be sent again.
            StorageFullError: the disk is full.
            UnavailableError: the store does not answer.
        """
        columns: dict[str, list[Any]] = {"series_id": [], "ts": [], "value": []}
        fresh: dict[SeriesKey, Life] = {}
        for sample in samples:
            if sample.at.tzinfo is None or sample.at < _EARLIEST:
                raise InvalidError(f"sample of {sample.name} at {sample.at}: time must be aware and from 1970 on")
            key = series_key(tenant, sample.name, sample.labels)
            identity, life = self._series.find(key)
            if life is None or not life.first <= sample.at < life.last + ANNOUNCE_EVERY:
                known = fresh.get(key)
                fresh[key] = known.stretched(sample.at) if known else Life(sample.at, sample.at)
            columns["series_id"].append(identity)
            columns["ts"].append(sample.at)
            columns["value"].append(sample.value)
        if not columns["ts"]:
            return
        if fresh:
            await self._announce(tenant, fresh)
        await self._store.writer(SAMPLES).write(columns, tenant=tenant)

    async def _announce(self, tenant: TenantId, fresh: Mapping[SeriesKey, Life]) -> None:
        rows: dict[str, list[Any]] = {
            "name": [name for _, name, _ in fresh],
            "series_id": [self._series.find(key)[0] for key in fresh],
            "labels": [labels for _, _, labels in fresh],
            "first_seen": [life.first for life in fresh.values()],
            "last_seen": [life.last for life in fresh.values()],
        }
        # A series must outlive its samples, the last of which come up to one announcement later.
        keep_s = self._store.retention.seconds(tenant, STREAM) + int(ANNOUNCE_EVERY.total_seconds())
        await self._store.writer(SERIES).write(rows, tenant=tenant, keep_s=keep_s)
        for key, life in fresh.items():
            self._series.announced(key, life)
        self._cached.set(len(self._series))

    def record(self, tenant: TenantId, name: str, labels: Mapping[str, str], at: datetime, value: float) -> None:
        """Take one measurement of our own; written within `gather_s` and the store's linger, without an answer."""
        if math.isnan(value):
            return
        if self._count >= self._settings.gather_samples:
            self._dropped.labels("busy").inc()
            return
        self._gathered.setdefault(tenant, []).append(Sample(name, labels, at, value))
        self._count += 1
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._gather(), name="metric-sink")

    async def _gather(self) -> None:
        while self._gathered:
            await self._clock.sleep(self._settings.gather_s)
            await self._write_gathered()

    async def _write_gathered(self) -> None:
        gathered, self._gathered, self._count = self._gathered, {}, 0
        answers = await asyncio.gather(
            *(self.write(tenant, samples) for tenant, samples in gathered.items()), return_exceptions=True
        )
        for samples, answer in zip(gathered.values(), answers, strict=True):
            if isinstance(answer, HoldfastError):
                self._dropped.labels(answer.code).inc(len(samples))
            elif answer is not None:
                raise answer

    async def close(self) -> None:
        """Write what was recorded; call it before the store is closed."""
        if self._gathering is not None:
            self._gathering.cancel()
            await asyncio.gather(self._gathering, return_exceptions=True)
        await self._write_gathered()
