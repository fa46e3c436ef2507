"""Adding, subtracting, scaling and comparing native histograms."""

import math

import pytest
from hypothesis import given

from fixtures.histograms import groups, pairs
from holdfast.telemetry.metrics.histograms import ResetHint
from holdfast.telemetry.metrics.promql.histograms import (
    IncompatibleSchemasError,
    add,
    compact,
    copy_to_schema,
    divide,
    equals,
    mean_of,
    parse_histogram,
    scale,
    sub,
    sum_of,
    with_hint,
    write_histogram,
)


def _written(histogram):
    return write_histogram(compact(histogram))


def _observed(histogram):
    return histogram.zero_count + sum(histogram.positive.counts) + sum(histogram.negative.counts)


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [
        (
            "{{count:4 sum:5 buckets:[1 2 1]}}",
            "{{count:1 sum:2 buckets:[1] offset:1}}",
            "{{count:5 sum:7 buckets:[1 3 1]}}",
        ),
        ("{{count:1 buckets:[1] offset:-3}}", "{{count:2 buckets:[2]}}", "{{count:3 offset:-3 buckets:[1 0 0 2]}}"),
        (
            "{{schema:-1 sum:4 count:1 buckets:[1] offset:1}}",
            "{{schema:0 sum:4 count:4 buckets:[2 2] offset:1}}",
            "{{schema:-1 count:5 sum:8 offset:1 buckets:[5]}}",
        ),
        (  # the wider zero bucket swallows what lies within it
            "{{count:3 z_bucket:1 z_bucket_w:1 buckets:[2] offset:1}}",
            "{{count:6 z_bucket:1 z_bucket_w:0.25 buckets:[1 4]}}",
            "{{count:9 z_bucket:3 z_bucket_w:1 offset:1 buckets:[6]}}",
        ),
        (  # and grows to the end of a populated bucket that it would cut
            "{{count:1 z_bucket:1 z_bucket_w:0.7}}",
            "{{count:3 buckets:[1 2]}}",
            "{{count:4 z_bucket:2 z_bucket_w:1 offset:1 buckets:[2]}}",
        ),
        (  # on both sides, whichever is wider
            "{{count:1 z_bucket:1 z_bucket_w:0.7}}",
            "{{count:6 buckets:[1 2] n_buckets:[0 3]}}",
            "{{count:7 z_bucket:2 z_bucket_w:1 offset:1 buckets:[2] n_offset:1 n_buckets:[3]}}",
        ),
    ],
)
def test_layouts_are_reconciled(left, right, total):
    assert _written(add(parse_histogram(left), parse_histogram(right)).histogram) == total


def test_bounds_that_differ_are_reduced_to_those_that_both_have():
    left = parse_histogram("{{schema:-53 sum:5 count:4 custom_values:[2 4 6] buckets:[1 2 0 1]}}")
    right = parse_histogram("{{schema:-53 sum:6 count:6 custom_values:[1 2 3 6] buckets:[1 1 1 1 2]}}")
    total = add(left, right)
    assert total.is_reconciled
    assert _written(total.histogram) == "{{schema:-53 count:10 sum:11 custom_values:[2 6] buckets:[3 4 3]}}"
    difference = sub(left, right)
    assert _written(difference.histogram) == "{{schema:-53 count:-2 sum:-1 custom_values:[2 6] buckets:[-1 0 -1]}}"


def test_exponential_and_own_bounds_do_not_mix():
    one, other = parse_histogram("{{}}"), parse_histogram("{{schema:-53 custom_values:[1]}}")
    for operation in (add, sub):
        with pytest.raises(IncompatibleSchemasError):
            operation(one, other)
    for operation in (sum_of, mean_of):
        with pytest.raises(IncompatibleSchemasError):
            operation([one, other])


@pytest.mark.parametrize(
    ("left", "right", "hint", "is_collision"),
    [
        ("gauge", "reset", "gauge", False),
        ("not_reset", "gauge", "gauge", False),
        ("reset", "not_reset", "unknown", True),
        ("unknown", "not_reset", "unknown", False),
        ("reset", "reset", "reset", False),
    ],
)
def test_hints_are_merged(left, right, hint, is_collision):
    operands = [with_hint(parse_histogram("{{count:1}}"), ResetHint(name)) for name in (left, right)]
    for total in (add(*operands), sum_of(operands), mean_of(operands)):
        assert total.histogram.hint == hint
        assert total.is_collision is is_collision


