"""The message types of `io.prometheus.client`, as field tables: what is needed of metrics.proto to read it.

Source: prometheus/client_model metrics.proto (field numbers and types). Built on first use, in a pool of its own, so
that it cannot clash with another package's copy.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from holdfast.telemetry.field_tables import FieldTable, message_class

_PACKAGE: Final = "io.prometheus.client"
_FIELDS: Final[FieldTable] = {
    "Timestamp": ((1, "seconds", "int64"), (2, "nanos", "int32")),
    "LabelPair": ((1, "name", "string"), (2, "value", "string")),
    "Exemplar": ((1, "label", "*LabelPair"), (2, "value", "double"), (3, "timestamp", "Timestamp")),
    "Gauge": ((1, "value", "double"),),
    "Counter": ((1, "value", "double"), (2, "exemplar", "Exemplar"), (3, "start", "Timestamp")),
    "Quantile": ((1, "quantile", "double"), (2, "value", "double")),
    "Summary": (
        (1, "sample_count", "uint64"),
        (2, "sample_sum", "double"),
        (3, "quantile", "*Quantile"),
        (4, "start", "Timestamp"),
    ),
    "Untyped": ((1, "value", "double"),),
    "Bucket": (
        (1, "cumulative_count", "uint64"),
        (2, "upper_bound", "double"),
        (3, "exemplar", "Exemplar"),
        (4, "cumulative_count_float", "double"),
    ),
    "BucketSpan": ((1, "offset", "sint32"), (2, "length", "uint32")),
    "Histogram": (
        (1, "sample_count", "uint64"),
        (2, "sample_sum", "double"),
        (3, "bucket", "*Bucket"),
        (4, "sample_count_float", "double"),
        (5, "schema", "sint32"),
        (6, "zero_threshold", "double"),
        (7, "zero_count", "uint64"),
        (8, "zero_count_float", "double"),
        (9, "negative_span", "*BucketSpan"),
        (10, "negative_delta", "*sint64"),
        (11, "negative_count", "*double"),
        (12, "positive_span", "*BucketSpan"),
        (13, "positive_delta", "*sint64"),
        (14, "positive_count", "*double"),
        (15, "start", "Timestamp"),
        (16, "exemplars", "*Exemplar"),
    ),
    "Metric": (
        (1, "label", "*LabelPair"),
        (2, "gauge", "Gauge"),
        (3, "counter", "Counter"),
        (4, "summary", "Summary"),
        (5, "untyped", "Untyped"),
        (6, "timestamp_ms", "int64"),
        (7, "histogram", "Histogram"),
    ),
    "MetricFamily": (
        (1, "name", "string"),
        (2, "help", "string"),
        (3, "type", "int32"),  # an enumeration on the wire is an int32
        (4, "metric", "*Metric"),
        (5, "unit", "string"),
    ),
}


@lru_cache(maxsize=1)
def metric_family() -> Any:
    """Give the class of the message MetricFamily."""
    return message_class(_FIELDS, _PACKAGE, "MetricFamily", syntax="proto2")
