from __future__ import annotations

import asyncio
import json
import math
import struct
import threading

import pytest

from holdfast.kernel.errors import LimitError, TimedOutError
from holdfast.telemetry.metrics.api.results import Form, write_answer
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.promql import QueryExecutionError, QuerySyntaxError, ValueType, engine
from holdfast.telemetry.metrics.promql.evaluation import Budget
from holdfast.telemetry.metrics.promql.limits import QueryLimits
from telemetry.metrics.promql.asking import TENANT, Bench, labels_of


@pytest.fixture
def bench():
    bench = Bench()
    bench.put('requests_total{job="api",instance="0"}', *range(0, 1000, 10))
    bench.put('requests_total{job="api",instance="1"}', *range(0, 2000, 20))
    bench.put('requests_total{job="web",instance="0"}', *range(0, 3000, 30))
    return bench


def test_a_selector_gives_the_newest_sample_within_the_lookback(bench):
    assert bench.at('requests_total{instance="1"}', 630) == {"requests_total{instance=1,job=api}": 200.0}
    assert bench.at("requests_total", 99 * 60 + 300) == {}


def test_a_rate_is_drawn_out_to_the_edges_of_its_window(bench):
    got = bench.at('rate(requests_total{job="web"}[5m])', 1200)
    assert got == {"{instance=0,job=web}": pytest.approx(0.5)}


def test_a_sum_by_label_of_rates_over_a_range(bench):
    got = bench.over("sum by (job) (rate(requests_total[5m]))", 600, 780)
    assert got == {"{job=api}": [pytest.approx(0.5)] * 4, "{job=web}": [pytest.approx(0.5)] * 4}


def test_a_reset_adds_what_was_lost_only_within_the_window():
    bench = Bench()
    bench.put("c_total", 100, 110, 5, 15, 25, 35, 45, 55, 65, 75)
    assert bench.at("increase(c_total[150s])", 180)["{}"] == pytest.approx((15 - 110 + 110) * 150 / 120)
    assert bench.at("increase(c_total[150s])", 420)["{}"] == pytest.approx(20 * 150 / 120)


def test_resets_of_very_different_sizes_do_not_drown_each_other():
    bench = Bench()
    bench.put("c_total", 1e18, 0, 100, 50, 60)
    assert bench.at("increase(c_total[181s])", 240)["{}"] == pytest.approx(160, rel=0.05)


def test_a_stale_marker_ends_a_series_at_once():
    stale = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
    bench = Bench()
    bench.put("up", 1, 1, stale, None, 1)
    assert bench.over("up", 0, 240) == {"up{}": [1.0, 1.0, None, None, 1.0]}
    assert bench.at("count_over_time(up[5m])", 240) == {"{}": 3.0}


@pytest.mark.parametrize("at_s", [0, 59, 60, 120, 180, 299, 359, 360, 419, 420, 479, 480, 539, 540, 1000])
def test_one_moment_gives_what_a_range_gives_there(at_s):
    stale = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
    bench = Bench()
    for instance, values in {"a": (1, 2, stale, 4), "b": (5, 6, 7, stale), "c": (8, 9, 10, 11)}.items():
        bench.put(f'up{{instance="{instance}"}}', *values, first_s=60)
    ranged = {labels: values[0] for labels, values in bench.over("up", at_s, at_s + 60).items()}
    assert bench.at("up", at_s) == {labels: value for labels, value in ranged.items() if value is not None}


def test_windows_are_open_on_the_left(bench):
    assert bench.at('count_over_time(requests_total{job="web"}[5m])', 600) == {"{instance=0,job=web}": 5.0}


def test_a_subquery_is_evaluated_at_multiples_of_its_step(bench):
    got = bench.at('sum_over_time(requests_total{job="web"}[90s:60s])', 630)
    assert got == {"{instance=0,job=web}": 300.0}


def test_the_name_of_a_result_goes_at_the_end_so_that_labels_can_still_use_it(bench):
    got = bench.at('label_replace(rate(requests_total{job="web"}[5m]), "of", "$1", "__name__", "(.*)")', 1200)
    assert got == {"{instance=0,job=web,of=requests_total}": pytest.approx(0.5)}


