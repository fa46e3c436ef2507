"""A classic histogram (`le` buckets, count, sum) made into a native one with bounds of its own.

For `load_with_nhcb` of rule tests, for `convert_classic_histograms_to_nhcb` of scrapes and its like of OTLP. Rules of
Prometheus' util/convertnhcb. Which series belong together is the caller's matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint, compact


def native_from_classic(
    buckets: Iterable[tuple[float, float]],
    *,
    count: float | None = None,
    total: float = 0.0,
    hint: ResetHint = ResetHint.UNKNOWN,
) -> Histogram:
    """Give the native histogram of classic `buckets`, pairs of upper bound and cumulative count in any order.

    Without a bucket up to +Inf, `count` stands for it, and without `count` the highest bucket. A bound that comes twice
    counts once, as first given.

    Raises:
        InvalidError: a count is negative, falls from one bucket to the next, or contradicts `count`.
    """
    cumulative: dict[float, float] = {}
    for upper, below in buckets:
        if below < 0:
            raise InvalidError(f"bucket count must be at least 0: le={upper:g}, count={below:g}")
        if not math.isnan(upper):
            cumulative.setdefault(upper, below)
    bounds = sorted(cumulative)
    whole = count if count is not None else (cumulative[bounds[-1]] if bounds else 0.0)
    if not bounds or bounds[-1] != math.inf:
        bounds.append(math.inf)
        cumulative[math.inf] = whole
    if cumulative[math.inf] != whole and not math.isnan(whole):
        raise InvalidError(f"count mismatch: count={whole:g}, but the bucket up to +Inf holds {cumulative[math.inf]:g}")
    counts: list[float] = []
    previous = 0.0
    for upper in bounds:
        if cumulative[upper] < previous:
            raise InvalidError(f"bucket counts are not cumulative: le={upper:g} holds fewer than the bucket below it")
        counts.append(cumulative[upper] - previous)
        previous = cumulative[upper]
    return compact(
        Histogram(
            schema=CUSTOM_SCHEMA,
            count=whole,
            sum=total,
            positive=Buckets(0, tuple(counts)),
            custom_values=tuple(bounds[:-1]),
            hint=hint,
        )
    )
