"""Metrics as a service of OTLP."""

from __future__ import annotations

from typing import Any, Final

from holdfast.telemetry.metrics.otlp.receiving import OtlpMetrics
from holdfast.telemetry.otlp import Service

PATHS: Final = ("/v1/metrics", "/prometheus/api/v1/otlp/v1/metrics")


def metrics_service(door: OtlpMetrics) -> Service:
    """Give the service over `door`."""
    return Service(
        name="opentelemetry.proto.collector.metrics.v1.MetricsService",
        permission="metrics.write",
        messages=_messages,
        rejected_field="rejected_data_points",
        export=door.export,
    )


def _messages() -> tuple[Any, Any]:
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as pb  # noqa: PLC0415 -- loads slowly

    return pb.ExportMetricsServiceRequest, pb.ExportMetricsServiceResponse
