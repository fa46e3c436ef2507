from __future__ import annotations

import asyncio

import pytest

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.limits import QueryLimits
from telemetry.metrics.promql.asking import TENANT, Bench


@pytest.fixture
def bench():
    bench = Bench()
    bench.put("m_total", *range(200), step_s=10)
    bench.put('r_total{i="a"}', *range(0, 400, 2), step_s=10)
    bench.put('r_total{i="b"}', *range(0, 600, 3), step_s=10)
    return bench


@pytest.mark.parametrize(
    ("query", "at_s", "value"),
    [
        ("sum_over_time(m_total[50s:10s])", 1000, 96 + 97 + 98 + 99 + 100),
        ("sum_over_time(m_total[50s:5s])", 1000, 2 * (96 + 97 + 98 + 99) + 95 + 100),
        ("sum_over_time(m_total[50s:5s] offset 2s)", 1000, 95 + 2 * (95 + 96 + 97 + 98 + 99) - 95 - 0),
        ("count_over_time(m_total[1m:1m])", 1000, 1),
        ("count_over_time(m_total[59s:1m])", 1020, 1),
        ("count_over_time(m_total[5m:])", 1000, 5),
        ("min_over_time(m_total[50s:10s] @ 500)", 1000, 46),
        ("max_over_time(m_total[50s:10s] @ 500 offset 100s)", 1000, 40),
        ("max_over_time(m_total[50s:10s] offset -100s)", 1000, 110),
        ("sum_over_time(vector(1)[1m:10s])", 1000, 6),
        ("sum_over_time(vector(time())[1m:10s])", 1000, sum(range(950, 1001, 10))),
        ("max_over_time(sum_over_time(m_total[30s:10s])[1m:20s])", 1000, 98 + 99 + 100),
        ("max_over_time((time() - max_over_time(timestamp(m_total)[1m:10s]))[2m:7s])", 1003, 9),
        ("avg_over_time(rate(m_total[1m])[5m:1m])", 1000, 0.1),
        ("sum_over_time((m_total)[10s:10s])", 1000, 100),
        ("rate(m_total[1m:10s])", 1000, 0.1),
        ("sum_over_time(m_total[50s:10s] @ end())", 1000, 490),
        ("quantile_over_time(0.5, m_total[50s:10s])", 1000, 98),
        ("present_over_time(m_total[1m:10s] offset 1h)", 4000, 1),
    ],
)
def test_a_subquery_gives_samples_at_multiples_of_its_step(bench, query, at_s, value):
    (got,) = bench.at(query, at_s).values()
    assert got == pytest.approx(value)


def test_a_step_below_a_millisecond_is_refused(bench):
    for step in ("0.0004", "1ms / 3", "step() / 200000"):
        with pytest.raises(QuerySyntaxError, match="at least a millisecond"):
            bench.over(f"sum_over_time(m_total[1m:{step}])", 600, 700)
    assert bench.at("sum_over_time(m_total[0.0004:1s])", 600) == {}


def test_steps_of_a_subquery_do_not_move_with_the_query(bench):
    got = bench.over("sum_over_time(m_total[30s:10s])", 1000, 1020, step_s=5)
    assert got == {"{}": [297.0, 297.0, 300.0, 300.0, 303.0]}


def test_a_subquery_over_several_series_and_functions(bench):
    got = bench.over("sum(max_over_time(rate(r_total[1m])[5m:10s]))", 600, 660)
    assert got == {"{}": [pytest.approx(0.5)] * 2}


def test_a_subquery_at_times_before_1970_begins_where_go_would(bench):
    bench.put("old", *range(20), step_s=10, first_s=-100)
    assert bench.at("sum_over_time(old[30s:10s])", -50) == {"{}": 3.0 + 4.0 + 5.0}


def test_gaps_of_an_inner_result_are_gaps_of_the_subquery():
    bench = Bench()
    bench.put("m", 1, 5, 2, 7, step_s=60)
    assert bench.at("count_over_time((m > 3)[4m:1m])", 180) == {"{}": 2.0}
    assert bench.at("sum_over_time((m > 3)[4m:1m])", 180) == {"{}": 12.0}
    assert bench.at("absent_over_time((m > 100)[4m:1m])", 180) == {"{}": 1.0}


def test_names_in_a_subquery_are_dropped_if_what_is_within_drops_them(bench):
    assert list(bench.at("last_over_time(m_total[1m:10s])", 1000)) == ["m_total{}"]
    assert list(bench.at("last_over_time(abs(m_total)[1m:10s])", 1000)) == ["{}"]


def test_an_answer_that_is_a_subquery_itself_holds_its_samples(bench):
    series = bench.answer("(m_total > 98)[40s:10s]", 1000).series
    assert series.values.tolist() == [99.0, 100.0]
    assert series.ts_ms.tolist() == [990_000, 1_000_000]


def test_an_absurdly_fine_subquery_is_refused_before_it_takes_memory(bench):
    with pytest.raises(LimitError, match="subquery"):
        asyncio.run(
            bench.engine().instant(
                TENANT, "sum_over_time(vector(1)[10y:1ms])", 10**12, limits=QueryLimits(max_bytes=10**9)
            )
        )
