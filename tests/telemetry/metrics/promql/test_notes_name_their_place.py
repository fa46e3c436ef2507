from __future__ import annotations

import asyncio

import pytest

from holdfast.telemetry.metrics.histograms import Buckets, Histogram
from holdfast.telemetry.metrics.promql import QueryExecutionError
from telemetry.metrics.promql.asking import TENANT, Bench, labels_of

NO_COUNTER = "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
RATIO = "PromQL warning: ratio value should be between -1 and 1, got"
QUANTILE = "PromQL warning: quantile value should be between 0 and 1, got"
SORTED = "PromQL warning: sort is ineffective for range queries since results are always ordered by labels"


@pytest.fixture
def bench():
    bench = Bench()
    bench.put("m", *range(20))
    bench.put('lat_bucket{le="1"}', *range(20))
    bench.put('lat_bucket{le="+Inf"}', *range(20))
    return bench


@pytest.mark.parametrize(
    ("query", "notes"),
    [
        ("rate(m[5m])", [f'{NO_COUNTER} "m" (1:6)']),
        ("rate(m[5m]) + rate(m[5m])", [f'{NO_COUNTER} "m" (1:20)']),
        ("rate(m[5m])\n+\nrate(m[5m])", [f'{NO_COUNTER} "m" (3:6)']),
        ('label_replace(m, "é", "x", "", "") or rate((m[5m]))', [f'{NO_COUNTER} "m" (1:46)']),
        ("limit_ratio((1.5), m)", [f"{RATIO} 1.5, capping to 1 (1:14)"]),
        ("limit_ratio(-2e6, m)", [f"{RATIO} -2e+06, capping to -1 (1:13)"]),
        ("quantile(((7)), m)", [f"{QUANTILE} 7 (1:12)"]),
        ("quantile_over_time((1234567), m[5m])", [f"{QUANTILE} 1.234567e+06 (1:21)"]),
        ("histogram_quantile((-1), lat_bucket)", [f"{QUANTILE} -1 (1:21)"]),
        ("sum_over_time(sort(m)[5m:1m])", [f"{SORTED} (1:15)"]),
        ("sort(m)", []),
    ],
)
def test_a_note_is_said_once_of_what_stands_within_the_parentheses(bench, query, notes):
    answer = bench.answer(query, 600)
    assert [*answer.warnings, *answer.infos] == notes


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("topk(1e19, m)", "Scalar value 1e+19 overflows int64"),
        ("limitk(Inf, m)", "Scalar value +Inf overflows int64"),
        ("limitk(NaN, m)", "Parameter value is NaN"),
        ("limitk(scalar(nothing), m)", "Parameter value is NaN"),
        ("limit_ratio(NaN, m)", "Ratio value is NaN"),
    ],
)
def test_how_many_series_are_wanted_must_be_a_number_that_counts(bench, query, message):
    with pytest.raises(QueryExecutionError) as caught:
        bench.answer(query, 600)
    assert caught.value.message == message


def test_the_step_of_a_query_of_one_moment_is_none(bench):
    assert bench.over("vector(step())", 600, 600) == {"{}": [0.0]}
    assert bench.over("vector(step())", 600, 630) == {"{}": [60.0]}


def test_a_subquery_does_not_look_beyond_the_last_step(bench):
    bench.put('build{version="1"}', 1, 1, 1)
    bench.put('build{version="2"}', 1, first_s=90)
    query = "sum_over_time((m * on() group_left build)[30s:30s])"
    assert bench.over(query, 0, 90) == {"{}": [0.0, 1.0]}
    with pytest.raises(QueryExecutionError, match="found duplicate series"):
        bench.over(query, 0, 120)


def test_infos_of_many_series_are_told_apart_by_name(bench):
    bench.put('n{x="1"}', *range(20))
    answer = asyncio.run(bench.engine().instant(TENANT, 'rate({__name__=~"m|n"}[5m])', 600_000))
    assert answer.infos == (f'{NO_COUNTER} "m" (1:6)', f'{NO_COUNTER} "n" (1:6)')


def test_histograms_that_are_trimmed_keep_what_they_say_of_resets(bench):
    falling = [Histogram(0, count, count, positive=Buckets(0, (count,))) for count in (4.0, 8.0, 2.0)]
    rising = [Histogram(0, count, count, positive=Buckets(0, (count,))) for count in (4.0, 8.0, 9.0)]
    for name, row in (("falling", falling), ("rising", rising)):
        points = [(place * 60_000, each) for place, each in enumerate(row)]
        bench.source.add(TENANT, labels_of(f'h{{way="{name}"}}'), points)
    conflict = ("PromQL warning: conflicting counter resets during histogram aggregation (1:21)",)
    assert bench.answer("histogram_count(sum(h))", 120).warnings == conflict
    assert bench.answer("histogram_count(sum(h </ 9))", 120).warnings == ()


def test_counts_that_were_raised_are_one_info_of_a_name(bench):
    for instance, low, high in (("a", 10, 5), ("b", 30, 15)):
        bench.put(f'dur_bucket{{i="{instance}",le="1"}}', low, low)
        bench.put(f'dur_bucket{{i="{instance}",le="{low}"}}', high, high)
        bench.put(f'dur_bucket{{i="{instance}",le="+Inf"}}', 40, 40)
    told = "from buckets 10 to 30, with a max diff of 15, over {} samples from {} to {} ({})"
    for query, place, times in (
        ("histogram_quantile(0.5, dur_bucket)", "1:25", 4),
        ('histogram_quantiles(dur_bucket, "q", 0.5, 0.9)', "1:21", 4),
        ("histogram_quantile(0.5, dur_bucket) / histogram_quantile(0.9, dur_bucket)", "1:25", 8),
    ):
        infos = asyncio.run(bench.engine().range(TENANT, query, 0, 60_000, 60_000)).infos
        details = told.format(times, "1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z", place)
        assert [info.split('"dur_bucket", ')[1] for info in infos] == [details]


def test_overlapping_starts_are_told_where_a_rate_is_reckoned_over_many_samples(bench):
    bench.note("late_total 1 2", start_s=-90)
    bench.source.add(TENANT, labels_of("late_total"), [(120_000, 3.0)], start_ms=-30_000)
    warning = "PromQL warning: sample has start time that overlaps with previous sample timestamp for metric"
    assert bench.answer("rate(late_total[5m])", 120).warnings == (f'{warning} "late_total" (1:6)',)
    assert bench.answer("irate(late_total[5m])", 120).warnings == ()


def test_a_smoothed_histogram_tells_of_bounds_that_differ(bench):
    custom = "{{schema:-53 sum:1 count:1 custom_values:[1 %d] buckets:[1]}}"
    bench.note(f"h {custom % 2} {custom % 3}")
    told = "PromQL info: mismatched custom buckets were reconciled during"
    assert bench.answer("h smoothed", 30).infos == (f"{told} subtraction (1:1)", f"{told} addition (1:1)")
