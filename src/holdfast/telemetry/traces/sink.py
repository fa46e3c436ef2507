"""Where spans go in: acknowledged when the store has accepted them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from prometheus_client import CollectorRegistry, Counter

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.ledger import NO_LEDGER, Reason, Signal, is_answering, reason_of_error
from holdfast.telemetry.traces.arrivals import SpansWritten
from holdfast.telemetry.traces.feed import SpanFeed
from holdfast.telemetry.traces.rows import expiry, span_rows
from holdfast.telemetry.traces.tables import SPANS, STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.traces.spans import Spans


_NS_PER_S: Final = 10**9
_AT_ONCE: Final = 200  # spans that are made ready in the event loop, some milliseconds


class SpanScrubber(Protocol):
    """Takes secrets and personal data out, before anything is queued, stored or followed."""

    def scrub(self, tenant: TenantId, spans: Spans) -> Spans:
        """Give the spans as they may be kept: as many, in the same order; may run in a thread."""
        ...


class NoSpanScrubber:
    """Leaves everything as it is."""

    def scrub(self, tenant: TenantId, spans: Spans) -> Spans:
        """Give the spans back."""
        del tenant
        return spans


class TraceSink:
    """Writes spans of every tenant; a `SpanSink`."""

    def __init__(
        self,
        store: Store,
        *,
        metrics: CollectorRegistry | None = None,
        scrubber: SpanScrubber | None = None,
        keep_until_s: Callable[[TenantId], int] | None = None,
        ledger: Notes = NO_LEDGER,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; `keep_until_s` gives when spans expire that come now, instead of what the retention says."""
        self._store = store
        self._scrubber = scrubber or NoSpanScrubber()
        self.feed = SpanFeed()
        self._keep_until_s = keep_until_s
        self._ledger = ledger
        self._clock = clock or SystemClock()
        self._stored = Counter(
            "holdfast_traces_spans_stored",
            "Spans that the store accepted.",
            registry=metrics or CollectorRegistry(),
        )

    async def append(self, tenant: TenantId, spans: Spans) -> SpansWritten:
        """Store spans; when this returns, the store has accepted them."""
        if not len(spans):
            return SpansWritten()
        if len(spans) <= _AT_ONCE:
            spans, rows = self._prepare(tenant, spans)
        else:
            spans, rows = await asyncio.to_thread(self._prepare, tenant, spans)
        if self._keep_until_s is not None:
            rows |= expiry(len(spans), self._keep_until_s(tenant))
        try:
            await self._store.writer(SPANS).write(rows, tenant=tenant)
        except HoldfastError as error:
            if is_answering():
                self._note(tenant, spans, rows, reason_of_error(error))
            raise
        self._stored.inc(len(spans))
        are_old = self._too_old(tenant, spans)
        if are_old is None:
            self._note(tenant, spans, rows, None)
        else:
            self._note(tenant, spans, rows, None, ~are_old)
            self._note(tenant, spans, rows, Reason.TOO_OLD, are_old)
        self.feed.publish(tenant, spans)
        return SpansWritten(len(spans))

    def _too_old(self, tenant: TenantId, spans: Spans) -> npt.NDArray[np.bool_] | None:
        """Tell which spans the engine lets go with its next cleaning, for their time is over; None if it keeps all."""
        if self._keep_until_s is not None:
            return None
        begins_ns = int(self._clock.now().timestamp() - self._store.retention.seconds(tenant, STREAM)) * _NS_PER_S
        are_old: npt.NDArray[np.bool_] = spans.starts_ns < begins_ns
        return are_old if are_old.any() else None

    def _note(
        self,
        tenant: TenantId,
        spans: Spans,
        rows: dict[str, Any],
        reason: Reason | None,
        which: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        size = sum(column.nbytes for column in rows.values()) // len(spans)
        codes = spans.services.codes if which is None else spans.services.codes[which]
        self._ledger.note_each(tenant, Signal.TRACES, reason, services=spans.services.values, codes=codes, sizes=size)

    def _prepare(self, tenant: TenantId, spans: Spans) -> tuple[Spans, dict[str, Any]]:
        scrubbed = self._scrubber.scrub(tenant, spans)
        return scrubbed, span_rows(scrubbed)
