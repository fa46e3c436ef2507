"""Counter resets of histograms: whether one began anew since the one before, and the hints that spare the question.

Rules of Prometheus' `FloatHistogram.DetectReset`, of the hints that its storage gives (tsdb/chunkenc) and of its
`HistogramStatsIterator`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms.arithmetic import with_hint
from holdfast.telemetry.metrics.promql.histograms.reconciliation import (
    beyond_zero,
    onto_bounds,
    reduce_side,
    shared_bounds,
    zero_count_for,
)


def detects_reset(current: Histogram, previous: Histogram) -> bool:
    """Tell whether the counter began anew after `previous`; a hint that says so is believed.

    Any count that fell is a reset, the sum of observations is not looked at; so is what can't happen without one: a
    finer schema, a narrower zero bucket, a populated bucket that is gone or cut by the zero bucket.
    """
    if current.hint is ResetHint.RESET:
        return True
    if current.hint is ResetHint.NOT_RESET:
        return False
    return _has_fallen(current, previous)


def stats_hints(histograms: Sequence[Histogram]) -> list[Histogram]:
    """Give the samples of a series, in time order, with explicit hints where that can be known, for `histogram_count`.

    Prometheus reads only counts and sums for it and decides about resets while the buckets are at hand.
    """
    settled = list(histograms[:1])
    for previous, current in pairwise(histograms):
        if current.hint is not ResetHint.UNKNOWN:
            settled.append(current)
        else:
            is_reset = _has_fallen(current, previous)
            settled.append(with_hint(current, ResetHint.RESET if is_reset else ResetHint.NOT_RESET))
    return settled


def settle_hints(histograms: Sequence[Histogram]) -> list[Histogram]:
    """Give the samples of a series, in time order, with the hints that Prometheus' storage would give them.

    A gauge stays one. Of a counter, a sample that surely continues the one before is `NOT_RESET`; the first one and one
    after a reset or another layout are `UNKNOWN`, because samples may be missing there.
    """
    settled: list[Histogram] = []
    previous: Histogram | None = None
    for current in histograms:
        settled.append(
            current if current.hint is ResetHint.GAUGE else with_hint(current, _stored_hint(current, previous))
        )
        previous = current
    return settled


def _stored_hint(current: Histogram, previous: Histogram | None) -> ResetHint:
    continues = (
        previous is not None
        and previous.hint is not ResetHint.GAUGE
        and current.hint is not ResetHint.RESET
        and current.schema == previous.schema
        and current.zero_threshold == previous.zero_threshold
        and current.custom_values == previous.custom_values
        and not _has_fallen(current, previous)
    )
    return ResetHint.NOT_RESET if continues else ResetHint.UNKNOWN


def _has_fallen(current: Histogram, previous: Histogram) -> bool:
    if current.count < previous.count:
        return True
    if current.is_custom:
        if not previous.is_custom:
            return True
        if current.custom_values != previous.custom_values:
            return _has_fallen_on_shared_bounds(current, previous)
    if current.schema > previous.schema or current.zero_threshold < previous.zero_threshold:
        return True
    zero_count, threshold = zero_count_for(previous, current.zero_threshold)
    if threshold != current.zero_threshold or current.zero_count < zero_count:
        return True
    schema = current.schema

    def side(ours: Buckets, theirs: Buckets) -> bool:
        if schema == previous.schema and ours.first == theirs.first and len(ours.counts) == len(theirs.counts):
            return any(map(operator.lt, ours.counts, theirs.counts))
        reduced = reduce_side(theirs, previous.schema, schema)
        return _is_below(ours, reduced if current.is_custom else beyond_zero(reduced, schema, threshold))

    return side(current.positive, previous.positive) or side(current.negative, previous.negative)


def _is_below(current: Buckets, previous: Buckets) -> bool:
    """Tell whether any bucket of `previous` is populated and now gone, or fuller than now."""
    end = current.first + len(current.counts)
    for index, count in enumerate(previous.counts, previous.first):
        if current.first <= index < end:
            if current.counts[index - current.first] < count:
                return True
        elif count != 0:
            return True
    return False


def _has_fallen_on_shared_bounds(current: Histogram, previous: Histogram) -> bool:
    bounds = shared_bounds(current.custom_values, previous.custom_values)
    now = onto_bounds(current.positive, current.custom_values, bounds)
    before = onto_bounds(previous.positive, previous.custom_values, bounds)
    return any(map(operator.lt, now, before))
