"""Range functions over histograms: all windows at once give what each window alone gives."""

import asyncio

import pytest

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.memory import MemorySource
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.promql.evaluation import mixed
from holdfast.telemetry.metrics.promql.histograms import compact

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
