"""What the doors of traces (OTLP, Zipkin) hand to the sink, and who else hears of spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.spans import Spans


@dataclass(frozen=True, slots=True)
class SpansWritten:
    """What became of spans that arrived."""

    spans: int = 0


class SpanSink(Protocol):
    """Where spans go; `TraceSink` is the real one, `MemoryTraces` its twin."""

    async def append(self, tenant: TenantId, spans: Spans) -> SpansWritten:
        """Store spans; when this returns, the store has accepted them.

        Raises:
            BusyError, StorageFullError, UnavailableError, LimitError: nothing is acknowledged; send it again.
        """
        ...


class SpanFollower(Protocol):
    """Hears of spans that were accepted: metrics from spans, the service map, tail sampling."""

    def spans_stored(self, tenant: TenantId, spans: Spans) -> None:
        """Take note; never blocks, and what it raises is a fault of its own that spans do not suffer from."""
        ...