def test_many_to_many_is_refused_with_both_series_named(bench):
    with pytest.raises(QueryExecutionError) as caught:
        bench.at("requests_total / on(job) requests_total", 600)
    assert "found duplicate series for the match group" in caught.value.message
    assert 'job="api"' in caught.value.message


def test_the_same_label_set_twice_is_refused():
    bench = Bench()
    bench.put('a{x="1"}', 1)
    bench.put('b{x="1"}', 2)
    with pytest.raises(QueryExecutionError, match="same labelset"):
        bench.at('-{__name__=~"a|b"}', 0)


def test_a_string_and_a_scalar_are_answers_too(bench):
    assert bench.answer('"hello"', 0).text == "hello"
    scalar = bench.answer("1 + 2", 0)
    assert scalar.type is ValueType.SCALAR
    assert scalar.grid.values.tolist() == [[3.0]]


def test_a_range_selector_answers_with_its_samples(bench):
    series = bench.answer('requests_total{job="web"}[3m]', 600).series
    assert series.ts_ms.tolist() == [480_000, 540_000, 600_000]
    assert series.values.tolist() == [240.0, 270.0, 300.0]


def test_a_rate_of_what_is_no_counter_is_remarked_with_its_place():
    bench = Bench()
    bench.put("temperature", *range(10))
    answer = bench.answer("rate(temperature[5m])", 300)
    (info,) = answer.infos
    assert info.startswith("PromQL info: metric might not be a counter, name does not end in")
    assert info.endswith('"temperature" (1:6)')


def test_a_query_over_its_memory_is_refused_with_the_selector(bench):
    engine = bench.engine()
    with pytest.raises(LimitError) as caught:
        asyncio.run(engine.range(TENANT, "requests_total", 0, 6_000_000, 60_000, limits=QueryLimits(max_bytes=1000)))
    assert "requests_total" in str(caught.value)
    assert "max_bytes" in str(caught.value)


def test_a_query_of_too_many_steps_is_refused(bench):
    with pytest.raises(LimitError, match="max_steps"):
        asyncio.run(bench.engine().range(TENANT, "vector(1)", 0, 10**9, 1000))


def test_nan_is_a_value_and_not_an_absence():
    bench = Bench()
    bench.put("x", math.nan, 1)
    assert math.isnan(bench.at("x", 0)["x{}"])
    assert bench.at("max_over_time(x[2m])", 60) == {"{}": 1.0}


def test_series_of_different_clocks_get_their_own_windows():
    bench = Bench()
    bench.put('c_total{i="a"}', *range(0, 100, 1))
    bench.put('c_total{i="b"}', *range(0, 100, 1), first_s=7)
    bench.put('c_total{i="c"}', *range(0, 50, 1), step_s=120)
    got = bench.at("count_over_time(c_total[5m])", 1200)
    assert got == {"{i=a}": 5.0, "{i=b}": 5.0, "{i=c}": 2.0 + 1.0 * (1200 % 240 == 0)}
    assert labels_of("c_total") == (("__name__", "c_total"),)


