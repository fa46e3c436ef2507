"""Metrics as a service of OTLP."""

from __future__ import annotations

from typing import Any, Final

from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.crowds import Tree
from holdfast.telemetry.ledger import Signal
from holdfast.telemetry.metrics.otlp.receiving import DOOR, OtlpMetrics
from holdfast.telemetry.otlp import Service

_KINDS: Final = (5, 7, 9, 10, 11)  # gauge, sum, histogram, exponential histogram, summary
_POINTS: Final[Tree] = {1: {}}
PATHS: Final = ("/v1/metrics", "/prometheus/api/v1/otlp/v1/metrics")


def metrics_service(door: OtlpMetrics, backlog: Backlog | None = None) -> Service:
    """Give the service over `door`."""
    return Service(
        door=DOOR,
        name="opentelemetry.proto.collector.metrics.v1.MetricsService",
        signal=Signal.METRICS,
        permission="metrics.write",
        messages=_messages,
        rejected_field="rejected_data_points",
        export=door.export,
        rows={1: {2: {2: dict.fromkeys(_KINDS, _POINTS)}}},
        backlog=backlog or Backlog(),
    )


def _messages() -> tuple[Any, Any]:
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as pb  # noqa: PLC0415 -- loads slowly

    return pb.ExportMetricsServiceRequest, pb.ExportMetricsServiceResponse
