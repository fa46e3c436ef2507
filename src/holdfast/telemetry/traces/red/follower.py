"""Counts spans as they are stored, and writes the counts as metrics every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast import journal
from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.traces.red.edges import Edges
from holdfast.telemetry.traces.red.operations import Operations
from holdfast.telemetry.traces.red.series import CALLS, CLIENT, DURATION, FAILED, REQUESTS, SERVER, Series, Sheet

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import ArrivalSink
    from holdfast.telemetry.traces.settings import SpanMetricsSettings
    from holdfast.telemetry.traces.spans import Spans

_LOG: Final = journal.get_logger("holdfast.traces")
_MOST_TENANTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Tenant:
    operations: Operations
    edges: Edges
    series: Series


class RedFollower:
    """A `SpanFollower`; `extra` are labels of every series, to tell several processes apart."""

    def __init__(
        self,
        sink: ArrivalSink,
        settings: SpanMetricsSettings,
        clock: Clock,
        *,
        metrics: CollectorRegistry | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._sink = sink
        self._settings = settings
        self._clock = clock
        self._extra = extra or {}
        self._tenants: dict[TenantId, _Tenant] = {}
        registry = metrics or CollectorRegistry()
        self._uncounted = Counter(
            "holdfast_traces_uncounted", "Spans and calls that found no room in metrics.", ("what",), registry=registry
        )
        self._waiting = Gauge(
            "holdfast_traces_calls_waiting", "Ends of calls whose other end has not come.", registry=registry
        )

    def spans_stored(self, tenant: TenantId, spans: Spans) -> None:
        """Count spans."""
        now_ms = self._now_ms()
        counted = self._tenants.get(tenant)
        if counted is None:
            if len(self._tenants) >= _MOST_TENANTS:
                self._uncounted.labels("span").inc(len(spans))
                return
            counted = _Tenant(Operations(self._settings.max_operations), Edges(self._settings), Series())
            self._tenants[tenant] = counted
        if lost := counted.operations.add(spans, now_ms):
            self._uncounted.labels("span").inc(lost)
        counted.edges.add(spans, now_ms)

    async def keep_written(self) -> None:
        """Write for ever."""
        while True:
            await self._clock.sleep(self._settings.every)
            await self.write()

    async def write(self) -> None:
        """Write what was counted; what a store refuses now is in the next one, for counts only grow."""
        now_ms = self._now_ms()
        for tenant, counted in list(self._tenants.items()):
            counted.edges.expire(now_ms)
            try:
                await self._sink.append(tenant, self._sheet(tenant, counted, now_ms).arrival(self._settings.every / 4))
            except HoldfastError as error:
                _LOG.warning("traces.metrics_not_written", tenant=tenant, error=error.code)
                counted.series.clear()
                continue
            self._wind_up(counted, now_ms)
        self._waiting.set(sum(counted.edges.waiting for counted in self._tenants.values()))

    def _sheet(self, tenant: TenantId, counted: _Tenant, now_ms: int) -> Sheet:
        book = self._sink.book(tenant)
        counted.series.renew(book.generation)
        sheet = Sheet(book, counted.series, now_ms, self._extra)
        for tallies in (counted.operations.tallies, counted.operations.overflow):
            for key, tally in tallies.by_key.items():
                sheet.counter(CALLS, key.labels, tally.calls, tally.since_ms)
                sheet.histogram(DURATION, key.labels, tally)
        for edge, both in counted.edges.by_key.items():
            sheet.counter(REQUESTS, edge.labels, both.client.calls, both.client.since_ms)
            sheet.counter(FAILED, edge.labels, both.failed, both.client.since_ms)
            sheet.histogram(CLIENT, edge.labels, both.client)
            sheet.histogram(SERVER, edge.labels, both.server)
        return sheet

    def _wind_up(self, counted: _Tenant, now_ms: int) -> None:
        """Let examples be replaced, and forget what is idle."""
        idle_since_ms = now_ms - int(self._settings.forget_idle * 1000)
        for tallies in (counted.operations.tallies, counted.operations.overflow):
            tallies.forget(idle_since_ms)
            for tally in tallies.by_key.values():
                tally.example = None
        for both in counted.edges.by_key.values():
            both.client.example = both.server.example = None
        if len(counted.series.refs) > 4 * (self._settings.max_operations + self._settings.max_edges):
            counted.series.clear()
        if counted.edges.lost:
            self._uncounted.labels("call").inc(counted.edges.lost)
            counted.edges.lost = 0

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
