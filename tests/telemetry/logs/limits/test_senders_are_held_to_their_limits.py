"""Rates, lengths and samples of logs: what is let through, what is told to senders, what is counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fixtures.logs import Line, arrival, bodies, wanted
from holdfast.kernel.errors import InvalidError, LimitError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.telemetry.logs import Level, MemoryLogSink, MemoryLogSource, Refusal
from holdfast.telemetry.logs.limits import LogLimitSettings, LogQuota, SamplingRule, StreamLimit, TenantRate

OTHER = {"service_name": "other"}


class Limited:
    """A sink behind a quota."""

    def __init__(self, clock: Any, **settings: Any) -> None:
        self.source = MemoryLogSource()
        self.quota = LogQuota(LogLimitSettings(**settings), clock)
        self.sink = MemoryLogSink(self.source, quota=self.quota)

    async def send(self, *lines: Line, tenant=DEFAULT_TENANT, **columns: Any):
        return await self.sink.append(tenant, arrival(self.sink, list(lines), tenant, **columns))


def lines(count: int, first: int = 0, **more: Any) -> list[Line]:
    return [Line(first + number, f"line {first + number}", **more) for number in range(count)]


async def test_a_tenant_above_its_rate_is_told_when_to_come_again(fake_clock):
    limited = Limited(fake_clock, lines_per_s=10, burst=2.0, tenants={"free": TenantRate()})
    assert (await limited.send(*lines(30))).records == 30  # the burst is 20, and 10 are owed now
    with pytest.raises(LimitError) as told:
        await limited.send(*lines(1, 30))
    assert told.value.retry.after_s == pytest.approx(1.1)
    assert limited.quota.dropped[DEFAULT_TENANT] == {"put_off": 1}
    await fake_clock.advance(1.2)
    assert (await limited.send(*lines(1, 30))).records == 1
    for first in range(0, 300, 100):
        assert (await limited.send(*lines(100, first), tenant=TenantId("free"))).records == 100


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_gives_nothing_and_takes_nothing(fake_clock, hours):
    limit = StreamLimit('{service_name="other"}', lines_per_s=1)
    limited = Limited(fake_clock, lines_per_s=10, burst=2.0, streams=[limit])
    await limited.send(*lines(30), *lines(3, labels=OTHER))
    fake_clock.jump(timedelta(hours=hours))
    with pytest.raises(LimitError) as told:
        await limited.send(*lines(1, 30))
    assert 0 < told.value.retry.after_s < 3
    assert limited.quota.rates(DEFAULT_TENANT).lines[0] >= 0
    await fake_clock.advance(4)
    assert (await limited.send(*lines(1, 30), *lines(1, 30, labels=OTHER))).records == 2


async def test_letters_are_limited_too(fake_clock):
    limited = Limited(fake_clock, bytes_per_s=100, burst=1.0)
    await limited.send(Line(0, "x" * 300))
    with pytest.raises(LimitError) as told:
        await limited.send(Line(1, "y"))
    assert told.value.retry.after_s == pytest.approx(2.01)


async def test_a_stream_above_its_rate_does_not_stop_the_others(fake_clock):
    limited = Limited(fake_clock, streams=[StreamLimit('{service_name="shop"}', lines_per_s=1)], burst=5.0)
    await limited.send(*lines(10))
    written = await limited.send(*lines(3, 10), *lines(2, 20, labels=OTHER))
    assert (written.records, written.refused) == (2, {Refusal.RATE_LIMIT: 3})
    with pytest.raises(LimitError):
        await limited.send(*lines(3, 10))
    assert limited.quota.dropped[DEFAULT_TENANT] == {"rate_limit": 3, "put_off": 3}
    assert [dict(labels)["service_name"] for labels in limited.quota.dropped_of[DEFAULT_TENANT]] == ["shop"]
    await fake_clock.advance(6.5)
    assert (await limited.send(*lines(3, 10))).records == 3


async def test_sampling_keeps_errors_and_is_not_told_to_senders(fake_clock):
    limited = Limited(fake_clock, sampling=[SamplingRule(10, '{service_name="shop"}')])
    written = await limited.send(*lines(1000), *[Line(number, f"level=error {number}") for number in range(50)])
    assert written.refused == {}
    kept = await bodies(limited.source, wanted())
    assert sum(body.startswith("level=error") for body in kept) == 50
    assert 60 < len(kept) - 50 < 140
    assert limited.quota.dropped[DEFAULT_TENANT] == {"sampled": 1050 - len(kept)}
    again = await limited.send(*lines(1000))  # meets the same fate
    assert (again.records, again.repeats) == (0, len(kept) - 50)


async def test_a_rule_may_sample_by_level_and_traces_stay_whole(fake_clock):
    limited = Limited(fake_clock, sampling=[SamplingRule(4, levels=[Level.DEBUG])])
    traces = [f"{number % 20:032x}" for number in range(200)]
    await limited.send(*[Line(number, f"level=debug {number}") for number in range(200)], trace_ids=traces)
    kept = {int(body.split()[1]) % 20 for body in await bodies(limited.source, wanted())}
    assert 0 < len(kept) < 20
    assert len(await bodies(limited.source, wanted())) == 10 * len(kept)
    assert (await limited.send(*lines(50, 1000))).records == 50


async def test_lines_of_a_stream_may_be_bounded_more_tightly(fake_clock):
    limited = Limited(fake_clock, streams=[StreamLimit('{service_name="shop"}', max_line=5)])
    written = await limited.send(Line(0, "short"), Line(1, "longer"), Line(2, "longer", OTHER))
    assert (written.records, written.refused) == (2, {Refusal.LINE_TOO_LONG: 1})


def test_a_selector_that_is_none_is_refused_with_its_place(fake_clock):
    with pytest.raises(InvalidError, match=r"log_limits\.sampling\[0\]\.match"):
        LogQuota(LogLimitSettings(sampling=[SamplingRule(2, "{")]), fake_clock)
