from __future__ import annotations

import math

import pytest

from holdfast.telemetry.metrics.histograms import Buckets, Histogram
from holdfast.telemetry.metrics.promql import QueryExecutionError
from telemetry.metrics.promql.asking import TENANT, Bench


@pytest.fixture
def bench():
    bench = Bench()
    for number, (job, group, instance) in enumerate(
        (job, group, instance)
        for job in ("api", "app")
        for group in ("production", "canary")
        for instance in ("0", "1")
    ):
        series = f'requests{{job="{job}",group="{group}",instance="{instance}"}}'
        bench.put(series, *range(0, 200 * (number + 1), 10 * (number + 1)))
    bench.put('memory{instance="0",job="api",type="free"}', *[50] * 20)
    bench.put('memory{instance="0",job="api",type="used"}', *[150] * 20)
    bench.put('role{instance="0",job="api",role="prometheus"}', *[2] * 20)
    bench.put('limit{job="api"}', *[400] * 20)
    bench.put('left{x="1"}', *[1] * 20)
    bench.put('left{x="2"}', *[4] * 20)
    bench.put('right{x="2"}', *[4] * 20)
    bench.put('right{x="3"}', *[9] * 20)
    return bench


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("1 + 2 * 3", 7),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("10 % 3 * 2", 2),
        ("-7 % 3", -1),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 / 0", math.nan),
        ("5 % 0", math.nan),
        ("1 > bool 2", 0),
        ("2 >= bool 2", 1),
        ("NaN == bool NaN", 0),
        ("NaN != bool NaN", 1),
        ("1 atan2 1", math.pi / 4),
        ("(-8) ^ (1/3)", math.nan),
        ("1 - 2 - 3", -4),
    ],
)
def test_scalars_are_computed_as_in_go(bench, query, value):
    assert bench.answer(query, 0).grid.values[0, 0] == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (
            'requests{job="api",group="canary"} * 2',
            {"{group=canary,instance=0,job=api}": 600.0} | {"{group=canary,instance=1,job=api}": 800.0},
        ),
        ('100 - requests{job="api",instance="0",group="production"}', {"{group=production,instance=0,job=api}": 0.0}),
        ('2 ^ left{x="2"}', {"{x=2}": 16.0}),
        ("left > 1", {"left{x=2}": 4.0}),
        ("1 < left", {"left{x=2}": 4.0}),
        ("3 > bool left", {"{x=1}": 1.0, "{x=2}": 0.0}),
        ("left + right", {"{x=2}": 8.0}),
        ("left == right", {"left{x=2}": 4.0}),
        ("left != bool right", {"{x=2}": 0.0}),
        ("left and right", {"left{x=2}": 4.0}),
        ("left or right", {"left{x=1}": 1.0, "left{x=2}": 4.0, "right{x=3}": 9.0}),
        ("left unless right", {"left{x=1}": 1.0}),
        ("left and on() vector(1)", {"left{x=1}": 1.0, "left{x=2}": 4.0}),
        ("left unless on() vector(1)", {}),
        ("left unless on() nothing", {"left{x=1}": 1.0, "left{x=2}": 4.0}),
        ("left or on() right", {"left{x=1}": 1.0, "left{x=2}": 4.0}),
        ("-left", {"{x=1}": -1.0, "{x=2}": -4.0}),
        ("+left", {"left{x=1}": 1.0, "left{x=2}": 4.0}),
        ('left{x="1"} - ignoring(x) right{x="3"}', {"{}": -8.0}),
        ('left{x="2"} atan2 right', {"{x=2}": math.atan2(4, 4)}),
        ("left + nothing", {}),
        ("nothing or left", {"left{x=1}": 1.0, "left{x=2}": 4.0}),
        (
            "memory * on(instance, job) group_left(role) role",
            {"{instance=0,job=api,role=prometheus,type=free}": 100.0}
            | {"{instance=0,job=api,role=prometheus,type=used}": 300.0},
        ),
        (
            "role * on(instance, job) group_right(role) memory",
            {"{instance=0,job=api,role=prometheus,type=free}": 100.0}
            | {"{instance=0,job=api,role=prometheus,type=used}": 300.0},
        ),
        (
            "memory / ignoring(type) group_left sum without (type) (memory)",
            {"{instance=0,job=api,type=free}": 0.25, "{instance=0,job=api,type=used}": 0.75},
        ),
        ("sum by (job) (requests) > on(job) limit", {"{job=api}": 1000.0}),
        ("count(requests) + on() count(left)", {"{}": 10.0}),
    ],
)
def test_vectors_are_matched_and_computed(bench, query, values):
    assert bench.at(query, 600) == {labels: pytest.approx(value) for labels, value in values.items()}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("memory * on(instance) role", "multiple matches for labels: many-to-one matching must be explicit"),
        ("role * on(instance) memory", "found duplicate series for the match group"),
        (
            "requests{job='api'} * on(instance) group_left(group, job) memory",
            "found duplicate series for the match group",
        ),
        ("1 </ 2", 'operator "</" not allowed for Scalar operations'),
        (
            "label_replace(memory, 'type', 'x', '', '') * on(instance) role",
            "vector cannot contain metrics with the same labelset",
        ),
    ],
)
def test_ambiguous_matches_are_refused_in_prometheus_words(bench, query, message):
    with pytest.raises(QueryExecutionError) as caught:
        bench.at(query, 600)
    assert caught.value.message.startswith(message)


