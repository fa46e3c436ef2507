"""What a native histogram lets one estimate of its observations: quantiles, fractions, variance.

Within an exponential bucket observations are taken to be even on a logarithmic scale, within the zero bucket and
within buckets of one's own bounds on a linear one (Prometheus' promql/quantile.go). Classic histograms: `classic`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.promql.histograms.arithmetic import quotient
from holdfast.telemetry.metrics.promql.histograms.layout import Bucket, all_buckets, bound


class Estimate(NamedTuple):
    """A value with what has to be said about it.

    Notes, all about observations of NaN: `nan_result` (the quantile is NaN for them), `nan_skew` (it is too high),
    `nan_excluded` (no fraction holds them).
    """

    value: float
    notes: tuple[str, ...] = ()


def quantile(q: float, histogram: Histogram) -> Estimate:
    """Estimate the value below which the share `q` of the observations lies.

    NaN without observations or where `q` is NaN, -Inf below 0, +Inf above 1.
    """
    if math.isnan(q) or not 0 <= q <= 1:
        return Estimate(q * math.inf if q else math.nan)
    if histogram.count == 0:
        return Estimate(math.nan)
    has_nan_sum = math.isnan(histogram.sum)
    is_upwards = has_nan_sum or q < 0.5  # the shorter way, and the only one where NaNs are in the count
    counts = _ascending(histogram)
    rank = (q if is_upwards else 1 - q) * histogram.count
    place, seen = _reached(counts if is_upwards else counts[::-1], rank)
    bucket = _bucket(histogram, counts, place if is_upwards else len(counts) - 1 - place)
    edge = _endless_edge(histogram, bucket)
    if edge is not None:
        return Estimate(edge)
    if histogram.is_custom and bucket.lower == -math.inf:
        bucket = _moved(bucket, lower=0.0)
    elif not histogram.is_custom and bucket.lower < 0 < bucket.upper:
        bucket = _cut_at_zero(histogram, bucket)
    seen = min(seen, histogram.count)
    if seen < rank:
        return Estimate(math.nan, ("nan_result",)) if has_nan_sum else Estimate(bucket.upper)
    rank = rank - (seen - bucket.count) if is_upwards else seen - rank
    notes = ("nan_skew",) if has_nan_sum and seen + sum(counts[place + 1 :]) < histogram.count else ()
    return Estimate(_interpolated(histogram, bucket, quotient(rank, bucket.count)), notes)


def fraction(lower: float, upper: float, histogram: Histogram) -> Estimate:
    """Estimate the share of the observations between two values; NaN without observations or where one is NaN."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return Estimate(math.nan)
    if lower >= upper:
        return Estimate(0.0)
    buckets = list(all_buckets(histogram))
    ranks = [_rank(histogram, buckets, value) for value in (lower, upper)]
    observed = histogram.count
    notes: tuple[str, ...] = ()
    if math.isnan(histogram.sum):
        observed = sum((bucket.count for bucket in buckets), 0.0)  # not fsum: it refuses infinities of both signs
        notes = ("nan_excluded",) if observed < histogram.count else ()
    low, high = (observed if rank is None or rank > observed else rank for rank in ranks)
    return Estimate((high - low) / histogram.count, notes)


def stdvar(histogram: Histogram) -> float:
    """Estimate the variance: each observation is taken to lie in the middle of its bucket."""
    mean = quotient(histogram.sum, histogram.count)
    total = lost = 0.0
    for bucket in all_buckets(histogram):
        if bucket.count == 0:
            continue
        delta = _middle(histogram, bucket) - mean
        total, lost = _added(bucket.count * delta * delta, total, lost)
    return quotient(total + lost, histogram.count)


def stddev(histogram: Histogram) -> float:
    """Estimate the standard deviation; NaN where the variance is negative, as after a subtraction."""
    variance = stdvar(histogram)
    return math.nan if variance < 0 else math.sqrt(variance)


def _ascending(histogram: Histogram) -> list[float]:
    """Give the counts of all buckets in ascending order, that of the zero bucket only if it is populated."""
    zero = (histogram.zero_count,) if histogram.zero_count > 0 else ()
    return [*histogram.negative.counts[::-1], *zero, *histogram.positive.counts]


def _reached(counts: Sequence[float], rank: float) -> tuple[int, float]:
    """Give the place of the populated bucket in which the rank is reached, or of the last one, and the count so far."""
    seen = 0.0
    for place, count in enumerate(counts):
        seen += count
        if seen >= rank and count != 0:
            return place, seen
    return len(counts) - 1, seen


