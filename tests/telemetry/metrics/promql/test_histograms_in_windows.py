"""Range functions over histograms: all windows at once give what each window alone gives."""

import asyncio

import pytest

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.memory import MemorySource
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.promql.evaluation import mixed
from holdfast.telemetry.metrics.promql.histograms import compact
from telemetry.metrics.promql.asking import Bench

TENANT = "t"
LABELS = (("__name__", "h"),)


def _sample(place, hint):
    """Grow, begin anew at every ninth sample, and let buckets come and go."""
    grown = place % 9
    counts = tuple(float(grown * weight) for weight in range(1, 2 + place % 3))
    total = float(sum(counts)) + grown
    return Histogram(1, total, total / 2, 0.001, float(grown), Buckets(-1, counts), hint=hint)


def _answers(hint, query, gaps):
    source = MemorySource()
    samples = [(place * 15_000, _sample(place, hint)) for place in range(40) if place not in gaps]
    source.add(TENANT, LABELS, samples)
    answer = asyncio.run(Engine(source).range(TENANT, query, 0, 720_000, 20_000))
    grid = answer.grid
    values = None if grid.histograms is None else grid.histograms.tolist()
    return grid.labels, grid.present.tolist(), values, answer.warnings, answer.infos


@pytest.mark.parametrize("hint", [ResetHint.UNKNOWN, ResetHint.GAUGE])
@pytest.mark.parametrize("function", ["rate", "increase", "delta", "sum_over_time", "avg_over_time"])
def test_all_windows_at_once_are_as_each_alone(function, hint, monkeypatch):
    query, gaps = f"{function}(h[2m] offset 7s)", {5, 6, 7, 8, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30}
    at_once = _answers(hint, query, gaps)
    monkeypatch.setattr(mixed, "fill_stacked", lambda *_: None)
    one_by_one = _answers(hint, query, gaps)
    assert at_once[:2] == one_by_one[:2]
    assert at_once[3:] == one_by_one[3:]
    for found, alone in zip(at_once[2][0], one_by_one[2][0], strict=True):
        if alone is None:
            assert found is None
            continue
        wanted = compact(alone)  # a sum of one window keeps empty buckets at its ends
        assert (found.hint, found.positive.first, found.schema) == (wanted.hint, wanted.positive.first, wanted.schema)
        assert (found.count, found.sum) == pytest.approx((wanted.count, wanted.sum))
        assert found.positive.counts == pytest.approx(wanted.positive.counts)


def _at(bench, query, at_s):
    """Give the one histogram of an answer, None if there is none, and what was said."""
    answer = bench.answer(query, at_s)
    found = None if answer.grid.histograms is None else answer.grid.histograms[0, 0]
    return found, [*answer.warnings, *answer.infos]


def test_what_is_not_a_number_before_a_reset_is_lost_with_it():
    bench = Bench()
    bench.note("h {{sum:NaN count:9 buckets:[9]}} {{sum:1 count:1 buckets:[1]}} {{sum:3 count:2 buckets:[2]}}")
    bench.note('h{x="1"} {{sum:1 count:9 buckets:[9]}} {{sum:1 count:1 buckets:[1]}} {{sum:3 count:2 buckets:[2]}}')
    for query in ('increase(h{x=""}[%s])', 'increase(h{x="1"}[%s])'):
        assert _at(bench, query % "2m", 120)[0].sum == 4
        assert _at(bench, query % "3m", 120)[0].sum == pytest.approx(4.5)


def test_a_counter_that_began_within_the_window_may_have_had_other_buckets():
    bench = Bench()
    custom = "{{schema:-53 sum:%d count:%d custom_values:[1 %d] buckets:[%d]}}"
    bench.note(f"mixed {{{{count:1 buckets:[1]}}}} {custom % (1, 1, 2, 1)} {custom % (2, 2, 2, 2)}", start_s=-30)
    bench.note(f"bounds {custom % (1, 1, 2, 1)} {custom % (2, 2, 3, 2)}", start_s=-30)
    what = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
    assert _at(bench, "rate(mixed[4m])", 120) == (None, [f'PromQL warning: {what} "mixed" (1:6)'])
    told = "PromQL info: mismatched custom buckets were reconciled during"
    found, notes = _at(bench, "increase(bounds[4m])", 60)
    assert (found.count, found.custom_values) == (2, (1,))
    assert notes == [f"{told} subtraction (1:10)", f"{told} addition (1:10)"]


def test_smoothed_a_counter_beside_a_gauge_may_begin_anew():
    bench = Bench()
    bench.note("h {{count:10 buckets:[10] counter_reset_hint:gauge}} {{count:1 buckets:[1]}}")
    assert _at(bench, "h smoothed", 30)[0].count == 0.5
