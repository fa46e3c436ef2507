"""A native histogram: buckets whose bounds follow from a schema, or (schema -53) stand in the sample itself.

One value of a series, as the formats carry it and PromQL computes with it. Arithmetic on them is `promql`'s.
Source: the specification of Prometheus' native histograms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

CUSTOM_SCHEMA: Final = -53  # bounds stand in `custom_values`
MIN_SCHEMA: Final = -4
MAX_SCHEMA: Final = 8


class ResetHint(StrEnum):
    """What the sender knows about a counter reset between the sample before and this one."""

    UNKNOWN = "unknown"
    RESET = "reset"
    NOT_RESET = "not_reset"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Buckets:
    """One side's buckets, without gaps: `counts[i]` is that of bucket `first + i`, an absolute count, not cumulative.

    With an exponential schema bucket `i` holds values in (base ** (i - 1), base ** i], base = 2 ** 2 ** -schema; with
    custom values bucket `i` holds (custom_values[i - 1], custom_values[i]], the last one up to +Inf.
    """

    first: int = 0
    counts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """A native histogram, float counts throughout (an integer count below 2**53 is exact).

    `zero_count` counts values within `zero_threshold` of zero. The `sum` of a stale marker is the stale NaN.
    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Buckets = Buckets()
    negative: Buckets = Buckets()
    custom_values: tuple[float, ...] = ()
    hint: ResetHint = ResetHint.UNKNOWN

    @property
    def is_custom(self) -> bool:
        """Tell whether the bounds are the sample's own."""
        return self.schema == CUSTOM_SCHEMA


def trimmed(side: Buckets) -> Buckets:
    """Give the side without empty buckets at its ends."""
    counts = side.counts
    start, end = 0, len(counts)
    while start < end and counts[start] == 0:
        start += 1
    while end > start and counts[end - 1] == 0:
        end -= 1
    if end - start == len(counts):
        return side if counts else Buckets()
    return Buckets(side.first + start, counts[start:end]) if end > start else Buckets()


def compact(histogram: Histogram) -> Histogram:
    """Give the histogram without empty buckets at the ends of its sides, the form in which results are compared."""
    positive, negative = trimmed(histogram.positive), trimmed(histogram.negative)
    if positive is histogram.positive and negative is histogram.negative:
        return histogram
    return replace(histogram, positive=positive, negative=negative)
