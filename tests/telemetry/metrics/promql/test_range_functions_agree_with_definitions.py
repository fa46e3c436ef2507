from __future__ import annotations

import math
import struct
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from telemetry.metrics.promql.asking import Bench

STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
NUMBERS = st.one_of(
    st.integers(-5, 5).map(float),
    st.floats(-1e6, 1e6),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e100, -1e100, 1e-5]),
    st.none(),
    st.just(STALE),
)
WILD = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, 1e100, -1e100, 0.0]))
SERIES = st.lists(st.lists(NUMBERS, max_size=25), min_size=1, max_size=4)


def window(values, step, end, length):
    """Give the samples of one series in (end - length, end], as (time, value)."""
    points = [(place * step, value) for place, value in enumerate(values) if value is not None]
    return [(ts, v) for ts, v in points if end - length < ts <= end and not is_stale(v)]


def is_stale(value):
    return struct.pack("<d", value) == struct.pack("<Q", STALE_BITS)


def kahan(values):
    total = lost = 0.0
    for value in values:
        following = total + value
        if math.isinf(following):
            lost = 0.0
        elif abs(total) >= abs(value):
            lost += (total - following) + value
        else:
            lost += (value - following) + total
        total = following
    return total if math.isinf(total) else total + lost


def extreme(values, better):
    best = values[0]
    for value in values:
        if math.isnan(best) or better(value, best):
            best = value
    return best


def quantile(q, values):
    ordered = sorted(values, key=lambda v: (not math.isnan(v), v))
    rank = q * (len(ordered) - 1)
    lower = max(0, math.floor(rank))
    upper = min(len(ordered) - 1, lower + 1)
    weight = rank - math.floor(rank)
    with np.errstate(all="ignore"):
        return float(np.float64(ordered[lower]) * (1 - weight) + np.float64(ordered[upper]) * weight)


def rate(points, end, length):
    if len(points) < 2:
        return None
    values = [np.float64(v) for _, v in points]
    with np.errstate(all="ignore"):
        change = values[-1] - values[0]
        for before, now in pairwise(values):
            if now < before:
                change += before
        sampled = points[-1][0] - points[0][0]
        average = sampled / (len(points) - 1)
        to_start, to_end = points[0][0] - (end - length), end - points[-1][0]
        to_start = average / 2 if to_start >= average * 1.1 else to_start
        to_end = average / 2 if to_end >= average * 1.1 else to_end
        if change > 0 and values[0] >= 0:
            to_start = min(to_start, sampled * (values[0] / change))
        return float(change * ((sampled + to_start + to_end) / sampled / length))


def changes(values):
    pairs = pairwise(values)
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairs))


DEFINITIONS = {
    "sum_over_time(m[W])": lambda p, *_: kahan([v for _, v in p]) if p else None,
    "count_over_time(m[W])": lambda p, *_: float(len(p)) if p else None,
    "max_over_time(m[W])": lambda p, *_: extreme([v for _, v in p], lambda a, b: a > b) if p else None,
    "min_over_time(m[W])": lambda p, *_: extreme([v for _, v in p], lambda a, b: a < b) if p else None,
    "last_over_time(m[W])": lambda p, *_: p[-1][1] if p else None,
    "first_over_time(m[W])": lambda p, *_: p[0][1] if p else None,
    "changes(m[W])": lambda p, *_: changes([v for _, v in p]) if p else None,
    "resets(m[W])": lambda p, *_: float(sum(b < a for (_, a), (_, b) in pairwise(p))) if p else None,
    "quantile_over_time(0.3, m[W])": lambda p, *_: quantile(0.3, [v for _, v in p]) if p else None,
    "rate(m[W])": rate,
    "ts_of_last_over_time(m[W])": lambda p, *_: float(p[-1][0]) if p else None,
}


def grain(points):
    """Give what rounding may cost where a rate is a small difference of large values."""
    return 1e-12 * max((abs(value) for _, value in points if math.isfinite(value)), default=0.0)


def agrees(got, wanted, tolerance=0.0):
    if got is None or wanted is None:
        return got is wanted
    if math.isnan(got) or math.isnan(wanted):
        return math.isnan(got) == math.isnan(wanted)
    return got == wanted or math.isclose(got, wanted, rel_tol=1e-6, abs_tol=tolerance)


@pytest.mark.parametrize("query", DEFINITIONS)
@settings(max_examples=60, deadline=None)
@given(series=SERIES, length=st.sampled_from([5, 20, 35, 70, 200]), step=st.sampled_from([10, 13]))
def test_a_range_function_is_what_its_definition_says_of_each_window(query, series, length, step):
    bench = Bench()
    for number, values in enumerate(series):
        bench.put(f'm{{s="{number}"}}', *values, step_s=step)
    got = bench.over(query.replace("W", f"{length}s"), 0, 260, step_s=20)
    for number, values in enumerate(series):
        row = next((row for labels, row in got.items() if f"s={number}" in labels), [None] * 14)
        for place, end in enumerate(range(0, 261, 20)):
            points = window(values, step, end, length)
            wanted = DEFINITIONS[query](points, end, length)
            tolerance = grain(points) if query.startswith("rate") else 0.0
            assert agrees(row[place], wanted, tolerance), (number, end, row[place], wanted)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(WILD, min_size=1, max_size=12))
def test_aggregations_are_what_their_definitions_say(values):
    bench = Bench()
    for number, value in enumerate(values):
        bench.put(f'm{{s="{number:02}"}}', value)
    finite = np.array(values)
    assert agrees(bench.at("sum(m)", 0)["{}"], kahan(values))
    assert agrees(bench.at("max(m)", 0)["{}"], extreme(values, lambda a, b: a > b))
    assert agrees(bench.at("min(m)", 0)["{}"], extreme(values, lambda a, b: a < b))
    assert agrees(bench.at("quantile(0.7, m)", 0)["{}"], quantile(0.7, values))
    top = [v for v in bench.at("topk(3, m)", 0).values() if not math.isnan(v)]
    assert top == sorted((v for v in finite.tolist() if not math.isnan(v)), reverse=True)[:3]
