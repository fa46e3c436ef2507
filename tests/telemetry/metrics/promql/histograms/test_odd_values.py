"""No value, however odd, makes a function of histograms fail or warn."""

import math
import struct
from hashlib import sha256

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms import (
    Stack,
    add,
    all_buckets,
    classic_fractions,
    classic_quantiles,
    describe_histogram,
    detects_reset,
    divide,
    equals,
    extended_rate_of,
    fraction,
    interpolate,
    json_buckets,
    mean_of,
    quantile,
    rate_of,
    scale,
    settle_hints,
    stddev,
    sub,
    sum_of,
    trim,
    write_histogram,
)
from holdfast.telemetry.metrics.promql.histograms.layout import exponential_bound

NUMBERS = (
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, 1e308, -1e308, math.inf, -math.inf, math.nan]) | st.floats()
)
COUNTS = st.lists(NUMBERS, max_size=5).map(tuple)
SIDES = st.builds(Buckets, st.integers(-300_000, 300_000) | st.integers(-3, 3), COUNTS)
HINTS = st.sampled_from(ResetHint)
WIDTHS = st.sampled_from([0.0, 5e-324, 1e-128, 0.5, 1e300])
EXPONENTIAL = st.builds(
    Histogram,
    schema=st.integers(-4, 8),
    count=NUMBERS,
    sum=NUMBERS,
    zero_threshold=WIDTHS,
    zero_count=NUMBERS,
    positive=st.builds(Buckets, st.integers(-3, 3), COUNTS),
    negative=st.builds(Buckets, st.integers(-3, 3), COUNTS),
    hint=HINTS,
)
FAR = st.builds(
    Histogram, schema=st.just(8), count=NUMBERS, sum=NUMBERS, zero_count=NUMBERS, positive=SIDES, negative=SIDES
)
CUSTOM = st.builds(
    Histogram,
    schema=st.just(CUSTOM_SCHEMA),
    count=NUMBERS,
    sum=NUMBERS,
    positive=st.builds(Buckets, st.integers(0, 2), COUNTS),
    custom_values=st.sets(st.floats(allow_nan=False, allow_infinity=False), max_size=5).map(lambda b: tuple(sorted(b))),
    hint=HINTS,
)
PAIRS = st.tuples(EXPONENTIAL, EXPONENTIAL) | st.tuples(CUSTOM, CUSTOM)


BOTH_INFINITE = Histogram(count=1.0, sum=math.nan, positive=Buckets(0, (math.inf,)), negative=Buckets(0, (-math.inf,)))


@example(BOTH_INFINITE, 0.0, 1.0)
@given(EXPONENTIAL | CUSTOM | FAR, NUMBERS, NUMBERS)
def test_one_histogram(histogram, one, other):
    assert isinstance(quantile(one, histogram).value, float)
    assert isinstance(fraction(one, other, histogram).value, float)
    assert isinstance(stddev(histogram), float)
    for changed in (
        trim(histogram, one, is_upper=True),
        trim(histogram, one, is_upper=False),
        scale(histogram, one),
        divide(histogram, one),
    ):
        assert isinstance(changed, Histogram)
    assert len(json_buckets(histogram)) <= len(list(all_buckets(histogram)))
    assert write_histogram(histogram).startswith("{{")
    assert describe_histogram(histogram).startswith("{count:")
    assert equals(histogram, histogram)


@given(PAIRS, st.booleans())
def test_two_histograms(pair, is_counter):
    left, right = pair
    points = [(0, left), (10, right), (20, left)]
    for result in (
        add(left, right).histogram,
        sub(left, right).histogram,
        sum_of([left, right, left]).histogram,
        mean_of([left, right, left]).histogram,
        interpolate(left, right, 0.25, is_counter=is_counter).histogram,
        rate_of(points, None, is_counter=is_counter).histogram,
        extended_rate_of(points, 5, 15, is_smoothed=True, is_counter=is_counter).histogram,
        extended_rate_of(points, 5, 15, is_smoothed=False, is_counter=is_counter).histogram,
    ):
        assert isinstance(result, Histogram)
    assert detects_reset(left, right) in {True, False}
    assert len(settle_hints([left, right, left])) == 3


@given(st.lists(EXPONENTIAL, min_size=2, max_size=5))
def test_a_stack(histograms):
    like = histograms[0]
    same = [Histogram(like.schema, h.count, h.sum, like.zero_threshold, h.zero_count, h.positive) for h in histograms]
    stack = Stack.of(same)
    start, end = np.array([0, 0]), np.array([1, len(same)])
    assert len(stack.changes(start, end - 1, is_counter=True)) == 2
    sums, lost = stack.sums(start, end)
    assert len(stack.histograms(sums + lost)) == 2


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.lists(NUMBERS, min_size=12, max_size=12), NUMBERS, NUMBERS)
def test_classic_histograms(bounds, numbers, one, other):
    ascending = np.array([*(bound for bound in bounds if not math.isnan(bound)), math.inf])
    counts = np.array(numbers[: len(ascending) * 2]).reshape(len(ascending), -1)
    assert classic_quantiles(one, ascending, counts).values.shape == (2,)
    assert classic_fractions(one, other, ascending, counts).shape == (2,)


def test_bounds_are_those_of_the_table_that_all_readers_use():
    assert exponential_bound(1, 1) == 1.414213562373095  # the root itself would end with 0951
    lower = struct.pack("<256d", *(exponential_bound(8, index) for index in range(-256, 0)))
    assert sha256(lower).hexdigest() == "9de5914e4bc19f96dd1f461efa1b8f3fd6bfe80297b3a5a46302dac8a388c730"
