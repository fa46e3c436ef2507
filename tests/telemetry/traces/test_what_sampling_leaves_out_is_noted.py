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
SETTINGS = SamplingSettings(enabled=True, policies=(SamplingPolicy("errors", errors=True),), decide_after=600.0)


class Sampled:
    """A store whose traces are sampled, with what the ledger is told of it."""

    def __init__(self, store: Any) -> None:
        self.clock, self.noted = FakeClock(datetime.now(UTC)), Noted()
        self.sampling = Sampling(store, SETTINGS, self.clock, ledger=self.noted)
        self._sink = TraceSink(store, keep_until_s=self.sampling.keep_until_s, ledger=self.noted)

    async def append(self, *rows: Row) -> None:
        """Write spans of this moment."""
        await self._sink.append(DEFAULT_TENANT, spans(rows, int(self.clock.now().timestamp()) * 10**9))


async def test_spans_that_go_are_noted_once_however_often_their_trace_is_judged(
    open_store: Any, store_url: str
) -> None:
    sampled = Sampled(await open_store(store_url, SCHEMA))
    clock, noted, sampling, append = sampled.clock, sampled.noted, sampled.sampling, sampled.append

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
    sampled = Sampled(await open_store(store_url, SCHEMA))
    clock, noted, sampling, append = sampled.clock, sampled.noted, sampled.sampling, sampled.append

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
    before = Sampling(store, SETTINGS, clock)
    await TraceSink(store, keep_until_s=before.keep_until_s).append(
        DEFAULT_TENANT, spans([Row(1, 1)], int(clock.now().timestamp()) * 10**9)
    )
    await clock.advance(700)
    await Sampling(store, SETTINGS, clock, ledger=noted).judge_all()
    assert noted.records[GONE] == 0
