"""Tail sampling: policies judge whole traces, what stays is written again with its weight, what goes expires."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from fixtures.traces import Row, span_id, spans, trace_id
from holdfast.kernel.clock import FakeClock, SystemClock
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


class Judging:
    """A sink and tail sampling over one store, on a clock that is moved."""

    def __init__(self, store, **settings):
        self.clock = FakeClock(datetime.now(UTC))
        self.settings = SamplingSettings(enabled=True, **settings)
        self.store = store
        self.sampling = Sampling(store, self.settings, self.clock)
        self.sink = TraceSink(store, keep_until_s=self.sampling.keep_until_s)

    async def append(self, *rows: Row) -> None:
        await self.sink.append(DEFAULT_TENANT, spans(rows, int(self.clock.now().timestamp()) * 10**9))

    async def judge_after(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.sampling.judge_all()

    async def kept(self) -> dict[tuple[str, str], float]:
        """Give the weights of the spans that stay, by trace and span."""
        sql = (
            "SELECT trace_id, span_id, sum(weight) AS weight FROM (SELECT DISTINCT trace_id, span_id, weight"
            " FROM trace_spans WHERE tenant = {tenant:String} AND expires_at > {long:UInt32})"
            " GROUP BY trace_id, span_id"
        )
        long_s = int(self.clock.now().timestamp() + self.settings.recent + 600)
        rows = (await self.store.query(sql, {"long": long_s}, tenant=DEFAULT_TENANT)).to_pylist()
        return {(row["trace_id"].hex(), row["span_id"].hex()): row["weight"] for row in rows}


async def test_what_comes_until_the_decision_counts_for_it(open_store, store_url):
    store = await open_store(store_url, SCHEMA)
    judging = Judging(store, policies=(SamplingPolicy("errors", errors=True),), decide_after=1800.0)
    await judging.append(Row(1, 1), Row(2, 2))
    await judging.judge_after(600)
    await judging.append(Row(1, 3, 1, status=SpanStatus.ERROR))
    await judging.judge_after(1210)
    both = {(trace_id(1), span_id(1)): 1.0, (trace_id(1), span_id(3)): 1.0}
    assert await judging.kept() == both
    await judging.judge_after(900)  # now the failed span is old enough, too, and its trace was judged
    assert await judging.kept() == both


async def test_spans_that_come_too_late_share_the_fate_of_their_trace(open_store, store_url):
    store = await open_store(store_url, SCHEMA)
    judging = Judging(store, policies=(SamplingPolicy("share", share=0.25),), decide_after=600.0)
    numbers = range(1, 61)
    await judging.append(*(Row(number, number) for number in numbers))
    await judging.judge_after(700)
    first = await judging.kept()
    assert 0 < len(first) < 60
    await judging.clock.advance(7200)
    await judging.append(*(Row(number, 1000 + number, number) for number in numbers))
    await judging.judge_after(700)
    kept = await judging.kept()
    late = {trace for trace, span in kept if int(span, 16) > 1000}
    assert late == {trace for trace, _ in first}
    assert set(kept.values()) == {4.0}


@pytest.mark.parametrize("later_s", [1000.0, 9000.0])
async def test_a_trace_that_went_comes_back_when_it_fails_late(open_store, store_url, later_s):
    store = await open_store(store_url, SCHEMA)
    policies = (SamplingPolicy("errors", errors=True), SamplingPolicy("share", share=0.25))
    judging = Judging(store, policies=policies, decide_after=600.0)
    statistics = TraceStatistics(store, counted_after_s=judging.sampling.counted_after_s)
    start_ns = int(judging.clock.now().timestamp()) * 10**9
    await judging.append(*(Row(number, number) for number in range(1, 61)))
    await judging.judge_after(700)
    first = await judging.kept()
    went = next(number for number in range(1, 61) if (trace_id(number), span_id(number)) not in first)
    stayed = next(number for number in range(1, 61) if (trace_id(number), span_id(number)) in first)
    await judging.clock.advance(later_s)
    await judging.append(*(Row(each, 1000 + each, each, status=SpanStatus.ERROR) for each in (went, stayed)))
    await judging.judge_after(700)
    await judging.judge_after(700)
    kept = await judging.kept()
    assert kept.items() >= first.items()
    back = {span: weight for (trace, span), weight in kept.items() if trace == trace_id(went)}
    assert back == {span_id(went): 0.0, span_id(1000 + went): 1.0}  # others stand for the first of them
    assert kept[trace_id(stayed), span_id(1000 + stayed)] == 1.0
    assert len(kept) == len(first) + 3
    trace = await StoredTraces(store).trace(DEFAULT_TENANT, trace_id(went))
    assert trace is not None
    assert {span.span_id for span in trace.spans} == set(back)
    (service,) = await statistics.services(DEFAULT_TENANT, start_ns - HOUR_NS, start_ns + 4 * HOUR_NS)
    assert service.rates.errors == 2
    assert service.spans == 4 * len(first) + 2


async def test_a_rate_is_of_the_time_since_anybody_judged(open_store, store_url):
    store = await open_store(store_url, SCHEMA)
    policies = (SamplingPolicy("rate", rate=0.5),)
    judging = Judging(store, policies=policies, decide_after=600.0, every=60.0)
    for first in range(0, 1000, 100):
        await judging.append(*(Row(number, number) for number in range(first + 1, first + 101)))
        await judging.clock.advance(100)
    await judging.judge_after(700)
    kept = await judging.kept()
    assert 400 < len(kept) < 600  # not the thirty of a minute
    assert sum(kept.values()) == pytest.approx(1000, rel=0.15)
