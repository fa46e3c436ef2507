"""Native histograms are made coarser until they fit, and count the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.histograms import Buckets, Histogram
from holdfast.telemetry.metrics.scrape.config import Limits
from holdfast.telemetry.metrics.scrape.native_limits import within_limits


def test_each_two_buckets_become_one_with_the_same_upper_bound():
    histogram = Histogram(schema=1, positive=Buckets(-2, (1, 2, 3, 4, 5)))
    fitted = within_limits(histogram, Limits(native_buckets=3))
    assert (fitted.schema, fitted.positive) == (0, Buckets(-1, (1, 5, 9)))


def test_a_smallest_factor_between_bounds_is_kept():
    assert within_limits(Histogram(schema=8), Limits(native_min_factor=1.5)).schema == 0
    assert within_limits(Histogram(schema=8), Limits(native_min_factor=1.1)).schema == 2


def test_what_never_fits_is_refused():
    histogram = Histogram(schema=-4, positive=Buckets(0, (1, 1)))
    with pytest.raises(LimitError, match="native_histogram_bucket_limit"):
        within_limits(histogram, Limits(native_buckets=1))


counts = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=40)


@given(st.integers(-30, 30), counts, st.integers(2, 20))
def test_nothing_is_lost_on_the_way(first, values, limit):
    histogram = Histogram(schema=8, positive=Buckets(first, tuple(values)))
    try:
        fitted = within_limits(histogram, Limits(native_buckets=limit))
    except LimitError:
        return
    assert sum(fitted.positive.counts) == sum(values)
    assert sum(count > 0 for count in fitted.positive.counts) <= limit