async def test_a_query_whose_asker_is_gone_stops_at_its_next_check(bench, monkeypatch):
    entered, seen = threading.Event(), []
    really = Budget.check

    def check(budget):
        entered.set()
        seen.append(budget)
        budget.abandoned.wait(10)
        really(budget)

    monkeypatch.setattr(Budget, "check", check)
    monkeypatch.setattr(engine, "_SMALL_SAMPLES", -1)  # in a thread of its own, as where there is much
    asking = asyncio.create_task(bench.engine().instant(TENANT, "requests_total + 1", 600_000))
    await asyncio.to_thread(entered.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert seen[0].abandoned.is_set()


def test_a_query_that_takes_too_long_is_ended_in_prometheus_words(bench):
    with pytest.raises(TimedOutError, match="query timed out in expression evaluation"):
        asyncio.run(bench.engine().instant(TENANT, "requests_total", 0, limits=QueryLimits(max_seconds=-1.0)))


@pytest.mark.parametrize("mode", ["smoothed", "anchored"])
def test_an_infinity_outside_a_window_leaves_no_nan_in_it(mode):
    bench = Bench()
    bench.put("m", math.inf, -math.inf, *range(10), 3, *range(10))
    query = f"increase(m[2m] {mode})"
    over = bench.over(query, 0, 1320)["{}"]
    assert over[5:] == [bench.at(query, place * 60)["{}"] for place in range(5, 23)]
    assert all(math.isfinite(value) for value in over[5:])


def test_since_when_a_smoothed_value_counts_is_not_known(bench):
    bench.note("m 1 2 3", start_s=-30)
    assert bench.at("start_timestamp(m)", 60) == {"{}": -30}
    assert bench.at("start_timestamp(m smoothed)", 60) == {}


def test_info_is_given_to_what_instance_or_job_identifies():
    bench = Bench()
    bench.put("m", 1)
    bench.put('n{job="1"}', 1)
    bench.put('target_info{data="x"}', 1)
    bench.put('target_info{job="1",data="y"}', 1)
    assert bench.at("info(m)", 0) == {"m{}": 1}
    assert bench.at('info({__name__=~"m|n"})', 0) == {"m{}": 1, "n{data=y,job=1}": 1}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("m[(-8s)^0.5]", "2:11: duration is out of range"),
        ("m[0s^-1]", "2:7: duration is out of range"),
        ("m[step()]", "2:8: duration must be greater than 0"),
        ("m[5s/step()]", "2:11: division by zero"),
        ("m[(1y^99)%5s]", "2:12: duration is out of range"),
    ],
)
def test_a_duration_that_makes_no_sense_is_refused_with_its_place(bench, query, problem):
    with pytest.raises(QuerySyntaxError) as caught:
        bench.answer(query, 60)
    assert caught.value.message == problem


def test_parts_of_a_millisecond_are_cut_off(bench):
    bench.put("m", 1, 2)
    assert bench.at("m offset 0.0006", 60) == bench.at("m offset (0.0006 * 1)", 60) == {"m{}": 2}


@pytest.mark.parametrize("moment", ["9223372036854775", "-9223372036854775", "9e17"])
def test_a_moment_far_beyond_all_samples_finds_none(bench, moment):
    bench.put("m", 1, 2)
    assert bench.at(f"sum_over_time(m[5m] @ {moment})", 60) == bench.at(f"m @ {moment} offset 1y", 60) == {}


@pytest.mark.parametrize(
    ("query", "result"),
    [
        (r'"a\xff"', [60, "a\ufffd"]),
        (r'label_replace(vector(1), "x", "\xff", "", "")', [{"metric": {"x": "\ufffd"}, "value": [60, "1"]}]),
        (r'absent(n{x="\xff\xff"})', [{"metric": {"x": "\ufffd\ufffd"}, "value": [60, "1"]}]),
        (
            r'limit_ratio(1, label_replace(vector(1), "x", "\xff", "", ""))',
            [{"metric": {"x": "\ufffd"}, "value": [60, "1"]}],
        ),
        (
            r'label_replace(label_replace(vector(1), "x", "\xc3\xa9", "", ""), "y", "<$1>", "x", "(.)")',
            [{"metric": {"x": "é", "y": "<é>"}, "value": [60, "1"]}],
        ),
        (r'label_replace(vector(1), "x", "$1é", "", "(.*)")', [{"metric": {}, "value": [60, "1"]}]),
    ],
)
def test_bytes_that_are_no_text_are_answered_as_go_writes_them(bench, query, result):
    body = b"".join(write_answer(bench.answer(query, 60), Form(is_range=False)))
    assert json.loads(body)["data"]["result"] == result


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (r'label_replace(m, "x", "", "", "\xff|1")', "invalid regular expression in label_replace(): \ufffd|1"),
        (r'label_replace(m, "\xff", "", "", "")', "invalid destination label name in label_replace(): \ufffd"),
        (r'label_join(m, "x", "", "\xff")', "invalid source label name in label_join(): \ufffd"),
    ],
)
def test_what_is_no_text_is_refused_in_text(bench, query, problem):
    with pytest.raises(QueryExecutionError) as caught:
        bench.answer(query, 60)
    assert caught.value.message == problem


@pytest.mark.parametrize(("operator", "value"), [("+", 2000), ("or", 1), ("* 1 -", -1998), ("== bool", 1)])
def test_a_chain_of_operations_may_be_long(operator, value):
    bench = Bench()
    bench.put("m", 1)
    query = f" {operator} ".join(["m"] * 2000)
    assert list(bench.at(query, 0).values()) == [value]
    assert bench.over(f"histogram_count({query})", 0, 60) == {}
