"""Bringing two histograms to one layout: resolution, zero bucket, bounds of one's own.

Resolution only ever falls and the zero bucket only ever grows, as in Prometheus (model/histogram/float_histogram.go).
Nothing is added up here but what falls into the same bucket; the rest is `arithmetic`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, compact
from holdfast.telemetry.metrics.promql.histograms.layout import (
    Bucket,
    exponential_bound,
    negative_buckets,
    positive_buckets,
)


def reduce_side(side: Buckets, schema: int, target: int) -> Buckets:
    """Merge the buckets of a side from `schema` into those of the lower resolution `target`."""
    if schema == target or not side.counts:
        return side
    shift = schema - target
    first = ((side.first - 1) >> shift) + 1
    merged = [0.0] * (((side.first + len(side.counts) - 2) >> shift) + 2 - first)
    for index, count in enumerate(side.counts, side.first - 1):
        merged[(index >> shift) + 1 - first] += count
    return Buckets(first, tuple(merged))


def copy_to_schema(histogram: Histogram, schema: int) -> Histogram:
    """Give the histogram at the lower (or same) resolution `schema`; the hint is lost where it changes."""
    if schema == histogram.schema:
        return histogram
    return Histogram(
        schema=schema,
        count=histogram.count,
        sum=histogram.sum,
        zero_threshold=histogram.zero_threshold,
        zero_count=histogram.zero_count,
        positive=reduce_side(histogram.positive, histogram.schema, schema),
        negative=reduce_side(histogram.negative, histogram.schema, schema),
    )


def zero_count_for(histogram: Histogram, threshold: float) -> tuple[float, float]:
    """Give the zero count at a larger threshold, and that threshold, moved up to the end of a bucket it falls into."""
    if threshold == histogram.zero_threshold:
        return histogram.zero_count, threshold
    while True:
        positive, end = _swallowed(positive_buckets(histogram), threshold)
        negative, widened = _swallowed(negative_buckets(histogram), end)
        if widened == end:
            return histogram.zero_count + positive + negative, end
        threshold = widened  # what of the positive side lies within is to be counted anew


def reconcile_zero(left: Histogram, right: Histogram) -> tuple[Histogram, float]:
    """Give the left histogram with a zero bucket that suits both, and the count that the right one has in it."""
    right_count, right_threshold = right.zero_count, right.zero_threshold
    while right_threshold != left.zero_threshold:
        if left.zero_threshold > right_threshold:
            right_count, right_threshold = zero_count_for(right, left.zero_threshold)
        if right_threshold > left.zero_threshold:
            left = _widened(left, *zero_count_for(left, right_threshold))
    return left, right_count


def beyond_zero(side: Buckets, schema: int, threshold: float) -> Buckets:
    """Give the side without the buckets that lie in the zero bucket whole."""
    if threshold == 0 or not side.counts:
        return side
    indexes = range(side.first, side.first + len(side.counts))
    inside = sum(1 for _ in takewhile(lambda index: exponential_bound(schema, index) <= threshold, indexes))
    return Buckets(side.first + inside, side.counts[inside:]) if inside else side


def shared_bounds(left: Sequence[float], right: Sequence[float]) -> tuple[float, ...]:
    """Give the bounds that both have."""
    others = set(right)
    return tuple(bound for bound in left if bound in others)


def onto_bounds(side: Buckets, bounds: Sequence[float], target: Sequence[float]) -> list[float]:
    """Merge the buckets of `bounds` into those of `target`, which are some of them; the last one is up to +Inf."""
    merged = [0.0] * (len(target) + 1)
    place = 0
    for index, count in enumerate(side.counts, side.first):
        if index >= len(bounds):
            place = len(target)
        while place < len(target) and target[place] < bounds[index]:
            place += 1
        merged[place] += count
    return merged


def _widened(histogram: Histogram, zero_count: float, threshold: float) -> Histogram:
    """Give the histogram with that zero bucket; its count holds already what the removed buckets held."""
    inside_positive = sum(1 for bucket in positive_buckets(histogram) if bucket.lower < threshold)
    inside_negative = sum(1 for bucket in negative_buckets(histogram) if bucket.upper > -threshold)
    return compact(
        replace(
            histogram,
            zero_count=zero_count,
            zero_threshold=threshold,
            positive=_without(histogram.positive, inside_positive),
            negative=_without(histogram.negative, inside_negative),
        )
    )


def _swallowed(buckets: Iterable[Bucket], threshold: float) -> tuple[float, float]:
    """Count what a zero bucket of that width takes of a side, and give the width that cuts no populated bucket."""
    count = 0.0
    for bucket in buckets:
        near, far = sorted((abs(bucket.lower), abs(bucket.upper)))
        if near >= threshold:
            break
        count += bucket.count
        if far > threshold:
            return count, threshold if bucket.count == 0 else far
    return count, threshold


def _without(side: Buckets, leading: int) -> Buckets:
    return Buckets(side.first + leading, side.counts[leading:])
