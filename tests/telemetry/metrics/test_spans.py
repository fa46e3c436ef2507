"""Native histograms as protocols carry them."""

import math
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint

from fixtures.histograms import exponential_histograms
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms import compact
from holdfast.telemetry.metrics.spans import (
    MAX_BUCKETS,
    Spanned,
    check,
    from_explicit,
    from_exponential_point,
    from_spans,
    to_spans,
)


def test_deltas_of_spans_become_counts():
    positive = Spanned(spans=((-2, 2), (3, 1)), deltas=(1, 1, -1))
    negative = Spanned(spans=((1, 1),), deltas=(4,))
    head = Histogram(schema=3, count=10, sum=1.5, zero_count=2, zero_threshold=0.001)
    histogram = from_spans(head, positive, negative)
    assert histogram.positive == Buckets(-2, (1.0, 2.0, 0.0, 0.0, 0.0, 1.0))
    assert histogram.negative == Buckets(1, (4.0,))
    assert (histogram.schema, histogram.count, histogram.zero_count) == (3, 10, 2)


def test_float_counts_are_taken_as_they_are():
    histogram = from_spans(Histogram(count=3), Spanned(spans=((0, 2),), counts=(0.5, 2.5)))
    assert histogram.positive == Buckets(0, (0.5, 2.5))


@pytest.mark.parametrize(
    ("head", "positive", "negative", "message"),
    [
        (Histogram(schema=-5), Spanned(), Spanned(), "invalid schema"),
        (Histogram(schema=53), Spanned(), Spanned(), "got schema 53"),
        (Histogram(), Spanned(((0, 2),), (1,)), Spanned(), "positive side: spans need 2 buckets, have 1"),
        (Histogram(), Spanned(), Spanned(((0, 1), (-1, 1)), (1, 0)), "negative side: span number 2 with offset -1"),
        (Histogram(count=1), Spanned(((0, 1),), (-1,)), Spanned(), "whose observation count is negative"),
        (Histogram(count=1), Spanned(((0, 1),), (2,)), Spanned(), "should equal the number"),
        (Histogram(count=1, sum=math.nan), Spanned(((0, 1),), (2,)), Spanned(), "should be at least"),
        (Histogram(custom_values=(1.0,)), Spanned(), Spanned(), "must not have custom bounds"),
        (Histogram(schema=-53, custom_values=(2.0, 1.0)), Spanned(), Spanned(), "strictly increasing"),
        (Histogram(schema=-53, custom_values=(math.inf,)), Spanned(), Spanned(), "must be finite"),
        (Histogram(schema=-53, custom_values=(1.0,)), Spanned(((0, 3),), (1, 0, 0)), Spanned(), "only 1 custom bounds"),
        (Histogram(schema=-53), Spanned(), Spanned(((0, 1),), (1,)), "must not have negative buckets"),
        (Histogram(schema=-53, zero_count=1), Spanned(), Spanned(), "must have no zero bucket"),
        (Histogram(), Spanned(((0, 1), (2**31 - 1, 1)), counts=(1.0, 1.0)), Spanned(), "beyond what a float can hold"),
    ],
)
def test_what_contradicts_itself_is_refused(head, positive, negative, message):
    with pytest.raises(InvalidError, match=message):
        from_spans(head, positive, negative)


def test_a_count_below_zero_is_refused():
    with pytest.raises(InvalidError, match="observation count is negative"):
        check(Histogram(count=-1))


def test_a_stale_marker_need_not_add_up():
    (stale,) = struct.unpack("<d", struct.pack("<Q", STALE_BITS))
    assert from_spans(Histogram(sum=stale), Spanned(((0, 1),), (2,))).positive.counts == (2.0,)


def test_a_resolution_that_is_too_fine_is_reduced():
    histogram = from_spans(Histogram(schema=10, count=8), Spanned(((1, 8),), (1, 0, 0, 0, 0, 0, 0, 0)))
    assert histogram.schema == 8
    assert histogram.positive == Buckets(1, (4.0, 4.0))


