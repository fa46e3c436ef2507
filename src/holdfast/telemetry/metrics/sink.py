"""Where samples go in: `append` for doors that keep references, `write` for whoever has single samples.

Both acknowledge what the store has accepted, and may be called again with the same when it refuses. `record` is for our
own measurements, which are dropped and counted then. The way into the store is `storing`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import ConflictError, HoldfastError, InvalidError
from holdfast.kernel.ids import TenantId
from holdfast.store import Store
from holdfast.telemetry.ledger import NO_LEDGER
from holdfast.telemetry.metrics.arrivals import Arrival, Written
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.samples import Sample
from holdfast.telemetry.metrics.settings import OWN_ORIGIN, MetricsSettings
from holdfast.telemetry.metrics.storing import Admission, Appending, Book, Everybody, Expiry, Feed
from holdfast.telemetry.metrics.tables import STREAM

if TYPE_CHECKING:
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.metrics.storing import KeepSeconds

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IDLE_SHARE: Final = 0.1  # forgetting makes every door ask for its series anew, so it must be worth it
_IDLE_LEAST: Final = 1000
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """Bounds of a sink.

    Attributes:
        gather_s: how long `record` waits for more samples before it writes.
        gather_samples: samples that `record` holds at most.
        record_patience_s: how long the store may gather what `record` took with others.
        keeping: the section `[metrics]`.
    """

    gather_s: float = 0.05
    gather_samples: int = 20_000
    record_patience_s: float = 1.0
    keeping: MetricsSettings = field(default_factory=MetricsSettings)


class MetricSink:
    """Writes samples of every tenant; an `ArrivalSink`."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock | None = None,
        metrics: CollectorRegistry | None = None,
        settings: SinkSettings | None = None,
        admission: Admission | None = None,
        keep_s: KeepSeconds | None = None,
        ledger: Notes = NO_LEDGER,
    ) -> None:
        """Prepare; nothing is written.

        Args:
            store: where samples go.
            clock: time of arrival.
            metrics: the registry that the app exposes.
            settings: bounds.
            admission: decides on new series; everybody comes in if not given.
            keep_s: how long the samples of a series stay; what the store's retention says if not given.
            ledger: where what was stored is noted, and what was not.
        """
        self._store = store
        self._clock = clock or SystemClock()
        self._settings = settings or SinkSettings()
        self._admission = admission or Everybody()
        self._keep_s = keep_s or self._keep_by_tenant
        self.feed = Feed()
        from_event = self._settings.keeping.retention_counts == "event"
        self._appending = Appending(store, Expiry(self._clock, from_event=from_event), self.feed, ledger)
        self._books: dict[TenantId, Book] = {}
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
        self._stored = Counter("holdfast_metrics_samples_stored", "Samples that the store accepted.", registry=registry)
        self._active = Gauge(
            "holdfast_metrics_active_series", "Series that got a sample lately.", ("tenant",), registry=registry
        )

    def _keep_by_tenant(self, tenant: TenantId, labels: Labels) -> int:
        del labels
        return self._store.retention.seconds(tenant, STREAM)

    def book(self, tenant: TenantId) -> Book:
        """Give the book of a tenant's series."""
        found = self._books.get(tenant)
        if found is None:
            found = self._books[tenant] = Book(tenant, self._admission, self._keep_s)
        return found

    @property
    def books(self) -> Mapping[TenantId, Book]:
        """The books of all tenants that this process writes for."""
        return self._books

    async def append(self, tenant: TenantId, arrival: Arrival) -> Written:
        """Store an arrival; when this returns, the store has accepted all that was not refused."""
        book = self.book(tenant)
        written = await self._appending.append(book, arrival)
        self._stored.inc(written.samples + written.histograms)
        self._active.labels(tenant).set(len(book))
        return written

    async def write(self, tenant: TenantId, samples: Iterable[Sample], *, patience_s: float | None = None) -> None:
        """Store `samples`; when this returns, the store has accepted all of them; `patience_s` as in `Arrival`.

        Raises:
            InvalidError: a sample is out of range; nothing was stored.
            BusyError: too much is waiting; the same samples may be sent again.
            StorageFullError: the disk is full.
            UnavailableError: the store does not answer.
        """
        known = [(_labels(sample), int(sample.at.timestamp() * 1000), sample.value) for sample in samples]
        for attempt in range(_TRIES):
            try:
                if known:
                    await self.append(tenant, _arrival(self.book(tenant), known, patience_s))
            except ConflictError:  # idle series were forgotten just now
                if attempt == _TRIES - 1:
                    raise
            else:
                return

    def record(self, tenant: TenantId, name: str, labels: Mapping[str, str], at: datetime, value: float) -> None:
        """Take one measurement of our own; written within `gather_s` and `record_patience_s`, without an answer."""
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
            await self._write_gathered(self._settings.record_patience_s)

    async def _write_gathered(self, patience_s: float | None = None) -> None:
        gathered, self._gathered, self._count = self._gathered, {}, 0
        answers = await asyncio.gather(
            *(self.write(tenant, samples, patience_s=patience_s) for tenant, samples in gathered.items()),
            return_exceptions=True,
        )
        for samples, answer in zip(gathered.values(), answers, strict=True):
            if isinstance(answer, HoldfastError):
                self._dropped.labels(answer.code).inc(len(samples))
            elif answer is not None:
                raise answer

    def forget_idle(self) -> None:
        """Give back the memory of series that get no samples any more, where they are many enough to be worth it."""
        before_s = int(self._clock.now().timestamp() - self._settings.keeping.forget_idle)
        for tenant, book in self._books.items():
            idle = int((book.used_s.live < before_s).sum())
            if idle >= max(_IDLE_LEAST, _IDLE_SHARE * len(book)):
                book.forget_idle(before_s)
                self._active.labels(tenant).set(len(book))

    async def close(self) -> None:
        """Write what was recorded; call it before the store is closed."""
        if self._gathering is not None:
            self._gathering.cancel()
            await asyncio.gather(self._gathering, return_exceptions=True)
        await self._write_gathered()


def _labels(sample: Sample) -> Labels:
    if sample.at.tzinfo is None or sample.at < _EARLIEST:
        raise InvalidError(f"sample of {sample.name} at {sample.at}: time must be aware and from 1970 on")
    return labels_of({**sample.labels, METRIC_NAME: sample.name})


def _arrival(book: Book, known: list[tuple[Labels, int, float]], patience_s: float | None) -> Arrival:
    refs = [book.ref(labels, origin=OWN_ORIGIN) for labels, _, _ in known]
    return Arrival(
        book.generation,
        np.array(refs, np.int64),
        np.array([ts_ms for _, ts_ms, _ in known], np.int64),
        np.array([value for _, _, value in known], np.float64),
        patience_s=patience_s,
    )
