"""Histograms added, subtracted, scaled and compared, as Prometheus does it (model/histogram/float_histogram.go).

Every function takes frozen values and gives new ones. Results are not compacted, because Prometheus' are not. Sums of
many are `sums`', counter resets `resets`'.
"""

from __future__ import annotations

import math
import operator
import struct
from dataclasses import replace
from typing import NamedTuple

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.histograms.reconciliation import (
    beyond_zero,
    onto_bounds,
    reconcile_zero,
    reduce_side,
    shared_bounds,
)


class IncompatibleSchemasError(QueryExecutionError):
    """An exponential histogram met one with bounds of its own; the caller makes an annotation of it."""

    code = "incompatible_histograms"


class Combined(NamedTuple):
    """A result, and what an annotation must say about it.

    `is_collision`: the hints of the operands contradict each other; `is_reconciled`: bounds of their own differed.
    """

    histogram: Histogram
    is_collision: bool = False
    is_reconciled: bool = False


def add(left: Histogram, right: Histogram) -> Combined:
    """Add two histograms.

    Raises:
        IncompatibleSchemasError: one has bounds of its own and the other has not.
    """
    return _combine(left, right, 1.0)


def sub(left: Histogram, right: Histogram) -> Combined:
    """Subtract `right`; the hint is set as for an addition, the operator `-` makes it a gauge.

    Raises:
        IncompatibleSchemasError: one has bounds of its own and the other has not.
    """
    return _combine(left, right, -1.0)


def scale(histogram: Histogram, factor: float) -> Histogram:
    """Multiply everything that is counted; below zero it is no counter any more."""
    return replace(
        histogram,
        count=histogram.count * factor,
        sum=histogram.sum * factor,
        zero_count=histogram.zero_count * factor,
        positive=Buckets(histogram.positive.first, tuple([count * factor for count in histogram.positive.counts])),
        negative=Buckets(histogram.negative.first, tuple([count * factor for count in histogram.negative.counts])),
        hint=ResetHint.GAUGE if factor < 0 else histogram.hint,
    )


def divide(histogram: Histogram, divisor: float) -> Histogram:
    """Divide everything that is counted; by zero, the buckets vanish and the rest is infinite or NaN."""
    if divisor == 0:
        return replace(
            histogram,
            count=quotient(histogram.count, divisor),
            sum=quotient(histogram.sum, divisor),
            zero_count=quotient(histogram.zero_count, divisor),
            positive=Buckets(),
            negative=Buckets(),
        )
    return replace(
        histogram,
        count=histogram.count / divisor,
        sum=histogram.sum / divisor,
        zero_count=histogram.zero_count / divisor,
        positive=Buckets(histogram.positive.first, tuple([count / divisor for count in histogram.positive.counts])),
        negative=Buckets(histogram.negative.first, tuple([count / divisor for count in histogram.negative.counts])),
        hint=ResetHint.GAUGE if divisor < 0 else histogram.hint,
    )


def equals(left: Histogram, right: Histogram) -> bool:
    """Tell whether both hold the same data, bit by bit (a NaN equals itself); hints do not count."""
    return (
        left.schema == right.schema
        and left.zero_threshold == right.zero_threshold
        and left.custom_values == right.custom_values
        and _is_same_layout(left.positive, right.positive)
        and _is_same_layout(left.negative, right.negative)
        and _bits(left) == _bits(right)
    )


def with_hint(histogram: Histogram, hint: ResetHint) -> Histogram:
    """Give the histogram with another hint."""
    if histogram.hint is hint:
        return histogram
    # Not `replace`, which takes three times as long: whole series pass through here.
    return Histogram(
        histogram.schema,
        histogram.count,
        histogram.sum,
        histogram.zero_threshold,
        histogram.zero_count,
        histogram.positive,
        histogram.negative,
        histogram.custom_values,
        hint,
    )


