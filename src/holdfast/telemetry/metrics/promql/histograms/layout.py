"""Where the buckets of a histogram lie on the number line: bounds and order.

Says nothing of what is done with them; arithmetic is `arithmetic`'s, estimates are `quantiles`'. Bounds as
Prometheus computes them (model/histogram/generic.go), so that a threshold that was taken from a bound equals it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Histogram

_HALF_ROOT: Final = 0.7071067811865475


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket with its bounds and its own count (not cumulative)."""

    lower: float
    upper: float
    count: float
    is_lower_inclusive: bool
    is_upper_inclusive: bool


@lru_cache(maxsize=65_536)
def exponential_bound(schema: int, index: int) -> float:
    """Give the upper bound of bucket `index`; the largest float where it lies just beyond the range of floats."""
    if schema < 0:
        fraction, exponent = 0.5, (index << -schema) + 1
    else:
        fraction = _fraction(schema, index)
        exponent = (index >> schema) + 1
    if fraction == 0.5 and exponent == 1025:
        return sys.float_info.max
    try:
        return math.ldexp(fraction, exponent)
    except OverflowError:
        return math.inf


def _fraction(schema: int, index: int) -> float:
    """Give what of a bound lies in [0.5, 1): a factor for each level below the power of two, rounded one by one.

    So came the table that all readers of these histograms use; the exact roots differ from it in their last digits.
    """
    fraction = 0.5
    for level in range(1, schema + 1):
        if index >> (schema - level) & 1:
            fraction = fraction * 2.0 ** (1 / (1 << level)) if level > 1 else _HALF_ROOT
    return fraction


def bound(schema: int, index: int, custom_values: Sequence[float] = ()) -> float:
    """Give the upper bound of bucket `index`; that of `index - 1` is its lower bound."""
    if schema != CUSTOM_SCHEMA:
        return exponential_bound(schema, index)
    if index < 0:
        return -math.inf
    return custom_values[index] if index < len(custom_values) else math.inf


def positive_buckets(histogram: Histogram) -> Iterator[Bucket]:
    """Give the positive (or custom) buckets, away from zero; empty ones between others are among them."""
    schema, bounds = histogram.schema, histogram.custom_values
    lower = bound(schema, histogram.positive.first - 1, bounds)
    for index, count in enumerate(histogram.positive.counts, histogram.positive.first):
        upper = bound(schema, index, bounds)
        if histogram.is_custom:
            yield Bucket(lower, upper, count, index == 0, is_upper_inclusive=True)
        else:
            yield Bucket(lower, upper, count, lower < 0, upper > 0)
        lower = upper


def negative_buckets(histogram: Histogram) -> Iterator[Bucket]:
    """Give the negative buckets, away from zero, so in descending order."""
    schema = histogram.schema
    upper = -bound(schema, histogram.negative.first - 1)
    for index, count in enumerate(histogram.negative.counts, histogram.negative.first):
        lower = -bound(schema, index)
        yield Bucket(lower, upper, count, lower < 0, upper > 0)
        upper = lower


def zero_bucket(histogram: Histogram) -> Bucket:
    """Give the bucket around zero; both of its bounds belong to it."""
    width = histogram.zero_threshold
    return Bucket(-width, width, histogram.zero_count, is_lower_inclusive=True, is_upper_inclusive=True)


def all_buckets(histogram: Histogram) -> Iterator[Bucket]:
    """Give all buckets in ascending order; one that overlaps the zero bucket is cut at the threshold."""
    width = histogram.zero_threshold
    for bucket in reversed(list(negative_buckets(histogram))):
        yield replace(bucket, upper=-width) if 0 > bucket.upper > -width else bucket
    if histogram.zero_count > 0:
        yield zero_bucket(histogram)
    for bucket in positive_buckets(histogram):
        yield replace(bucket, lower=width) if 0 < bucket.lower < width else bucket


def json_buckets(histogram: Histogram) -> list[tuple[int, float, float, float]]:
    """Give the populated buckets in ascending order as Prometheus' API writes them: rule, lower, upper, count.

    The rule says which bounds belong to the bucket: 0 the upper one, 1 the lower one, 2 none, 3 both.
    """
    rules = {(False, True): 0, (True, False): 1, (False, False): 2, (True, True): 3}
    return [
        (rules[bucket.is_lower_inclusive, bucket.is_upper_inclusive], bucket.lower, bucket.upper, bucket.count)
        for bucket in all_buckets(histogram)
        if bucket.count != 0
    ]
