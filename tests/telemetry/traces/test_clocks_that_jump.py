"""A clock that is set forward or back neither stalls what waits for time to pass, nor has anything counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from fixtures.notes import Noted
from fixtures.traces import Row, spans, trace_id
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.traces import SCHEMA, MemoryTraces, SpanKind, SpanStatus, TraceSink
from holdfast.telemetry.traces.red import RedFollower
from holdfast.telemetry.traces.sampling import Sampling
from holdfast.telemetry.traces.settings import SamplingPolicy, SamplingSettings, SpanMetricsSettings

GONE = ("traces", "shop", "tail_sampled")
HOUR = timedelta(hours=1)


class Judging:
    """A store whose traces are sampled by their errors, on a clock that jumps."""

    def __init__(self, store: Any, decide_after: float) -> None:
        self.clock, self.noted, self.store = FakeClock(datetime.now(UTC)), Noted(), store
        policies = (SamplingPolicy("errors", errors=True),)
        settings = SamplingSettings(enabled=True, policies=policies, decide_after=decide_after)
        self.sampling = Sampling(store, settings, self.clock, ledger=self.noted)
        self._sink = TraceSink(store, keep_until_s=self.sampling.keep_until_s, ledger=self.noted)
        self._long_s = int(self.clock.now().timestamp() + settings.recent + 48 * 3600)
        self._wait_s = decide_after + 100

    async def append(self, number: int) -> None:
        """Write a trace that fails, and one that does not."""
        rows = [Row(number, number, status=SpanStatus.ERROR), Row(number + 1, number + 1)]
        await self._sink.append(DEFAULT_TENANT, spans(rows, int(self.clock.now().timestamp()) * 10**9))

    async def judge(self) -> None:
        """Judge every now and then, until all that there is has become old enough."""
        for _ in range(4):
            await self.clock.advance(self._wait_s / 4)
            await self.sampling.judge_all()

    async def kept(self) -> dict[str, list[float]]:
        """Give the weight of each row that stays, by trace."""
        sql = (
            "SELECT trace_id, groupArray(weight) AS weights FROM trace_spans"
            " WHERE tenant = {tenant:String} AND expires_at > {long:UInt32} GROUP BY trace_id"
        )
        rows = (await self.store.query(sql, {"long": self._long_s}, tenant=DEFAULT_TENANT)).to_pylist()
        return {row["trace_id"].hex(): row["weights"] for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize(("jumps", "decide_after"), [((-1,), 7200.0), ((1, -1), 600.0), ((-1, 1), 600.0)])
async def test_each_trace_is_judged_in_time_and_kept_once(
    open_store: Any, store_url: str, jumps: tuple[int, ...], decide_after: float
) -> None:
    judging = Judging(await open_store(store_url, SCHEMA), decide_after)
    await judging.append(1)
    await judging.judge()
    for turn, jump in enumerate(jumps, 1):
        await judging.append(100 * turn)
        judging.clock.jump(jump * HOUR)
        await judging.append(100 * turn + 10)
        await judging.judge()
        assert (await judging.kept())[trace_id(100 * turn + 10)] == [1.0]
    failed = [1, *(100 * turn + more for turn in range(1, len(jumps) + 1) for more in (0, 10))]
    for _ in range(2):  # beyond what came by the clock that was ahead
        await judging.clock.advance(3600)
        await judging.judge()
    await judging.append(1000)
    await judging.judge()
    assert await judging.kept() == {trace_id(number): [1.0] for number in (*failed, 1000)}
    sums: Counter[Any] = Counter()
    for (*_, hour), count in judging.noted.hours.items():
        sums[hour] += count
    assert min(sums.values()) >= 0
    assert 1 <= judging.noted.records[GONE] <= len(failed) + 1


def waiting(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("holdfast_traces_calls_waiting")


async def test_ends_of_calls_wait_no_longer_when_the_clock_is_set_back(fake_clock: FakeClock) -> None:
    source, traces, registry = MemorySource(), MemoryTraces(), CollectorRegistry()
    settings = SpanMetricsSettings(pair_wait=5.0)
    follower = RedFollower(MemorySink(source), settings, fake_clock, metrics=registry)
    traces.feed.follow(follower)
    fake_clock.jump(HOUR)
    bank = {"peer.service": "bank"}
    await traces.append(DEFAULT_TENANT, spans([Row(1, 1, kind=SpanKind.CLIENT, attributes=bank)]))
    fake_clock.jump(-HOUR)
    await traces.append(DEFAULT_TENANT, spans([Row(2, 2, kind=SpanKind.CLIENT, attributes=bank)]))
    await follower.write()
    assert waiting(registry) == 1  # that came since
    await fake_clock.advance(6)
    await follower.write()
    assert waiting(registry) == 0
    requests = [
        samples.between(0, 2**62)[-1].value
        for labels, samples in source.tenant(DEFAULT_TENANT).series.items()
        if dict(labels)["__name__"] == "traces_service_graph_request_total"
    ]
    assert requests == [2]
