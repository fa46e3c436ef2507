"""The growth of histograms over a window."""

import pytest
from hypothesis import given

from fixtures.histograms import groups
from holdfast.telemetry.metrics.histograms import ResetHint
from holdfast.telemetry.metrics.promql.histograms import (
    compact,
    extended_rate_of,
    interpolate,
    is_start_reset,
    parse_histogram,
    rate_of,
    sub,
    with_hint,
    write_histogram,
)


def _points(*texts, step_ms=10_000):
    return [(place * step_ms, parse_histogram(text)) for place, text in enumerate(texts)]


def test_what_a_reset_took_away_is_made_good():
    points = _points(
        "{{count:4 sum:5 buckets:[1 2 1]}}", "{{count:5 sum:6 buckets:[1 1 3]}}", "{{count:6 sum:7 buckets:[1 2 3]}}"
    )
    delta = rate_of(points, None, is_counter=True)
    assert write_histogram(delta.histogram) == "{{count:6 sum:7 counter_reset_hint:gauge buckets:[1 2 3]}}"
    assert delta.notes == ()


def test_a_gauge_is_no_counter_and_the_other_way_round():
    gauges = _points(*["{{count:1 counter_reset_hint:gauge}}"] * 3)
    counters = _points(*["{{count:1}}"] * 3)
    assert rate_of(gauges, None, is_counter=True).notes == ("not_counter",)
    assert rate_of(gauges, None, is_counter=False).notes == ()
    assert rate_of(counters, None, is_counter=True).notes == ()
    assert rate_of(counters, None, is_counter=False).notes == ("not_gauge",)


def test_kinds_that_do_not_mix_give_nothing():
    exponential, custom = "{{count:1 buckets:[1]}}", "{{schema:-53 count:1 custom_values:[5 10] buckets:[1]}}"
    for texts in ((exponential, custom, exponential), (custom, exponential, custom)):
        assert rate_of(_points(*texts), None, is_counter=True) == (None, ("mixed_schemas",))
    assert rate_of(_points(exponential, custom), None, is_counter=False) == (None, ("mixed_schemas",))


def test_a_first_sample_before_a_reset_need_not_fit():
    points = _points("{{schema:-53 count:1 custom_values:[5] buckets:[1]}}", "{{count:4 sum:5 buckets:[1 2 1]}}")
    delta = rate_of(points, None, is_counter=True)
    assert write_histogram(delta.histogram) == "{{count:4 sum:5 counter_reset_hint:gauge buckets:[1 2 1]}}"


def test_the_lowest_resolution_of_the_window_is_taken():
    points = _points(
        "{{schema:1 count:2 buckets:[1 1]}}", "{{schema:0 count:4 buckets:[2 2]}}", "{{schema:1 count:1 buckets:[1]}}"
    )
    delta = rate_of(points, None, is_counter=True)
    assert delta.histogram.schema == 0
    assert delta.histogram.count == 3


def test_bounds_that_were_reduced_are_told():
    points = _points(
        "{{schema:-53 count:1 custom_values:[5] buckets:[1]}}",
        "{{schema:-53 count:3 custom_values:[5 10] buckets:[2 1]}}",
    )
    delta = rate_of(points, None, is_counter=True)
    assert delta.notes == ("reconciled_sub",)
    assert write_histogram(delta.histogram) == (
        "{{schema:-53 count:2 custom_values:[5] counter_reset_hint:gauge buckets:[1 1]}}"
    )


@pytest.mark.parametrize(
    ("previous_start", "previous_ts", "start", "ts", "is_reset"),
    [
        (0, 10, 0, 20, False),
        (0, 10, 15, 20, True),
        (0, 10, 5, 20, False),
        (0, 10, 10, 20, False),  # a cumulative series whose start is not known
        (5, 10, 10, 20, True),  # deltas
        (5, 10, 30, 20, False),  # nonsense
        (5, 10, 20, 20, False),
        (10, 10, 10, 20, False),  # the start before was none
    ],
)
def test_a_start_between_two_samples_is_a_reset(previous_start, previous_ts, start, ts, is_reset):
    assert is_start_reset(previous_start, previous_ts, start, ts) is is_reset


def test_a_known_start_is_a_reset_though_no_count_fell():
    points = _points("{{count:2 sum:2}}", "{{count:3 sum:3}}")
    assert rate_of(points, [0, 0], is_counter=True).histogram.count == 1
    assert rate_of(points, [0, 5_000], is_counter=True).histogram.count == 3


def test_between_two_samples_lies_a_line():
    left, right = parse_histogram("{{count:1 sum:1 buckets:[1]}}"), parse_histogram("{{count:5 sum:9 buckets:[3 2]}}")
    assert (
        write_histogram(interpolate(left, right, 0.5, is_counter=True).histogram) == "{{count:3 sum:5 buckets:[2 1]}}"
    )
    assert interpolate(left, right, 0, is_counter=True).histogram is left
    assert interpolate(left, right, 1, is_counter=True).histogram is right
    fallen = interpolate(right, left, 0.5, is_counter=True).histogram
    assert write_histogram(fallen) == "{{count:0.5 sum:0.5 buckets:[0.5]}}"


def test_anchored_growth_reaches_back_to_the_sample_before_the_window():
    points = _points("{{count:5}}", "{{count:10}}", "{{count:3 counter_reset_hint:reset}}", "{{count:6}}")
    delta = extended_rate_of(points, 5_000, 25_000, is_smoothed=False, is_counter=True)
    assert delta.histogram.count == 11  # 6 - 5, and 10 that the reset took away
    assert extended_rate_of(points[:1], 5_000, 25_000, is_smoothed=False, is_counter=True) == (None, ())


def test_smoothed_growth_is_cut_at_the_edges():
    points = _points("{{count:0}}", "{{count:10}}", "{{count:20}}")
    delta = extended_rate_of(points, 5_000, 15_000, is_smoothed=True, is_counter=True)
    assert delta.histogram.count == 10
    assert delta.histogram.hint is ResetHint.GAUGE


def test_smoothed_growth_counts_a_reset_at_the_left_edge_once():
    points = _points("{{count:10}}", "{{count:5 counter_reset_hint:reset}}", "{{count:8}}")
    delta = extended_rate_of(points, 5_000, 20_000, is_smoothed=True, is_counter=True)
    assert delta.histogram.count == 5.5  # from 2.5, half way up from zero, to 8


@given(groups())
def test_a_gauge_changed_by_last_minus_first(group):
    points = [(place, with_hint(histogram, ResetHint.GAUGE)) for place, histogram in enumerate([*group, group[-1]])]
    delta = rate_of(points, None, is_counter=False)
    difference = compact(sub(points[-1][1], points[0][1]).histogram)
    assert (delta.histogram.count, delta.histogram.sum) == (difference.count, difference.sum)
    if (
        len({histogram.schema for histogram in group}) == 1
    ):  # else resolution falls first, which may widen the zero bucket
        assert delta.histogram == difference
