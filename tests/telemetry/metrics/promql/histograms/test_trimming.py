"""Cutting a histogram at a value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.histograms import exponential_histograms
from holdfast.telemetry.metrics.promql.histograms import parse_histogram, trim

H = "{{sum:123.75 count:34 z_bucket:1 z_bucket_w:0.001 buckets:[2 4 8 16] n_buckets:[1 2]}}"
FINE = "{{schema:2 sum:12.8286080906 count:28 z_bucket:1 z_bucket_w:0.001 buckets:[1 2 4 7 3] n_buckets:[1 5 3 1]}}"
ZERO = "{{count:5 sum:0 z_bucket:5 z_bucket_w:0.1}}"
LEFT = "{{sum:-8.0210678118654755 count:12 z_bucket:2 z_bucket_w:0.5 n_buckets:[10]}}"
OWN = "{{schema:-53 sum:172.5 count:15 custom_values:[5 10 15 20] buckets:[1 6 4 3 1]}}"
OWN_LEFT = "{{schema:-53 sum:33 count:101 custom_values:[-5] buckets:[1 100]}}"
ALL = "{{schema:-53 sum:100 count:100 buckets:[100]}}"


@pytest.mark.parametrize(
    ("text", "operator", "value", "rest"),
    [
        (H, ">/", -math.inf, H),
        (H, "</", math.inf, H),
        (H, ">/", math.inf, "{{z_bucket_w:0.001}}"),
        (H, ">/", 0, "{{sum:120.20840280171308 count:30.5 z_bucket:0.5 z_bucket_w:0.001 buckets:[2 4 8 16]}}"),
        (H, "</", 2, "{{count:10 sum:3.5355339059327373 z_bucket:1 z_bucket_w:0.001 buckets:[2 4] n_buckets:[1 2]}}"),
        (H, "</", -1, "{{count:2 sum:-2.8284271247461903 z_bucket_w:0.001 n_offset:1 n_buckets:[2]}}"),
        (
            FINE,
            ">/",
            1.13,
            (
                "{{schema:2 count:14.589417818876296 sum:22.168126492693734 z_bucket_w:0.001 offset:1"
                " buckets:[0.589417818876296 4 7 3]}}"
            ),
        ),
        (
            FINE,
            "</",
            -1.3,
            (
                "{{schema:2 count:2.45786052095524 sum:-3.5189307983595066 z_bucket_w:0.001 n_offset:2"
                " n_buckets:[1.45786052095524 1]}}"
            ),
        ),
        (ZERO, ">/", 0.05, "{{count:1.25 sum:0.09375 z_bucket:1.25 z_bucket_w:0.1}}"),
        (LEFT, ">/", -0.1, "{{count:0.4 sum:-0.02 z_bucket:0.4 z_bucket_w:0.5}}"),
        (LEFT, ">/", 0, "{{z_bucket_w:0.5}}"),
        (OWN, "</", 13, "{{schema:-53 count:9.4 sum:75.1 custom_values:[5 10 15 20] buckets:[1 6 2.4]}}"),
        (OWN, ">/", 13, "{{schema:-53 count:5.6 sum:94.9 custom_values:[5 10 15 20] offset:2 buckets:[1.6 3 1]}}"),
        (OWN, "</", 50, "{{schema:-53 count:14 sum:150 custom_values:[5 10 15 20] buckets:[1 6 4 3]}}"),
        (OWN, ">/", 0, OWN),
        (ALL, "</", 10, "{{schema:-53}}"),
        (ALL, ">/", -math.inf, ALL),
        (OWN_LEFT, "</", -10, "{{schema:-53 count:1 sum:-10 custom_values:[-5] buckets:[1]}}"),
        (OWN_LEFT, ">/", 10, "{{schema:-53 count:100 sum:1000 custom_values:[-5] offset:1 buckets:[100]}}"),
        ("{{}}", "</", 5, "{{}}"),
    ],
)
def test_what_lies_beyond_is_gone(text, operator, value, rest):
    found, wanted = trim(parse_histogram(text), value, is_upper=operator == "</"), parse_histogram(rest)
    for name in ("schema", "custom_values", "zero_threshold"):
        assert getattr(found, name) == getattr(wanted, name)
    for name in ("count", "sum", "zero_count"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name)), name
    for name in ("positive", "negative"):
        assert getattr(found, name).first == getattr(wanted, name).first
        assert getattr(found, name).counts == pytest.approx(getattr(wanted, name).counts)


@given(exponential_histograms(), st.floats(-50, 50))
def test_both_parts_make_up_the_whole(histogram, value):
    below, above = trim(histogram, value, is_upper=True), trim(histogram, value, is_upper=False)
    assert below.count + above.count == pytest.approx(histogram.count)
