"""The sum of two exponential histograms: what the points of a delta stream come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from holdfast.telemetry.metrics.histograms import MIN_SCHEMA, Buckets, Histogram

MOST_BUCKETS: Final = 16_384


def reduce_schema(histogram: Histogram, schema: int) -> Histogram:
    """Give the histogram with a schema of at most `schema`, neighbours merged."""
    steps = histogram.schema - schema
    if steps <= 0:
        return histogram
    return replace(
        histogram,
        schema=schema,
        positive=_merge(histogram.positive, steps),
        negative=_merge(histogram.negative, steps),
    )


def _merge(buckets: Buckets, steps: int) -> Buckets:
    """Merge `2 ** steps` buckets into each; bucket `i` falls into `ceil(i / 2 ** steps)`."""
    if not buckets.counts:
        return buckets
    first = _reduced(buckets.first, steps)
    counts = [0.0] * (_reduced(buckets.first + len(buckets.counts) - 1, steps) - first + 1)
    for place, count in enumerate(buckets.counts, buckets.first):
        counts[_reduced(place, steps) - first] += count
    return Buckets(first, tuple(counts))


def _reduced(index: int, steps: int) -> int:
    return -((-index) >> steps)


def add(one: Histogram, other: Histogram) -> Histogram:
    """Give the sum of two histograms, in a schema in which neither side is too wide and with the wider zero bucket.

    Buckets that the wider zero bucket covers are left where they are: senders widen it only by values so small that it
    does not show.

    Raises:
        ValueError: the sum has too many buckets in the coarsest schema, too.
    """
    schema = min(one.schema, other.schema)
    while True:
        one, other = reduce_schema(one, schema), reduce_schema(other, schema)
        widest = max(_width(one.positive, other.positive), _width(one.negative, other.negative))
        if widest <= MOST_BUCKETS or schema == MIN_SCHEMA:
            break
        schema -= 1
    if widest > MOST_BUCKETS:
        raise ValueError(f"more than {MOST_BUCKETS} buckets")
    return replace(
        one,
        count=one.count + other.count,
        sum=one.sum + other.sum,
        zero_threshold=max(one.zero_threshold, other.zero_threshold),
        zero_count=one.zero_count + other.zero_count,
        positive=_add_buckets(one.positive, other.positive),
        negative=_add_buckets(one.negative, other.negative),
    )


def _width(one: Buckets, other: Buckets) -> int:
    ends = [(side.first, side.first + len(side.counts)) for side in (one, other) if side.counts]
    return max(end for _, end in ends) - min(first for first, _ in ends) if ends else 0


def _add_buckets(one: Buckets, other: Buckets) -> Buckets:
    if not one.counts or not other.counts:
        return one if one.counts else other
    first = min(one.first, other.first)
    counts = [0.0] * _width(one, other)
    for side in (one, other):
        for place, count in enumerate(side.counts, side.first - first):
            counts[place] += count
    return Buckets(first, tuple(counts))
