"""A sample that stands for several records counts as all of them do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.logs.querying.windows import Windows, aggregate, quantile

SAMPLES = st.lists(
    st.tuples(st.floats(-1e6, 1e6) | st.sampled_from([math.inf, -math.inf]), st.integers(1, 5)), min_size=1, max_size=8
)
OPS = ("sum_over_time", "avg_over_time", "max_over_time", "min_over_time", "stddev_over_time", "stdvar_over_time")


def interpolated(wanted, values):
    """Give the quantile that Loki's documentation describes, over sorted single values."""
    rank = wanted * float(len(values) - 1)
    lower = math.floor(rank)
    upper = min(lower + 1, len(values) - 1)
    return values[lower] * (1 - (rank - lower)) + values[upper] * (rank - lower)


@given(SAMPLES, st.floats(0, 1))
def test_a_quantile_is_interpolated_between_single_values(samples, wanted):
    values, records = (np.array(column) for column in zip(*samples, strict=True))
    singles = sorted(value for value, count in samples for _ in range(count))
    with np.errstate(invalid="ignore"):
        found = quantile(wanted, values, records)
    assert found == interpolated(wanted, singles) or math.isnan(found)


def test_a_quantile_beyond_all_is_infinite_and_what_is_no_number_is_the_least():
    values, records = np.array([2.0, math.nan, 1.0]), np.array([1, 1, 2])
    assert (quantile(-0.1, values, records), quantile(1.1, values, records)) == (-math.inf, math.inf)
    assert math.isnan(quantile(0, values, records))
    assert quantile(1 / 3, values, records) == 1.0


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(-1e3, 1e3), st.integers(1, 4)), max_size=8))
def test_windows_are_those_of_single_records(samples):
    ends = np.array([3, 6, 9], np.int64)
    times, values, records = (np.array([one[place] for one in samples]) for place in range(3))
    weighed = Windows(times.astype(np.int64), values.astype(float), ends, 4, records=records.astype(np.int64))
    each = np.repeat(np.arange(len(samples)), records.astype(int))
    single = Windows(times.astype(np.int64)[each], values.astype(float)[each], ends, 4)
    assert weighed.counts.tolist() == single.counts.tolist()
    for op in OPS:
        found = aggregate(op, weighed, param=None, is_unwrapped=True)
        assert found == pytest.approx(aggregate(op, single, param=None, is_unwrapped=True), rel=1e-9, abs=1e-6)