def test_scaling_below_zero_makes_a_gauge():
    counter = parse_histogram("{{count:4 sum:5 z_bucket:1 z_bucket_w:1 offset:1 buckets:[2] n_offset:1 n_buckets:[1]}}")
    assert write_histogram(scale(counter, -2)) == (
        "{{count:-8 sum:-10 z_bucket:-2 z_bucket_w:1 counter_reset_hint:gauge offset:1 buckets:[-4] n_offset:1"
        " n_buckets:[-2]}}"
    )
    assert divide(counter, -2) == scale(counter, -0.5)


def test_division_by_zero_leaves_no_buckets():
    histogram = parse_histogram("{{count:30 sum:33 z_bucket:3 z_bucket_w:0.001 buckets:[3 3 3]}}")
    assert write_histogram(divide(histogram, 0)) == "{{count:+Inf sum:+Inf z_bucket:+Inf z_bucket_w:0.001}}"
    assert math.isnan(divide(scale(histogram, 0), 0).count)


def test_a_histogram_equals_another_with_the_same_data():
    histogram = parse_histogram("{{count:3 sum:NaN buckets:[1 2] counter_reset_hint:gauge}}")
    assert equals(histogram, parse_histogram("{{count:3 sum:NaN buckets:[1 2]}}"))
    assert not equals(histogram, parse_histogram("{{count:3 sum:NaN buckets:[2 1]}}"))
    assert not equals(histogram, parse_histogram("{{count:3 sum:NaN buckets:[1 2] offset:1}}"))


def test_rounding_errors_are_made_good():
    texts = ["{{count:1 sum:5.3}}", "{{count:2 sum:1e100}}", "{{count:3 sum:1}}", "{{count:4 sum:-1e100}}"]
    operands = [parse_histogram(text) for text in texts]
    assert sum_of(operands).histogram.sum == pytest.approx(6.3)
    assert mean_of(operands).histogram.sum == pytest.approx(1.575)
    wider = [*operands, parse_histogram("{{count:1 z_bucket_w:0.5}}")]  # another layout, so one by one
    assert sum_of(wider).histogram.sum == pytest.approx(6.3)
    assert mean_of(wider).histogram.sum == pytest.approx(1.26)


def test_a_mean_does_not_overflow_where_the_sum_does():
    texts = ["{{count:1.7976931348623157e+308 sum:5.3}}", "{{count:1e308 sum:1e100}}", "{{count:1e-6 sum:-1e100}}"]
    operands = [parse_histogram(text) for text in texts]
    assert sum_of(operands).histogram.count == math.inf
    assert mean_of(operands).histogram.count == pytest.approx(9.325643782874385e307)
    assert mean_of(operands).histogram.sum == pytest.approx(5.3 / 3)


@given(pairs())
def test_no_observation_is_lost_or_made_up(pair):
    left, right = pair
    total = add(left, right).histogram
    assert total.count == _observed(total) == left.count + right.count
    assert _observed(sub(left, right).histogram) == left.count - right.count


@given(pairs())
def test_what_was_added_can_be_taken_away(pair):
    left, right = pair
    total = add(left, right).histogram
    rest = compact(sub(total, right).histogram)
    assert rest == compact(sub(add(left, right).histogram, right).histogram)
    assert (rest.count, rest.sum) == (left.count, left.sum)
    if all(getattr(left, name) == getattr(total, name) for name in ("schema", "zero_threshold", "custom_values")):
        assert rest == compact(left)


@given(groups())
def test_a_sum_is_the_same_as_adding_one_by_one(group):
    total = group[0]
    for histogram in group[1:]:
        total = add(total, histogram).histogram
    assert compact(sum_of(group).histogram) == compact(total)


@given(groups())
def test_a_mean_is_the_sum_divided(group):
    mean, total = compact(mean_of(group).histogram), compact(divide(sum_of(group).histogram, len(group)))
    assert mean.count == pytest.approx(total.count)
    assert mean.positive.first == total.positive.first
    assert mean.positive.counts == pytest.approx(total.positive.counts)
    assert mean.negative.counts == pytest.approx(total.negative.counts)


@given(pairs())
def test_a_lower_resolution_keeps_every_observation(pair):
    histogram, other = pair
    if histogram.is_custom or histogram.schema < other.schema:
        return
    reduced = copy_to_schema(histogram, other.schema)
    assert _observed(reduced) == histogram.count
    assert copy_to_schema(reduced, -4) == copy_to_schema(histogram, -4)
