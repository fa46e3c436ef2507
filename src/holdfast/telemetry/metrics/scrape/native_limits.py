"""Native histograms within a job's limits: a resolution that is too fine is halved until it fits.

Source: Prometheus 3, `native_histogram_bucket_limit` and `native_histogram_min_bucket_factor`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.histograms import MIN_SCHEMA, Buckets, Histogram

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.scrape.config import Limits


def within_limits(histogram: Histogram, limits: Limits) -> Histogram:
    """Give the histogram, coarser where the limits ask for it.

    Raises:
        LimitError: it has too many buckets at the coarsest resolution too.
    """
    if limits.native_min_factor > 1:
        while histogram.schema > MIN_SCHEMA and 2.0**2.0**-histogram.schema < limits.native_min_factor:
            histogram = _halved(histogram)
    if limits.native_buckets:
        while _size(histogram) > limits.native_buckets:
            if histogram.schema <= MIN_SCHEMA:
                raise LimitError(f"native_histogram_bucket_limit exceeded: the limit is {limits.native_buckets}")
            histogram = _halved(histogram)
    return histogram


def _size(histogram: Histogram) -> int:
    return sum(count > 0 for side in (histogram.positive, histogram.negative) for count in side.counts)


def _halved(histogram: Histogram) -> Histogram:
    return replace(
        histogram,
        schema=histogram.schema - 1,
        positive=_merged(histogram.positive),
        negative=_merged(histogram.negative),
    )


def _merged(side: Buckets) -> Buckets:
    """Join each two buckets: `i` goes into `ceil(i / 2)`, which reaches up to the same bound."""
    if not side.counts:
        return side
    first = (side.first + 1) // 2
    last = (side.first + len(side.counts)) // 2
    counts = [0.0] * (last - first + 1)
    for index, count in enumerate(side.counts, start=side.first):
        counts[(index + 1) // 2 - first] += count
    return Buckets(first, tuple(counts))
