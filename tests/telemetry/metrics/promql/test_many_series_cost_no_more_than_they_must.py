"""Groups, pairs and values that are many are computed side by side, and give what each gives alone."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.api import results
from holdfast.telemetry.metrics.api.numbers import write_value
from holdfast.telemetry.metrics.promql import Answer, Grid, QueryLimits, ValueType
from holdfast.telemetry.metrics.promql.evaluation import Frame
from holdfast.telemetry.metrics.promql.evaluation.aggregating import fold_groups
from holdfast.telemetry.metrics.promql.evaluation.aggregations import FOLDS, best_k, group
from holdfast.telemetry.metrics.promql.evaluation.binary.matching import pair_up
from telemetry.metrics.promql.asking import TENANT, Bench

NUMBERS = st.sampled_from([0.0, -0.0, 1.5, 1.5, -2.0, 1e16, float("nan"), float("inf"), float("-inf")])
COLUMNS = st.lists(st.tuples(st.integers(0, 4), st.lists(st.none() | NUMBERS, min_size=3, max_size=3)), max_size=9)


def frame_of(columns):
    labels = [(("__name__", "m"), ("g", str(number)), ("n", str(row))) for row, (number, _) in enumerate(columns)]
    cells = np.array([values for _, values in columns], dtype=np.float64).reshape(-1, 3)
    present = np.array([[value is not None for value in values] for _, values in columns], dtype=np.bool_)
    return Frame(labels, cells, present.reshape(-1, 3), np.zeros(len(columns), dtype=np.bool_))


@given(COLUMNS, st.sampled_from(sorted(FOLDS)))
def test_a_group_among_many_is_folded_as_it_is_alone(columns, op):
    frame = frame_of(columns)
    groups = group(frame.labels, ("g",), is_without=False)
    values, present = fold_groups(op, frame, groups)
    for number, rows in enumerate(groups.rows()):
        np.testing.assert_array_equal(present[number], frame.present[rows].any(axis=0))
        with np.errstate(all="ignore"):
            alone = FOLDS[op](frame.values[rows], frame.present[rows])
        np.testing.assert_allclose(values[number][present[number]], alone[present[number]], rtol=1e-12)


@given(COLUMNS, st.lists(st.integers(0, 4), min_size=3, max_size=3) | st.integers(0, 4).map(lambda k: [k] * 3))
def test_the_best_are_those_that_come_first_in_order(columns, k):
    frame = frame_of(columns)
    groups = group(frame.labels, ("g",), is_without=False)
    chosen, _ = best_k(frame, groups, np.array(k, dtype=np.float64), is_top=False)
    for rows in groups.rows():
        for step, most in enumerate(k):
            there = [row for row in rows.tolist() if frame.present[row, step]]
            ordered = sorted(there, key=lambda row: (np.isnan(frame.values[row, step]), frame.values[row, step]))
            assert np.flatnonzero(chosen[:, step] & np.isin(np.arange(len(columns)), rows)).tolist() == sorted(
                ordered[:most]
            )


@given(COLUMNS)
def test_answers_hold_each_number_at_its_place(columns):
    frame = frame_of(columns)
    grid = Grid(frame.labels, frame.values, frame.present)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "_CELLS", 7)
        written = results.write_answer(Answer(ValueType.MATRIX, np.arange(3) * 1000, grid), results.Form(is_range=True))
        result = json.loads(b"".join(written))["data"]["result"]
    wanted = [
        [[step, write_value(value)] for step, value in enumerate(values) if value is not None] for _, values in columns
    ]
    assert [one["values"] for one in result] == [values for values in wanted if values]


def test_many_small_groups_are_folded_together():
    labels = [(("pod", str(number)),) for number in range(1000)]
    groups = group([*labels, *labels[:300]], ("pod",), is_without=False)
    assert [rows.shape for _, rows in groups.batches(60)] == [(1, 700), (2, 300)]
    assert [len(rows) for _, rows in groups.batches(10**6)][:3] == [1, 1, 1]  # each fits a cache, or is alone


def test_series_that_are_never_there_together_are_no_pairs():
    """A deploy an hour gives each pod one version of the many that its namespace had."""
    hours = np.eye(6, dtype=np.bool_).repeat(10, axis=1)
    keys = [(("namespace", "shop"),)] * 6
    frame = Frame([(("n", str(hour)),) for hour in range(6)], hours * 1.0, hours, np.zeros(6, dtype=np.bool_))
    pairing = pair_up((frame, keys), (frame, keys))
    assert pairing.many.tolist() == pairing.one.tolist() == list(range(6))


def test_more_values_than_fit_a_query_are_refused():
    bench = Bench()
    bench.put("m", *range(200))
    engine = bench.engine()
    with pytest.raises(LimitError, match="count_values"):
        asyncio.run(
            engine.range(TENANT, 'count_values("v", m)', 0, 12_000_000, 60_000, limits=QueryLimits(max_bytes=50_000))
        )
