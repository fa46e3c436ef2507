"""Quantiles, fractions and variance of native histograms."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fixtures.histograms import histograms
from holdfast.telemetry.metrics.promql.histograms import (
    fraction,
    json_buckets,
    parse_histogram,
    quantile,
    stddev,
    stdvar,
)

POSITIVE = "{{count:12 sum:100 z_bucket:2 z_bucket_w:0.001 buckets:[2 3 0 1 4]}}"
NEGATIVE = "{{count:12 sum:100 z_bucket:2 z_bucket_w:0.001 n_buckets:[2 3 0 1 4]}}"
BOTH = "{{count:24 sum:100 z_bucket:4 z_bucket_w:0.001 buckets:[2 3 0 1 4] n_buckets:[2 3 0 1 4]}}"
NANS = "{{count:15 sum:NaN buckets:[12]}}"


@pytest.mark.parametrize(
    ("text", "q", "value"),
    [
        ("{{sum:5 count:4 buckets:[1 2 1]}}", 0.5, math.sqrt(2)),
        ("{{sum:0.25 count:1 z_bucket:1 z_bucket_w:0.5}}", 0.5, 0),
        ("{{sum:0 count:8 buckets:[1 2 1] n_buckets:[1 2 1]}}", 0.5, 0.5),  # the far end of nothing
        (POSITIVE, 0.9, 12.99603834169977),
        (POSITIVE, 0.1, 0.0006),
        (POSITIVE, 0, 0),
        (NEGATIVE, 0.99, -0.00006),
        (NEGATIVE, 0.1, -12.996038341699768),
        (BOTH, 0.55, 0.0006),
        (BOTH, 0.01, -15.34822590920423),
        ("{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}", 0.5, 7.5),
        ("{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}", 0.99, 10),
        ("{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}", 0.1, 2),
        ("{{schema:-53 sum:5 count:4 custom_values:[-5 10] buckets:[3 1]}}", 0.1, -5),
        (POSITIVE, -0.1, -math.inf),
        (POSITIVE, 1.1, math.inf),
        (POSITIVE, math.nan, math.nan),
        ("{{}}", 0.5, math.nan),
        (NANS, 0.8, 1),
    ],
)
def test_quantiles_are_interpolated(text, q, value):
    assert quantile(q, parse_histogram(text)).value == pytest.approx(value, nan_ok=True)


def test_observations_of_nan_are_told():
    histogram, nothing_else = parse_histogram(NANS), parse_histogram("{{count:3 sum:NaN}}")
    assert quantile(0.8, histogram).notes == ("nan_skew",)
    assert quantile(0.81, histogram).notes == ("nan_result",)
    assert quantile(0.1, nothing_else).notes == ("nan_result",)
    assert fraction(-math.inf, math.inf, histogram) == (0.8, ("nan_excluded",))
    infinities = parse_histogram("{{schema:-53 count:2 sum:NaN custom_values:[1] buckets:[1 1]}}")
    assert quantile(0.5, infinities).notes == fraction(0, 1, infinities).notes == ()


@pytest.mark.parametrize(
    ("text", "lower", "upper", "value"),
    [
        (POSITIVE, 0, math.inf, 1),
        (POSITIVE, -math.inf, 0, 0),
        (POSITIVE, 0, 0.0005, 1 / 12),
        (POSITIVE, 1.5, 6, 0.15250624987980724),
        (NEGATIVE, -6, -1.5, 0.15250624987980724),
        (BOTH, -0.0005, 0.0005, 1 / 12),
        (BOTH, 42, 3, 0),
        (BOTH, math.nan, 3, math.nan),
        ("{{}}", 0, 1, math.nan),
        ("{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}", 5, 10, 0.5),
        ("{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}", 2.5, 7.5, 0.375),
        ("{{schema:-53 sum:5 count:4 custom_values:[-5 10] buckets:[1 2 1]}}", -6, -5, 0),
    ],
)
def test_fractions_are_interpolated(text, lower, upper, value):
    assert fraction(lower, upper, parse_histogram(text)).value == pytest.approx(value, nan_ok=True)


def test_variance_takes_the_middle_of_buckets():
    histogram = parse_histogram("{{schema:2 count:4 sum:10 buckets:[1 0 0 0 1 0 0 1 1]}}")
    assert stdvar(histogram) == pytest.approx(1.163807968526718)
    assert stddev(histogram) == pytest.approx(1.0787993180043811)
    assert stddev(parse_histogram("{{count:10 sum:-100 n_buckets:[0 0 0 0 10]}}")) == pytest.approx(1.3137084989848)
    assert math.isnan(stddev(parse_histogram("{{}}")))
    custom = parse_histogram("{{schema:-53 count:2 sum:6 custom_values:[2 4] buckets:[0 2]}}")
    assert stdvar(custom) == 0


def test_buckets_are_listed_for_the_api():
    histogram = parse_histogram("{{count:9 z_bucket:2 z_bucket_w:0.75 buckets:[1 0 2] n_buckets:[3]}}")
    assert json_buckets(histogram) == [
        (1, -1.0, -0.75, 3.0),
        (3, -0.75, 0.75, 2.0),
        (0, 0.75, 1.0, 1.0),
        (0, 2.0, 4.0, 2.0),
    ]
    custom = parse_histogram("{{schema:-53 count:2 custom_values:[4] buckets:[1 1]}}")
    assert json_buckets(custom) == [(3, -math.inf, 4.0, 1.0), (0, 4.0, math.inf, 1.0)]


@given(histograms(), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_quantile_is_no_smaller(histogram, one, other):
    assume(histogram.count > 0)
    low, high = (quantile(q, histogram).value for q in sorted((one, other)))
    assert low <= high or low == pytest.approx(high)


@given(histograms(), st.floats(0.01, 0.99))
def test_the_fraction_below_a_quantile_is_its_share(histogram, q):
    assume(histogram.count > 0)
    assume(not histogram.is_custom and (histogram.zero_threshold > 0 or histogram.zero_count == 0))
    value = quantile(q, histogram).value
    assert fraction(-math.inf, value, histogram).value == pytest.approx(q, abs=1e-9)
