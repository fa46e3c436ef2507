"""Counter resets of histograms: whether one began anew since the one before, and the hints that spare the question.

Rules of Prometheus' `FloatHistogram.DetectReset`, of the hints that its storage gives (tsdb/chunkenc) and of its
`HistogramStatsIterator`.
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Final

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms.arithmetic import with_hint
from holdfast.telemetry.metrics.promql.histograms.reconciliation import (
    beyond_zero,
    onto_bounds,
    reduce_side,
    shared_bounds,
    zero_count_for,
)
from holdfast.telemetry.metrics.promql.histograms.sums import shared_layout

_STALE: Final = struct.pack("<Q", STALE_BITS)


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
    for current, is_reset in zip(histograms[1:], _falls(histograms), strict=True):
        hint = ResetHint.RESET if is_reset else ResetHint.NOT_RESET
        settled.append(with_hint(current, hint) if current.hint is ResetHint.UNKNOWN else current)
    return settled


def settle_hints(samples: Sequence[Histogram | None]) -> list[Histogram | None]:
    """Give the samples of a series, in time order, with the hints that Prometheus' storage would give them.

    None stands for a number. A gauge stays one. Of a counter, a sample that surely continues the one before is
    `NOT_RESET`; the first one, and one after a number, a stale marker, a reset or another layout, is `UNKNOWN`, because
    samples may be missing there.
    """
    settled: list[Histogram | None] = []
    for is_alive, group in groupby(samples, key=lambda sample: sample is not None and not _is_stale(sample)):
        run = list(group)
        settled += _settled([sample for sample in run if sample is not None]) if is_alive else run
    return settled


def _settled(run: list[Histogram]) -> list[Histogram]:
    settled = [_unless_gauge(run[0], ResetHint.UNKNOWN)]
    for (previous, current), has_fallen in zip(pairwise(run), _falls(run), strict=True):
        goes_on = not has_fallen and _is_one_chunk(previous, current)
        settled.append(_unless_gauge(current, ResetHint.NOT_RESET if goes_on else ResetHint.UNKNOWN))
    return settled


def _is_stale(histogram: Histogram) -> bool:
    return math.isnan(histogram.sum) and struct.pack("<d", histogram.sum) == _STALE


def _unless_gauge(histogram: Histogram, hint: ResetHint) -> Histogram:
    return histogram if histogram.hint is ResetHint.GAUGE else with_hint(histogram, hint)


def _is_one_chunk(previous: Histogram, current: Histogram) -> bool:
    return (
        previous.hint is not ResetHint.GAUGE
        and current.hint is not ResetHint.RESET
        and current.schema == previous.schema
        and current.zero_threshold == previous.zero_threshold
        and current.custom_values == previous.custom_values
    )


def _falls(histograms: Sequence[Histogram]) -> list[bool]:
    """Tell of each sample but the first whether the counter began anew, whatever the hints say."""
    layout = shared_layout(histograms) if histograms else None
    if layout is None:
        return [_has_fallen(current, previous) for previous, current in pairwise(histograms)]
    rows = layout.rows(histograms)
    fallen: list[bool] = layout.falls(rows).tolist()
    return fallen


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
        outside = theirs if current.is_custom else beyond_zero(theirs, previous.schema, threshold)
        return _is_below(ours, reduce_side(outside, previous.schema, schema))

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
