"""Cutting a histogram at a value, for the operators `</` (keep what lies below) and `>/` (keep what lies above).

Observations of a bucket that is cut are shared out as quantiles do it; a bucket without end goes whole where nothing
tells how its observations lie. Follows Prometheus' `FloatHistogram.TrimBuckets`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, compact
from holdfast.telemetry.metrics.promql.histograms.arithmetic import quotient
from holdfast.telemetry.metrics.promql.histograms.layout import (
    Bucket,
    negative_buckets,
    positive_buckets,
    zero_bucket,
)

_Kept = tuple[float, float]
"""How many observations stay, and the value that stands for each of them."""


def trim(histogram: Histogram, value: float, *, is_upper: bool) -> Histogram:
    """Give the histogram without what lies above `value` (`is_upper`) or below it.

    Count and sum stay exact if nothing was cut; otherwise they are estimated anew from the buckets that are left.
    """
    cut = _Cut(value, is_upper=is_upper, is_linear=histogram.is_custom)
    positive = cut.side(positive_buckets(histogram), histogram.positive, sign=1.0)
    negative = cut.side(negative_buckets(histogram), histogram.negative, sign=-1.0)
    zero_count = histogram.zero_count
    if zero_count > 0:
        has_positive, has_negative = any(histogram.positive.counts), any(histogram.negative.counts)
        zero = zero_bucket(histogram)
        lower = 0.0 if has_positive and not has_negative else zero.lower
        upper = 0.0 if has_negative and not has_positive else zero.upper
        zero_count = cut.take(zero_count, _of_zero_bucket(zero_count, lower, upper, value, is_upper=is_upper))
    if not cut.has_cut:
        return histogram
    return compact(
        replace(
            histogram,
            count=cut.count,
            sum=cut.sum,
            zero_count=zero_count,
            positive=positive,
            negative=negative,
        )
    )


class _Cut:
    """The cut as it goes through the buckets: what is left of count and sum so far."""

    def __init__(self, value: float, *, is_upper: bool, is_linear: bool) -> None:
        self.value, self.is_upper, self.is_linear = value, is_upper, is_linear
        self.count = self.sum = 0.0
        self.has_cut = False

    def side(self, buckets: Iterable[Bucket], side: Buckets, *, sign: float) -> Buckets:
        counts = tuple([self.take(bucket.count, self._of(bucket, sign)) if bucket.count else 0.0 for bucket in buckets])
        return Buckets(side.first, counts) if counts else side

    def take(self, count: float, kept: _Kept) -> float:
        self.count += kept[0]
        self.sum += kept[0] * kept[1]
        self.has_cut |= kept[0] != count
        return kept[0]

    def _of(self, bucket: Bucket, sign: float) -> _Kept:
        lower, upper, value = bucket.lower, bucket.upper, self.value
        if upper <= value if self.is_upper else lower >= value:
            return bucket.count, self._middle(lower, upper, sign)
        is_within = lower < value if self.is_upper else upper > value
        if not is_within:
            return 0.0, 0.0
        if math.isinf(lower) or math.isinf(upper):
            return _of_endless(bucket, value, is_upper=self.is_upper)
        below = bucket.count * self._share(bucket, sign)
        if self.is_upper:
            return below, self._middle(lower, value, sign)
        return bucket.count - below, self._middle(value, upper, sign)

    def _share(self, bucket: Bucket, sign: float) -> float:
        lower, upper, value = bucket.lower, bucket.upper, self.value
        if self.is_linear:
            return (value - lower) / (upper - lower)
        low, high, at = math.log2(abs(lower)), math.log2(abs(upper)), math.log2(abs(value))
        return (at - low) / (high - low) if sign > 0 else 1 - (at - high) / (low - high)

    def _middle(self, lower: float, upper: float, sign: float) -> float:
        if math.isinf(lower):
            if math.isinf(upper):
                return 0.0
            return upper / 2 if upper > 0 else upper
        if math.isinf(upper):
            return lower
        return (lower + upper) / 2 if self.is_linear else sign * math.sqrt(abs(lower * upper))


def _of_zero_bucket(count: float, lower: float, upper: float, value: float, *, is_upper: bool) -> _Kept:
    """Share out the zero bucket evenly between its bounds."""
    if value <= lower:
        return (0.0, 0.0) if is_upper else (count, (lower + upper) / 2)
    if value >= upper:
        return (count, (lower + upper) / 2) if is_upper else (0.0, 0.0)
    if is_upper:
        return count * quotient(value - lower, upper - lower), (lower + value) / 2
    return count * quotient(upper - value, upper - lower), (value + upper) / 2


def _of_endless(bucket: Bucket, value: float, *, is_upper: bool) -> _Kept:
    """Cut a bucket that reaches to an infinity; with a positive upper bound it is taken to begin at zero."""
    lower, upper, count = bucket.lower, bucket.upper, bucket.count
    if lower == -math.inf:
        is_from_zero = 0 < upper < math.inf
        if is_upper:
            if is_from_zero and value > 0:
                return count * value / upper, value / 2
            return (count, value) if upper <= 0 else (0.0, 0.0)
        if is_from_zero and value >= 0:
            return count * (1 - value / upper), (value + upper) / 2
        return 0.0, 0.0
    if is_upper or value < lower:
        return 0.0, 0.0
    return count, value