def test_series_that_cannot_be_told_apart_are_named_in_order_with_odd_labels_quoted():
    bench = Bench()
    bench.put('{"http.port","host.name"="b"}', 1)
    bench.put('{"http.port","host.name"="a"}', 1)
    bench.put("up", 1)
    with pytest.raises(QueryExecutionError) as caught:
        bench.at('up * on() {"http.port"}', 0)
    one, two = (f'{{__name__="http.port", "host.name"="{name}"}}' for name in "ab")
    assert f"match group {{}} on the right hand-side of the operation: [{one}, {two}];" in caught.value.message


def test_of_many_series_that_cannot_be_told_apart_the_same_two_are_named_whatever_their_order():
    bench = Bench()
    for name in "dcba":
        bench.put(f'build{{version="{name}"}}', *([1] if name in "bd" else [None] * 6 + [1]))
    bench.put("up", *[1] * 7)
    for at_s, names in ((0, "bd"), (360, "ac")):
        with pytest.raises(QueryExecutionError) as caught:
            bench.at("up * on() build", at_s)
        one, two = (f'{{__name__="build", version="{name}"}}' for name in names)
        assert f"[{one}, {two}]" in caught.value.message


def test_series_that_cannot_be_told_apart_do_not_matter_where_the_other_side_is_empty():
    bench = Bench()
    bench.put('build{version="1"}', *[1] * 8)
    bench.put('build{version="2"}', 1, math.nan)
    bench.put("up", 1, first_s=420)
    assert bench.over("up * on() build{version='1'}", 0, 420, step_s=420) == {"{}": [None, 1.0]}
    assert bench.over("up * on() (build < 2)", 0, 420, step_s=420) == {"{}": [None, 1.0]}
    with pytest.raises(QueryExecutionError, match="found duplicate series"):
        bench.over("up * on() fill(1) (build < 2)", 0, 420, step_s=420)


def test_a_name_that_was_asked_of_the_one_side_stays(bench):
    got = bench.at("abs(left) * on(x) group_left(__name__) right", 600)
    assert got == {"right{x=2}": 16.0}
    got = bench.at("abs(left) == on(x) group_left(__name__) right", 600)
    assert got == {"right{x=2}": 4.0}
    assert bench.at("abs(left) == bool on(x) group_left(__name__) right", 600) == {"{x=2}": 1.0}


def test_a_match_of_many_whose_labels_become_one_is_refused(bench):
    with pytest.raises(QueryExecutionError, match="grouping labels must ensure unique matches"):
        bench.at("memory * on(instance) group_left(type) role", 600)