def _bucket(histogram: Histogram, counts: Sequence[float], place: int) -> Bucket:
    """Give the bucket at a place of the ascending order with its bounds, cut at the zero bucket."""
    if not counts:
        return Bucket(0.0, 0.0, 0.0, is_lower_inclusive=False, is_upper_inclusive=False)
    width, schema, bounds = histogram.zero_threshold, histogram.schema, histogram.custom_values
    below, above = len(histogram.negative.counts), len(counts) - len(histogram.positive.counts)
    if below <= place < above:
        return Bucket(-width, width, counts[place], is_lower_inclusive=True, is_upper_inclusive=True)
    index = histogram.positive.first + place - above if place >= below else histogram.negative.first + below - 1 - place
    near, far = bound(schema, index - 1, bounds), bound(schema, index, bounds)
    near = width if 0 < near < width else near
    lower, upper = (-far, -near) if place < below else (near, far)
    return Bucket(lower, upper, counts[place], is_lower_inclusive=lower < 0, is_upper_inclusive=upper > 0)


def _endless_edge(histogram: Histogram, bucket: Bucket) -> float | None:
    """Give the finite bound of a bucket without end in which nothing can be told; those are bounds of one's own."""
    if histogram.is_custom and bucket.lower == -math.inf and bucket.upper <= 0:
        return bucket.upper
    if histogram.is_custom and bucket.upper == math.inf and bucket.lower != -math.inf:
        return bucket.lower
    return None


def _cut_at_zero(histogram: Histogram, bucket: Bucket) -> Bucket:
    """Cut a bucket around zero at zero where all others lie on one side; bounds of one's own count as positive."""
    if histogram.positive.counts and not histogram.negative.counts:
        return _moved(bucket, lower=0.0)
    if histogram.negative.counts and not histogram.positive.counts:
        return _moved(bucket, upper=0.0)
    return bucket


def _moved(bucket: Bucket, *, lower: float | None = None, upper: float | None = None) -> Bucket:
    return Bucket(
        bucket.lower if lower is None else lower,
        bucket.upper if upper is None else upper,
        bucket.count,
        bucket.is_lower_inclusive,
        bucket.is_upper_inclusive,
    )


def _interpolated(histogram: Histogram, bucket: Bucket, share: float) -> float:
    lower, upper = bucket.lower, bucket.upper
    if histogram.is_custom or lower <= 0 <= upper:
        return lower + (upper - lower) * share
    low, high = math.log2(abs(lower)), math.log2(abs(upper))
    if lower > 0:
        return _exp2(low + (high - low) * share)
    return -_exp2(high + (low - high) * (1 - share))


def _exp2(exponent: float) -> float:
    return math.inf if exponent >= 1024 else 2.0**exponent


def _rank(histogram: Histogram, buckets: Sequence[Bucket], value: float) -> float | None:
    """Count the observations below a value; None if it lies above all buckets."""
    rank = 0.0
    for plain in buckets:
        touches_zero = plain.lower <= 0 <= plain.upper
        bucket = _cut_at_zero(histogram, plain) if touches_zero else plain
        if bucket.lower >= value:
            return rank
        if bucket.upper > value:
            if not histogram.is_custom and not touches_zero:
                return rank + bucket.count * _logarithmic_share(bucket, value)
            if bucket.lower == -math.inf:
                return bucket.count  # the first of all, and nothing tells where in it they lie
            return rank + bucket.count * (value - bucket.lower) / (bucket.upper - bucket.lower)
        rank += bucket.count
    return None


def _logarithmic_share(bucket: Bucket, value: float) -> float:
    low, high, at = math.log2(abs(bucket.lower)), math.log2(abs(bucket.upper)), math.log2(abs(value))
    return (at - low) / (high - low) if value > 0 else 1 - (at - high) / (low - high)


def _middle(histogram: Histogram, bucket: Bucket) -> float:
    if histogram.is_custom:
        return (bucket.upper + bucket.lower) / 2
    if bucket.lower <= 0 <= bucket.upper:
        return 0.0
    mean = math.sqrt(bucket.upper * bucket.lower)
    return -mean if bucket.upper < 0 else mean


def _added(value: float, total: float, lost: float) -> tuple[float, float]:
    """Add with Neumaier's compensation."""
    new = total + value
    if math.isinf(new):
        return new, 0.0
    if abs(total) >= abs(value):
        return new, lost + ((total - new) + value)
    return new, lost + ((value - new) + total)
