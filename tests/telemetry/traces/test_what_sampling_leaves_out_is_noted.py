"""Tail sampling tells the ledger of spans that it lets go, each once, by the service where their trace began."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fixtures.notes import Noted
from fixtures.traces import Row, spans
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.traces import SCHEMA, SpanStatus, TraceSink
from holdfast.telemetry.traces.sampling import Sampling
from holdfast.telemetry.traces.settings import SamplingPolicy, SamplingSettings

GONE = ("traces", "shop", "tail_sampled")


async def test_spans_that_go_are_noted_once_however_often_their_trace_is_judged(
    open_store: Any, store_url: str
) -> None:
    store, clock, noted = await open_store(store_url, SCHEMA), FakeClock(datetime.now(UTC)), Noted()
    settings = SamplingSettings(enabled=True, policies=(SamplingPolicy("errors", errors=True),), decide_after=600.0)
    sampling = Sampling(store, settings, clock, ledger=noted)
    sink = TraceSink(store, keep_until_s=sampling.keep_until_s, ledger=noted)

    async def append(*rows: Row) -> None:
        await sink.append(DEFAULT_TENANT, spans(rows, int(clock.now().timestamp()) * 10**9))

    await append(Row(1, 1), Row(1, 2, 1, service="mail"), Row(2, 3, status=SpanStatus.ERROR), Row(3, 4))
    await sampling.judge_all()  # nothing is old enough
    assert noted.records[GONE] == 0
    await clock.advance(700)
    await sampling.judge_all()
    assert noted.records[GONE] == 3
    await clock.advance(3600)
    await append(Row(1, 5, 1), Row(2, 6, 3))
    await clock.advance(700)
    for _ in range(2):
        await sampling.judge_all()
        await clock.advance(700)
    assert noted.records[GONE] == 4
    assert noted.records["traces", "shop", ""] == 5
    assert noted.records["traces", "mail", ""] == 1


async def test_a_trace_that_comes_back_is_taken_back_from_the_hour_in_which_it_went(
    open_store: Any, store_url: str
) -> None:
    store, clock, noted = await open_store(store_url, SCHEMA), FakeClock(datetime.now(UTC)), Noted()
    settings = SamplingSettings(enabled=True, policies=(SamplingPolicy("errors", errors=True),), decide_after=600.0)
    sampling = Sampling(store, settings, clock, ledger=noted)
    sink = TraceSink(store, keep_until_s=sampling.keep_until_s, ledger=noted)

    async def append(*rows: Row) -> None:
        await sink.append(DEFAULT_TENANT, spans(rows, int(clock.now().timestamp()) * 10**9))

    async def judge_for(seconds: int) -> None:
        for _ in range(seconds // 300):
            await clock.advance(300)
            await sampling.judge_all()

    await append(Row(9, 90))
    await sampling.judge_all()
    await judge_for(900)
    await append(Row(1, 1), Row(1, 2, 1, service="mail"), Row(2, 3))
    await judge_for(900)
    assert noted.records[GONE] == 4
    await append(Row(1, 4, 1), Row(2, 5, 3))  # late, and no reason to stay
    await judge_for(900)
    assert noted.records[GONE] == 6
    await append(Row(1, 6, 1, service="bank", status=SpanStatus.ERROR))
    await judge_for(3600)
    assert noted.records[GONE] == 3  # spans of the traces 2 and 9, those of 1 are there again
    assert all(count >= 0 for count in noted.hours.values())


async def test_the_first_round_after_a_start_notes_nothing_for_it_may_be_the_second(
    open_store: Any, store_url: str
) -> None:
    store, clock, noted = await open_store(store_url, SCHEMA), FakeClock(datetime.now(UTC)), Noted()
    settings = SamplingSettings(enabled=True, policies=(SamplingPolicy("errors", errors=True),), decide_after=600.0)
    before = Sampling(store, settings, clock)
    await TraceSink(store, keep_until_s=before.keep_until_s).append(
        DEFAULT_TENANT, spans([Row(1, 1)], int(clock.now().timestamp()) * 10**9)
    )
    await clock.advance(700)
    await Sampling(store, settings, clock, ledger=noted).judge_all()
    assert noted.records[GONE] == 0
