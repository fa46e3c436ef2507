"""Quantiles and fractions of classic histograms, and native ones made of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.promql.histograms import (
    bucket_fraction,
    bucket_quantile,
    classic_fractions,
    classic_quantiles,
    fraction,
    native_from_classic,
    quantile,
    write_histogram,
)

BOUNDS = np.array([0.1, 0.2, 1.0, math.inf])


@pytest.mark.parametrize(
    ("q", "bounds", "counts", "value"),
    [
        (0.5, [2, 4, 6, math.inf], [1, 2, 3, 3], 3),
        (0.5, [math.inf, 6, 2, 4], [3, 3, 1, 2], 3),  # in any order
        (1.0, [0.1, 0.2, 1, math.inf], [5, 7, 11, 12], 1),  # in the last bucket: its lower bound
        (0.0, [-0.2, -0.1, 0.3, math.inf], [1, 2, 2, 3], -0.2),  # in a first bucket below zero: its upper bound
        (0.5, [0.1, 0.2, 0.2, math.inf], [1, 1, 2, 4], 0.15),  # equal bounds are one
        (0.5, [0.1, 0.2], [1, 2], math.nan),  # nothing up to +Inf
        (0.5, [math.inf], [3], math.nan),  # one bucket says nothing
        (0.5, [0.1, math.inf], [0, 0], math.nan),
        (-1, [0.1, math.inf], [1, 2], -math.inf),
        (2, [0.1, math.inf], [1, 2], math.inf),
        (math.nan, [0.1, math.inf], [1, 2], math.nan),
    ],
)
def test_quantiles_are_interpolated(q, bounds, counts, value):
    found = bucket_quantile(q, np.array(bounds, float), np.array(counts, float))
    assert found.value == pytest.approx(value, nan_ok=True)
    assert not found.is_forced


def test_counts_that_fall_are_raised_and_named():
    bounds = np.array([0.1, 1, 10, 100, 1000, math.inf])
    found = bucket_quantile(0.5, bounds, np.array([2.0, 1, 5, 4, 9, 8]))
    assert found == (pytest.approx(8.5), True, 1.0, math.inf, 1.0)


def test_tiny_differences_are_noise():
    found = bucket_quantile(0.5, np.array([1, 2, math.inf]), np.array([1.0, 1 - 1e-14, 1.0]))
    assert not found.is_forced
    assert found.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("lower", "upper", "bounds", "counts", "value"),
    [
        (0, 4, [0, 2, 4, 6, math.inf], [0, 1, 2, 3, 3], 2 / 3),
        (0, 3.5, [0, 2, 4, 6, math.inf], [0, 1, 2, 3, 3], 0.5833333333333334),
        (-4, -2, [-3, -2, -1, math.inf], [10, 12, 15, 100], 0.02),
        (-math.inf, -1.5, [-3, -2, -1, math.inf], [10, 12, 15, 100], 0.135),
        (-math.inf, math.inf, [-3, math.inf], [10, 100], 1),
        (4, 5, [1, 2, math.inf], [1, 2, 100], 0),  # nothing is known within the last bucket
        (2, math.inf, [1, 2, math.inf], [1, 2, 100], 0.98),
        (2, 2, [1, math.inf], [1, 2], 0),
        (math.nan, 2, [1, math.inf], [1, 2], math.nan),
        (0, 1, [1, 2], [1, 2], math.nan),
        (0, 1, [1, math.inf], [0, 0], math.nan),
    ],
)
def test_fractions_are_interpolated(lower, upper, bounds, counts, value):
    found = bucket_fraction(lower, upper, np.array(bounds, float), np.array(counts, float))
    assert found == pytest.approx(value, nan_ok=True)


def test_each_step_takes_the_buckets_that_it_has():
    counts = np.array([[5.0, 5, 0], [7, 0, 7], [11, 11, 11], [12, 12, 12]])
    present = np.array([[True, True, False], [True, False, True], [True, True, True], [True, True, True]])
    found = classic_quantiles(0.5, BOUNDS, counts, present)
    for step in range(3):
        has = present[:, step]
        alone = bucket_quantile(0.5, BOUNDS[has], counts[has, step])
        assert found.values[step] == alone.value
    shares = classic_fractions(0.0, 0.15, BOUNDS, counts, present)
    assert shares[1] == bucket_fraction(0.0, 0.15, BOUNDS[present[:, 1]], counts[present[:, 1], 1])


@given(
    st.lists(st.lists(st.integers(0, 20).map(float), min_size=4, max_size=4), min_size=1, max_size=5),
    st.lists(st.floats(-0.2, 1.2), min_size=5, max_size=5),
)
def test_many_steps_are_as_each_alone(columns, shares):
    counts = np.array(columns).T
    q = np.array(shares[: len(columns)])
    found = classic_quantiles(q, BOUNDS, counts)
    for step, share in enumerate(q):
        alone = bucket_quantile(share, BOUNDS, counts[:, step])
        assert found.values[step] == pytest.approx(alone.value, nan_ok=True)
        assert found.is_forced[step] == alone.is_forced
        assert (found.min_bucket[step], found.max_diff[step]) == (alone.min_bucket, alone.max_diff)


COUNTS = st.lists(st.integers(0, 20), min_size=4, max_size=4).map(lambda steps: np.cumsum(steps).astype(float))


@given(COUNTS, st.floats(0, 1))
def test_the_native_form_gives_the_same_quantile(counts, q):
    native = native_from_classic(zip(BOUNDS.tolist(), counts.tolist(), strict=True))
    rank = q * counts[-1]
    if any(abs(rank - count) < 1e-9 for count in (0, *counts)):
        return  # on the edge between two buckets, the two look from different sides
    assert quantile(q, native).value == pytest.approx(bucket_quantile(q, BOUNDS, counts).value, nan_ok=True)


@given(COUNTS, st.floats(-1, 2), st.floats(-1, 2))
def test_the_native_form_gives_the_same_fraction(counts, lower, upper):
    native = native_from_classic(zip(BOUNDS.tolist(), counts.tolist(), strict=True))
    assert fraction(lower, upper, native).value == pytest.approx(
        bucket_fraction(lower, upper, BOUNDS, counts), nan_ok=True, abs=1e-12
    )


def test_a_classic_histogram_becomes_one_with_its_bounds():
    native = native_from_classic([(1.0, 3.0), (0.5, 1.0), (math.inf, 4.0)], count=4.0, total=2.5)
    assert write_histogram(native) == "{{schema:-53 count:4 sum:2.5 custom_values:[0.5 1] buckets:[1 2 1]}}"
    no_infinity = native_from_classic([(1.0, 3.0)], count=5.0)
    assert write_histogram(no_infinity) == "{{schema:-53 count:5 custom_values:[1] buckets:[3 2]}}"
    no_count = native_from_classic([(1.0, 3.0), (1.0, 4.0)])
    assert write_histogram(no_count) == "{{schema:-53 count:3 custom_values:[1] buckets:[3]}}"
    assert write_histogram(native_from_classic([], count=2.0)) == "{{schema:-53 count:2 custom_values:[] buckets:[2]}}"


@pytest.mark.parametrize(
    ("buckets", "count", "message"),
    [
        ([(1.0, 3.0), (2.0, 2.0)], None, "not cumulative: le=2"),
        ([(1.0, -1.0)], None, "at least 0: le=1"),
        ([(math.inf, 3.0)], 4.0, "count mismatch: count=4"),
    ],
)
def test_counts_that_contradict_each_other_are_refused(buckets, count, message):
    with pytest.raises(InvalidError, match=message):
        native_from_classic(buckets, count=count)