def merged_hint(left: ResetHint, right: ResetHint) -> ResetHint:
    """Give the hint of a sum: a gauge makes it one, what differs otherwise is unknown."""
    if left is right:
        return left
    return ResetHint.GAUGE if ResetHint.GAUGE in {left, right} else ResetHint.UNKNOWN


def check_schemas(left: Histogram, right: Histogram) -> None:
    """Refuse an exponential histogram beside one with bounds of its own."""
    if left.is_custom != right.is_custom:
        raise IncompatibleSchemasError(
            "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
        )


def quotient(dividend: float, divisor: float) -> float:
    """Divide as IEEE 754 says, where Python raises."""
    if divisor != 0:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def _combine(left: Histogram, right: Histogram, sign: float) -> Combined:
    check_schemas(left, right)
    hint = merged_hint(left.hint, right.hint)
    is_collision = {left.hint, right.hint} == {ResetHint.RESET, ResetHint.NOT_RESET}
    if left.is_custom:
        bounds, positive = _combine_custom(left, right, sign)
        is_reconciled = left.custom_values != right.custom_values
        result = replace(left, custom_values=bounds, positive=positive, hint=hint)
    else:
        is_reconciled = False
        result = replace(_combine_exponential(left, right, sign), hint=hint)
    return Combined(
        replace(result, count=left.count + sign * right.count, sum=left.sum + sign * right.sum),
        is_collision,
        is_reconciled,
    )


def _combine_custom(left: Histogram, right: Histogram, sign: float) -> tuple[tuple[float, ...], Buckets]:
    if left.custom_values == right.custom_values:
        return left.custom_values, _added(left.positive, right.positive, sign)
    bounds = shared_bounds(left.custom_values, right.custom_values)
    ours = onto_bounds(left.positive, left.custom_values, bounds)
    theirs = onto_bounds(right.positive, right.custom_values, bounds)
    return bounds, Buckets(0, tuple([one + sign * other for one, other in zip(ours, theirs, strict=True)]))


def _combine_exponential(left: Histogram, right: Histogram, sign: float) -> Histogram:
    left, right_zero_count = reconcile_zero(left, right)
    schema = min(left.schema, right.schema)
    threshold = left.zero_threshold

    def side(ours: Buckets, theirs: Buckets) -> Buckets:
        outside = beyond_zero(theirs, right.schema, threshold)  # at its own resolution, or it would be counted twice
        return _added(reduce_side(ours, left.schema, schema), reduce_side(outside, right.schema, schema), sign)

    return replace(
        left,
        schema=schema,
        zero_count=left.zero_count + sign * right_zero_count,
        positive=side(left.positive, right.positive),
        negative=side(left.negative, right.negative),
    )


def _added(left: Buckets, right: Buckets, sign: float) -> Buckets:
    if not right.counts:
        return left
    if left.first == right.first and len(left.counts) == len(right.counts):
        operation = operator.add if sign > 0 else operator.sub
        return Buckets(left.first, tuple(map(operation, left.counts, right.counts)))
    if not left.counts:
        return Buckets(right.first, tuple([sign * count for count in right.counts]))
    first = min(left.first, right.first)
    end = max(left.first + len(left.counts), right.first + len(right.counts))
    counts = [0.0] * (end - first)
    counts[left.first - first : left.first - first + len(left.counts)] = left.counts
    for index, count in enumerate(right.counts, right.first - first):
        counts[index] += sign * count
    return Buckets(first, tuple(counts))


def _is_same_layout(left: Buckets, right: Buckets) -> bool:
    return len(left.counts) == len(right.counts) and (left.first == right.first or not left.counts)


def _bits(histogram: Histogram) -> bytes:
    numbers = (
        histogram.count,
        histogram.sum,
        histogram.zero_count,
        *histogram.positive.counts,
        *histogram.negative.counts,
    )
    return struct.pack(f"{len(numbers)}d", *numbers)
