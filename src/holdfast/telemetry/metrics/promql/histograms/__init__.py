"""What PromQL does with histograms, native and classic: their text, their arithmetic, estimates from their buckets.

Knows values and which annotations they call for, nothing of series, of steps (but `classic_*`) or of where samples come
from: that is `evaluation`'s.
"""

from holdfast.telemetry.metrics.custom_buckets import native_from_classic
from holdfast.telemetry.metrics.histograms import compact
from holdfast.telemetry.metrics.promql.histograms.arithmetic import (
    Combined,
    IncompatibleSchemasError,
    add,
    divide,
    equals,
    scale,
    sub,
    with_hint,
)
from holdfast.telemetry.metrics.promql.histograms.classic import (
    BucketEstimate,
    ClassicQuantiles,
    bucket_fraction,
    bucket_quantile,
    classic_fractions,
    classic_quantiles,
)
from holdfast.telemetry.metrics.promql.histograms.estimates import Estimate, fraction, quantile, stddev, stdvar
from holdfast.telemetry.metrics.promql.histograms.layout import Bucket, all_buckets, json_buckets
from holdfast.telemetry.metrics.promql.histograms.notation import (
    describe_histogram,
    parse_histogram,
    write_histogram,
    write_number,
)
from holdfast.telemetry.metrics.promql.histograms.ranges import (
    Interpolated,
    RangeDelta,
    extended_rate_of,
    interpolate,
    is_start_reset,
    rate_of,
)
from holdfast.telemetry.metrics.promql.histograms.reconciliation import copy_to_schema
from holdfast.telemetry.metrics.promql.histograms.resets import detects_reset, settle_hints, stats_hints
from holdfast.telemetry.metrics.promql.histograms.stacks import Stack
from holdfast.telemetry.metrics.promql.histograms.sums import mean_of, sum_of
from holdfast.telemetry.metrics.promql.histograms.trimming import trim

__all__ = [
    "Bucket",
    "BucketEstimate",
    "ClassicQuantiles",
    "Combined",
    "Estimate",
    "IncompatibleSchemasError",
    "Interpolated",
    "RangeDelta",
    "Stack",
    "add",
    "all_buckets",
    "bucket_fraction",
    "bucket_quantile",
    "classic_fractions",
    "classic_quantiles",
    "compact",
    "copy_to_schema",
    "describe_histogram",
    "detects_reset",
    "divide",
    "equals",
    "extended_rate_of",
    "fraction",
    "interpolate",
    "is_start_reset",
    "json_buckets",
    "mean_of",
    "native_from_classic",
    "parse_histogram",
    "quantile",
    "rate_of",
    "scale",
    "settle_hints",
    "stats_hints",
    "stddev",
    "stdvar",
    "sub",
    "sum_of",
    "trim",
    "with_hint",
    "write_histogram",
    "write_number",
]
