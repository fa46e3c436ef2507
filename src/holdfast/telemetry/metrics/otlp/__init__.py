"""OTLP metrics as series, named and labelled as Prometheus' own OTLP receiver does it.

Owns the translation and the sums of delta streams. Refuses the transports, which all signals share (`telemetry.otlp`).
"""

from holdfast.telemetry.metrics.otlp.attributes import to_text, write_float
from holdfast.telemetry.metrics.otlp.naming import Kind, LabelStyle, Translation, label_name, metric_name
from holdfast.telemetry.metrics.otlp.options import OtlpOptions
from holdfast.telemetry.metrics.otlp.receiving import DOOR, OtlpMetrics
from holdfast.telemetry.metrics.otlp.service import PATHS, metrics_service
from holdfast.telemetry.metrics.otlp.settings import SECTION, OtlpMetricsSettings

__all__ = [
    "DOOR",
    "PATHS",
    "SECTION",
    "Kind",
    "LabelStyle",
    "OtlpMetrics",
    "OtlpMetricsSettings",
    "OtlpOptions",
    "Translation",
    "label_name",
    "metric_name",
    "metrics_service",
    "to_text",
    "write_float",
]
