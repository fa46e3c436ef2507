"""Tail sampling: policies judge whole traces, what stays is written again with its weight, what goes expires."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fixtures.traces import Row, spans, trace_id
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.traces import SCHEMA, SpanStatus, StoredTraces, TraceSink
from holdfast.telemetry.traces.sampling import Sampling, WholeTraces, judge
from holdfast.telemetry.traces.settings import SamplingPolicy, SamplingSettings
from holdfast.telemetry.traces.statistics import TraceStatistics

HOUR_NS = 3600 * 10**9


def whole(count: int, *, failed: int = 0, slow: int = 0, rare: int = 0) -> WholeTraces:
    numbers = np.arange(count)
    return WholeTraces(
        [number.to_bytes(16, "big") for number in range(1, count + 1)],
        np.where(numbers < slow, 5 * 10**9, 10**6),
        numbers < failed,
        [("shop", "rare") if number < rare else ("shop", "usual") for number in range(count)],
        [("shop", "cart") if number % 2 else ("shop",) for number in range(count)],
        [("load",) if number % 4 == 1 else ("usual",) for number in range(count)],
    )


def stay(traces: WholeTraces, *policies: SamplingPolicy, window_s: float = 60.0) -> int:
    return int(judge(traces, policies, window_s).stay.sum())


def test_each_condition_keeps_what_it_names():
    traces = whole(1000, failed=7, slow=3, rare=2)
    assert stay(traces, SamplingPolicy("e", errors=True)) == 7
    assert stay(traces, SamplingPolicy("s", slower_than=1.0)) == 3
    assert stay(traces, SamplingPolicy("r", rarer_than=3)) == 2
    assert stay(traces, SamplingPolicy("c", service="cart")) == 500
    assert stay(traces, SamplingPolicy("o", operation="load", errors=True)) == 2  # both must hold
    assert stay(traces, SamplingPolicy("e", errors=True), SamplingPolicy("r", rarer_than=3)) == 7
    assert stay(traces) == 0


def test_a_share_and_a_rate_keep_about_as_many_and_weigh_for_all():
    traces = whole(20_000, failed=100)
    policies = (SamplingPolicy("errors", errors=True), SamplingPolicy("share", share=0.1))
    verdicts = judge(traces, policies, 60.0)
    assert 1800 < verdicts.stay.sum() < 2400
    assert verdicts.factors.sum() == pytest.approx(20_000, rel=0.1)
    assert set(verdicts.factors[:100]) == {1.0}
    assert (verdicts.stay == judge(traces, policies, 60.0).stay).all()
    limited = judge(traces, (SamplingPolicy("rate", rate=10.0),), 60.0)
    assert 500 < limited.stay.sum() < 700
    assert limited.factors.sum() == pytest.approx(20_000, rel=0.15)


async def test_what_is_kept_stays_for_good_and_counts_for_the_rest(open_store, store_url):
    store = await open_store(store_url, SCHEMA)
    now_ns = time.time_ns()
    settings = SamplingSettings(
        enabled=True,
        policies=(SamplingPolicy("errors", errors=True), SamplingPolicy("share", share=0.25)),
        decide_after=0.0,
    )
    sampling = Sampling(store, settings, SystemClock())
    sink = TraceSink(store, keep_until_s=sampling.keep_until_s)
    rows = [Row(1, 1, status=SpanStatus.ERROR), *(Row(number, number) for number in range(2, 402))]
    await sink.append(DEFAULT_TENANT, spans(rows, now_ns))
    statistics = TraceStatistics(store, counted_after_s=sampling.counted_after_s)
    await sampling.judge_all()
    await sampling.judge_all()  # what was judged is not judged again

    sql = "SELECT trace_id, weight FROM trace_spans WHERE tenant = {tenant:String} AND expires_at > {long:UInt32}"
    long_s = int(time.time() + settings.recent + 600)
    kept = (await store.query(sql, {"long": long_s}, tenant=DEFAULT_TENANT)).to_pylist()
    weights = {row["trace_id"].hex(): row["weight"] for row in kept}
    assert len(weights) == len(kept)
    assert 50 < len(kept) < 160
    assert weights.pop(trace_id(1)) == 1
    assert set(weights.values()) == {4.0}
    (service,) = await statistics.services(DEFAULT_TENANT, now_ns - HOUR_NS, now_ns + HOUR_NS)
    assert service.rates.calls == 1 + 4 * len(weights)
    assert service.rates.errors == 1
    again = Sampling(store, settings, SystemClock())  # after a restart
    await again.judge_all()
    assert len((await store.query(sql, {"long": long_s}, tenant=DEFAULT_TENANT)).to_pylist()) == len(kept)
    source = StoredTraces(store)
    for number in (1, 17, 300):  # all recent ones are there, once
        trace = await source.trace(DEFAULT_TENANT, trace_id(number))
        assert trace is not None
        assert len(trace.spans) == 1