def test_a_wide_histogram_loses_resolution_and_no_observation():
    wide = Spanned(((-200_000, 1), (400_000, 1)), (3, -1))
    histogram = from_spans(Histogram(schema=8, count=5), wide)
    assert len(histogram.positive.counts) <= MAX_BUCKETS
    assert sum(histogram.positive.counts) == 5
    assert histogram.schema == 3


def test_short_gaps_are_bridged():
    assert to_spans(Buckets(-2, (1, 0, 0, 2, 0, 0, 0, 4))) == Spanned(
        ((-2, 4), (3, 1)), (1, -1, 0, 2, 2), (1, 0.0, 0.0, 2, 4)
    )
    assert to_spans(Buckets(3, (0.5, 1))) == Spanned(((3, 2),), (), (0.5, 1))
    assert to_spans(Buckets()) == Spanned()


@given(exponential_histograms())
def test_what_was_written_as_spans_reads_back(histogram):
    head = replace(histogram, positive=Buckets(), negative=Buckets())
    spanned = [to_spans(side) for side in (histogram.positive, histogram.negative)]
    assert from_spans(head, *spanned) == compact(histogram)
    floats = [Spanned(side.spans, counts=side.counts) for side in spanned]
    assert from_spans(head, *floats) == compact(histogram)


def _exponential(**fields):
    point = ExponentialHistogramDataPoint(**fields)
    point.positive.offset = -1
    point.positive.bucket_counts.extend([1, 2, 0, 3])
    return point


def test_an_exponential_point_has_its_index_one_higher():
    histogram = from_exponential_point(_exponential(scale=2, count=8, sum=4.5, zero_count=2, zero_threshold=0.25))
    assert histogram == Histogram(
        schema=2, count=8, sum=4.5, zero_threshold=0.25, zero_count=2, positive=Buckets(0, (1.0, 2.0, 0.0, 3.0))
    )
    assert from_exponential_point(_exponential(scale=2, count=6)).zero_threshold == 1e-128
    assert from_exponential_point(_exponential(scale=2, count=6), is_delta=True).hint is ResetHint.GAUGE


def test_a_fine_scale_is_reduced_and_a_coarse_one_refused():
    histogram = from_exponential_point(_exponential(scale=9, count=6))
    assert histogram.schema == 8
    assert histogram.positive == Buckets(0, (1.0, 2.0, 3.0))
    with pytest.raises(InvalidError, match="Scale must be >= -4, was -5"):
        from_exponential_point(_exponential(scale=-5))


@given(st.integers(-3, 12), st.integers(-400, 400))
def test_an_index_means_the_same_at_any_scale(scale, offset):
    point = ExponentialHistogramDataPoint(scale=scale, count=1)
    point.positive.offset = offset
    point.positive.bucket_counts.append(1)
    histogram = from_exponential_point(point)
    lower, upper = offset * 2.0**-scale, (offset + 1) * 2.0**-scale
    index, width = histogram.positive.first, 2.0**-histogram.schema
    assert (index - 1) * width <= lower < upper <= index * width


def test_nothing_recorded_is_stale():
    histogram = from_exponential_point(_exponential(scale=1, flags=1))
    assert struct.pack("<d", histogram.sum) == struct.pack("<Q", STALE_BITS)


def test_explicit_bounds_become_ones_own():
    assert from_explicit((1.0, 2.0, 5.0), (0.0, 2.0, 0.0, 4.0), 6.0, 9.0) == Histogram(
        schema=CUSTOM_SCHEMA, count=6, sum=9, custom_values=(1.0, 2.0, 5.0), positive=Buckets(1, (2.0, 0.0, 4.0))
    )
    with pytest.raises(InvalidError, match="3 bucket counts need 2 explicit bounds, got 1"):
        from_explicit((1.0,), (1.0, 2.0, 3.0), 6.0, 0.0)
    with pytest.raises(InvalidError, match="5 observations found in buckets, but the Count field is 6"):
        from_explicit((1.0,), (2.0, 3.0), 6.0, 0.0)
    assert from_explicit((1.0,), (), 6.0, 9.0).positive == Buckets(0, (6.0,))
