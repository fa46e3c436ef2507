"""Where spans go in: acknowledged when the store has accepted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter

from holdfast.telemetry.traces.arrivals import SpansWritten
from holdfast.telemetry.traces.feed import SpanFeed
from holdfast.telemetry.traces.rows import span_rows
from holdfast.telemetry.traces.tables import SPANS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.traces.spans import Spans


class TraceSink:
    """Writes spans of every tenant; a `SpanSink`."""

    def __init__(self, store: Store, *, metrics: CollectorRegistry | None = None) -> None:
        self._store = store
        self.feed = SpanFeed()
        self._stored = Counter(
            "holdfast_traces_spans_stored",
            "Spans that the store accepted.",
            registry=metrics or CollectorRegistry(),
        )

    async def append(self, tenant: TenantId, spans: Spans) -> SpansWritten:
        """Store spans; when this returns, the store has accepted them."""
        if not len(spans):
            return SpansWritten()
        await self._store.writer(SPANS).write(span_rows(spans), tenant=tenant)
        self._stored.inc(len(spans))
        self.feed.publish(tenant, spans)
        return SpansWritten(len(spans))
