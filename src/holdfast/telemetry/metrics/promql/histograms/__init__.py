"""What PromQL does with histograms, native and classic: their text, their arithmetic, estimates from their buckets.

Knows values and their annotations, nothing of series, steps or where samples come from: that is `evaluation`'s.
"""

from holdfast.telemetry.metrics.promql.histograms.layout import Bucket, all_buckets, compact
from holdfast.telemetry.metrics.promql.histograms.notation import (
    describe_histogram,
    parse_histogram,
    write_histogram,
    write_number,
)

__all__ = [
    "Bucket",
    "all_buckets",
    "compact",
    "describe_histogram",
    "parse_histogram",
    "write_histogram",
    "write_number",
]
