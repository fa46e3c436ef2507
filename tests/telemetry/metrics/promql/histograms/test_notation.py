"""The `{{...}}` of rule tests and the texts that tools show."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql import QuerySyntaxError
from holdfast.telemetry.metrics.promql.histograms import (
    compact,
    describe_histogram,
    parse_histogram,
    write_histogram,
    write_number,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)
SIDES = st.builds(Buckets, st.integers(-1000, 1000), st.lists(NUMBERS, min_size=1, max_size=12).map(tuple))
HISTOGRAMS = st.builds(
    Histogram,
    schema=st.integers(-4, 8),
    count=NUMBERS,
    sum=NUMBERS,
    zero_threshold=NUMBERS,
    zero_count=NUMBERS,
    positive=SIDES,
    negative=SIDES,
    hint=st.sampled_from(ResetHint),
)


def test_all_keys_are_read_in_any_order():
    histogram = parse_histogram(
        "{{ n_offset:-5 n_buckets:[4.1 5] counter_reset_hint:gauge schema:1 sum:-0.3 count:3.1 z_bucket:7.1"
        " z_bucket_w:0.05 buckets:[5.1 10 7 ] offset:-3}}"
    )
    assert histogram == Histogram(
        schema=1,
        sum=-0.3,
        count=3.1,
        zero_count=7.1,
        zero_threshold=0.05,
        positive=Buckets(-3, (5.1, 10.0, 7.0)),
        negative=Buckets(-5, (4.1, 5.0)),
        hint=ResetHint.GAUGE,
    )


def test_nothing_between_the_braces_is_the_empty_histogram():
    assert parse_histogram("{{}}") == Histogram()
    assert write_histogram(Histogram()) == "{{}}"


def test_bounds_of_ones_own_are_read():
    histogram = parse_histogram("{{schema:-53 sum:Inf count:4 custom_values:[-2 3.5e1] buckets:[1 2 1]}}")
    assert histogram.schema == CUSTOM_SCHEMA
    assert histogram.custom_values == (-2.0, 35.0)
    assert math.isinf(histogram.sum)


@pytest.mark.parametrize(
    ("text", "message", "start"),
    [
        ("{{schema:1 schema:2}}", 'duplicate key "schema" in histogram', 11),
        ("{{size:1}}", "bad histogram descriptor found: 'size'", 2),
        ("{{count:many}}", "histogram: 'many' does not fit 'count'", 2),
        ("{{buckets:[1 x]}}", "histogram: '[1 x]' does not fit 'buckets'", 2),
        ("{{counter_reset_hint:maybe}}", "histogram: 'maybe' does not fit 'counter_reset_hint'", 2),
        ("{{count 1}}", "unexpected 'count 1' in a histogram: key:value expected", 2),
        ("{count:1}", "a histogram is written {{key:value ...}}", 0),
    ],
)
def test_a_fault_is_named_with_its_place(text, message, start):
    with pytest.raises(QuerySyntaxError) as caught:
        parse_histogram(text)
    assert str(caught.value).startswith(message)
    assert caught.value.span.start == start


@given(HISTOGRAMS)
def test_what_is_written_reads_back(histogram):
    assert parse_histogram(write_histogram(histogram)) == compact(histogram)


@given(st.floats())
def test_a_number_that_is_written_reads_back(value):
    text = write_number(value)
    assert float(text) == value or (math.isnan(value) and text == "NaN")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (100000.0, "100000"), (1000000.0, "1e+06"),
        (0.0001, "0.0001"), (0.00001, "1e-05"), (-12.5, "-12.5"), (1e300, "1e+300"), (math.inf, "+Inf"),
        (-math.inf, "-Inf"), (123456789.0, "1.23456789e+08"), (0.1, "0.1"), (120.0, "120"),
    ],
)  # fmt: skip
def test_numbers_look_as_go_prints_them(value, text):
    assert write_number(value) == text


def test_populated_buckets_are_described_in_ascending_order():
    histogram = parse_histogram(
        "{{schema:0 count:9 sum:1 z_bucket:2 z_bucket_w:0.001 buckets:[1 0 2] n_buckets:[3 1]}}"
    )
    assert (
        describe_histogram(histogram)
        == "{count:9, sum:1, [-2,-1):1, [-1,-0.5):3, [-0.001,0.001]:2, (0.5,1]:1, (2,4]:2}"
    )


def test_ones_own_bounds_are_closed_at_both_ends_of_the_first_bucket():
    histogram = parse_histogram("{{schema:-53 count:3 sum:8 custom_values:[2 3] buckets:[1 1 1]}}")
    assert describe_histogram(histogram) == "{count:3, sum:8, [-Inf,2]:1, (2,3]:1, (3,+Inf]:1}"
    assert write_histogram(histogram) == "{{schema:-53 count:3 sum:8 custom_values:[2 3] buckets:[1 1 1]}}"
