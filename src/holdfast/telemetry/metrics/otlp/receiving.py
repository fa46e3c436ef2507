"""Takes an OTLP request of metrics in: converts it in slices, and waits until the store has accepted it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import BusyError, ConflictError, HoldfastError
from holdfast.telemetry.crowds import refuse_crowded_attributes
from holdfast.telemetry.metrics.arrivals import MetricMetadata, Written
from holdfast.telemetry.metrics.intake import IntakeMeters, KnownSeries, LabelLimits, Refusals
from holdfast.telemetry.metrics.otlp.conversion import NS_PER_MS, Conversion, Sender
from holdfast.telemetry.metrics.otlp.deltas import Deltas
from holdfast.telemetry.metrics.otlp.origins import TARGET_INFO, Origin, read_origin, scope_labels
from holdfast.telemetry.metrics.otlp.points import DELTA, WITH_TEMPORALITY, convert
from holdfast.telemetry.metrics.otlp.settings import OtlpMetricsSettings
from holdfast.telemetry.otlp import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import ArrivalSink
    from holdfast.telemetry.metrics.otlp.options import OtlpOptions

DOOR: Final = "otlp_metrics"
SLICE: Final = 500  # points converted before the event loop gets its turn, some 5 ms
ATTEMPTS: Final = 3
MOST_TENANTS: Final = 10_000


class OtlpMetrics:
    """The door of OTLP metrics."""

    def __init__(
        self,
        sink: ArrivalSink,
        *,
        clock: Clock | None = None,
        settings: OtlpMetricsSettings | None = None,
        options: Callable[[TenantId], OtlpOptions | None] = lambda _tenant: None,
        limits: LabelLimits | None = None,
        meters: IntakeMeters | None = None,
    ) -> None:
        self._sink = sink
        self._clock = clock or SystemClock()
        self._settings = settings or OtlpMetricsSettings()
        self._options = options
        self._limits = limits or LabelLimits()
        self._meters = meters or IntakeMeters()
        self._known = KnownSeries(self._settings.known_series, self._clock)
        self._deltas: dict[TenantId, tuple[Deltas, asyncio.Lock]] = {}

    async def export(self, tenant: TenantId, request: Any) -> Rejected:
        """Store an `ExportMetricsServiceRequest`; when this returns, the store has all that was not rejected.

        Raises:
            BusyError, StorageFullError, UnavailableError: nothing was stored, the same may be sent again.
        """
        deltas, lock = self._deltas_of(tenant)
        try:
            # A delta point is added once, whatever else arrives while the store works.
            async with lock if has_deltas(request) else contextlib.nullcontext():
                written, refusals = await self._store(tenant, request, deltas)
        except HoldfastError as error:
            self._meters.failed.labels(DOOR, error.code).inc()
            raise
        self._meters.note(tenant, DOOR, written, refusals)
        return Rejected(refusals.total, refusals.describe() if refusals else "")

    async def _store(self, tenant: TenantId, request: Any, deltas: Deltas) -> tuple[Written, Refusals]:
        for _ in range(ATTEMPTS):
            book = self._sink.book(tenant)
            memory = self._known.of(tenant, book.generation)
            change = deltas.open(self._clock.monotonic())
            options = self._options(tenant) or self._settings.options(tenant)
            into = Conversion(book, memory, options, self._limits, change)
            if not await self._convert(request, into):
                continue
            try:
                arrival = into.columns.arrival(memory.generation)
                written = await self._sink.append(tenant, arrival) if into.columns else Written()
            except ConflictError:
                continue
            into.commit()
            into.columns.refusals.add_all(written.refused)
            return written, into.columns.refusals
        raise BusyError("the known series changed several times during this request", hint="send it again")

    async def _convert(self, request: Any, into: Conversion) -> bool:
        """Tell whether the references are still good at the end."""
        spent_s, started_s = 0.0, time.perf_counter()
        for _ in _walk(request, into):
            spent_s += time.perf_counter() - started_s
            await asyncio.sleep(0)
            started_s = time.perf_counter()
            if into.book.generation != into.memory.generation:
                return False
        self._meters.decoding.labels(DOOR).observe(spent_s + time.perf_counter() - started_s)
        return True

    def _deltas_of(self, tenant: TenantId) -> tuple[Deltas, asyncio.Lock]:
        known = self._deltas.get(tenant)
        if known is None:
            if len(self._deltas) >= MOST_TENANTS:
                self._deltas = {name: each for name, each in self._deltas.items() if len(each[0]) or each[1].locked()}
            deltas = Deltas(self._settings.delta_streams, self._settings.delta_idle)
            known = self._deltas[tenant] = (deltas, asyncio.Lock())
        return known


def _walk(request: Any, into: Conversion) -> Iterator[None]:
    points, options = 0, into.options
    mark = repr(options).encode()  # under other options the same sender has series with other labels
    for part in request.resource_metrics:
        refuse_crowded_attributes(part.resource.attributes)
        origin = read_origin(part.resource, options)
        resource = part.resource.SerializeToString()
        newest_ns = 0
        for scoped in part.scope_metrics:
            refuse_crowded_attributes(scoped.scope.attributes)
            key = mark + resource + b"\xff" + scoped.scope.SerializeToString() + b"\xff" + scoped.schema_url.encode()
            number = into.memory.numbers.setdefault(key, len(into.memory.numbers) + 1)
            labels = scope_labels(scoped.scope, scoped.schema_url, options) | origin.labels
            into.sender = Sender(number, blake2b(key, digest_size=16).digest(), labels, origin.promoted, origin.name)
            for metric in scoped.metrics:
                points += convert(metric, into)
                newest_ns = max(newest_ns, newest_of(metric))
                if points >= SLICE:
                    points = 0
                    yield
        _add_info(origin, newest_ns, into)


def has_deltas(request: Any) -> bool:
    """Tell whether any metric of a request counts anew with every point."""
    for part in request.resource_metrics:
        for scoped in part.scope_metrics:
            for metric in scoped.metrics:
                kind = metric.WhichOneof("data")
                if kind in WITH_TEMPORALITY and getattr(metric, kind).aggregation_temporality == DELTA:
                    return True
    return False


def newest_of(metric: Any) -> int:
    """Give the time of the newest point, in ns."""
    kind = metric.WhichOneof("data")
    return max((point.time_unix_nano for point in getattr(metric, kind).data_points), default=0) if kind else 0


def _add_info(origin: Origin, newest_ns: int, into: Conversion) -> None:
    if not origin.info or not newest_ns:
        return
    ref = into.memory.refs.get(origin.info)
    if ref is None:
        ref = into.enter(origin.info, origin.name)
        if ref >= 0:
            into.memory.refs[origin.info] = ref
        into.describe(MetricMetadata(TARGET_INFO, "gauge", "Target metadata"))
    if ref >= 0:
        into.columns.add(ref, newest_ns // NS_PER_MS, 1.0)