def test_series_that_take_turns_are_one_side_of_a_match():
    bench = Bench()
    bench.put('build{version="1"}', 1, 1)
    bench.put('build{version="2"}', None, None, None, None, None, None, None, 1, 1)
    bench.put("up", *[1] * 10)
    got = bench.over("up * on() group_left(version) build", 0, 480)
    assert got == {
        "{version=1}": [1.0] * 6 + [None] * 3,
        "{version=2}": [None] * 7 + [1.0] * 2,
    }


def test_a_match_that_is_ambiguous_at_one_step_only_is_refused_over_the_range():
    bench = Bench()
    bench.put('build{version="1"}', 1, 1)
    bench.put('build{version="2"}', None, 1, 1)
    bench.put("up", 1, 1, 1)
    assert bench.at("up * on() group_left build", 0) == {"{}": 1.0}
    with pytest.raises(QueryExecutionError, match="found duplicate series"):
        bench.over("up * on() group_left build", 0, 120)


def test_what_a_comparison_filters_out_is_absent_only_at_its_steps(bench):
    got = bench.over("left > bool 2 or left", 0, 60)
    assert got == {"{x=1}": [0.0, 0.0], "{x=2}": [1.0, 1.0]}
    ups = Bench()
    ups.put("m", 1, 5, 2, 7)
    assert ups.over("m > 2", 0, 180) == {"m{}": [None, 5.0, None, 7.0]}


def test_set_operators_decide_at_each_step_anew():
    bench = Bench()
    bench.put("a", 1, None, None, None, None, None, 2)
    bench.put("b", None, 3, 4, 5)
    assert bench.over("a or b", 0, 360) == {
        "a{}": [1.0] * 5 + [None, 2.0],
        "b{}": [None] * 5 + [5.0, None],
    }
    assert bench.over("b unless a", 0, 360) == {"b{}": [None] * 5 + [5.0, None]}


def test_fills_stand_in_for_the_side_that_is_missing(bench):
    assert bench.at("left + fill(0) right", 600) == {"{x=1}": 1.0, "{x=2}": 8.0, "{x=3}": 9.0}
    assert bench.at("left + fill_right(10) right", 600) == {"{x=1}": 11.0, "{x=2}": 8.0}
    assert bench.at("left + fill_left(10) right", 600) == {"{x=2}": 8.0, "{x=3}": 19.0}


def test_histograms_whose_resets_contradict_each_other_are_added_with_a_warning():
    bench = Bench()
    for way, counts in (("falling", (4.0, 8.0, 2.0)), ("rising", (4.0, 8.0, 9.0))):
        row = [Histogram(0, count, count, positive=Buckets(0, (count,))) for count in counts]
        series = (("__name__", way),)
        bench.source.add(TENANT, series, [(place * 60_000, each) for place, each in enumerate(row)])
    answer = bench.answer("histogram_count(falling + rising)", 120)
    assert answer.grid.values.tolist() == [[11.0]]
    assert answer.warnings == ("PromQL warning: conflicting counter resets during histogram addition (1:17)",)


def test_a_comparison_gives_no_name_back():
    bench = Bench()
    bench.put("m", -2)
    bench.put("n", 1)
    assert bench.at("abs(m) > n", 0) == {"{}": 2}
    assert bench.at("m < n", 0) == {"m{}": -2}


def test_a_fill_does_not_stand_in_for_a_histogram_that_cannot_be_computed():
    bench = Bench()
    bench.source.add(TENANT, (("__name__", "h"), ("x", "1")), [(0, Histogram(0, 1.0, 1.0))])
    bench.put('f{x="1"}', 1)
    bench.put('f{x="2"}', 2)
    assert bench.at("h + fill(5) f", 0) == {"{x=2}": 7.0}


def test_of_equal_values_the_first_by_labels_are_kept():
    bench = Bench()
    for name in "dbca":
        bench.put(f'm{{x="{name}"}}', 1)
    assert list(bench.at("topk(2, m)", 0)) == list(bench.at("bottomk(2, m)", 0)) == ["m{x=a}", "m{x=b}"]
