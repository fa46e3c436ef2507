"""The batch writer against a model of the engine: nothing acknowledged is lost, order and bounds are kept.

The engine here is a list that may answer late, fail, or store a batch and lose the answer; time stands still.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import (
    BusyError,
    HoldfastError,
    InvalidError,
    StorageFullError,
    UnavailableError,
)
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Retention, StoreSettings, Writer
from holdfast.store.batches import Batcher
from holdfast.store.metrics import StoreMetrics
from holdfast.store.space import SpaceWatch
from holdfast.store.writer import LONGEST_PAUSE_S, Around
from store.samples import SAMPLES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POISON = -1.0
OUTCOMES = ("ok", "away", "away after storing", "full")


@dataclass
class EngineModel:
    """Stores batches as the real one does: once per token, whole or not at all."""

    outcomes: list[str] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    batches: list[list[float]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    async def insert(self, table, batches, token):
        await asyncio.sleep(0)
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        values = [value for batch in batches for value in batch["value"].to_pylist()]
        if outcome == "away":
            raise UnavailableError("the engine is away")
        if outcome == "full":
            raise StorageFullError("no room")
        if POISON in values:
            raise InvalidError("the engine does not like it")
        if token not in self.tokens:
            self.tokens.add(token)
            self.stored += values
            self.batches.append(values)
        if outcome == "away after storing":
            raise UnavailableError("the answer was lost")


def make_writer(engine: EngineModel, clock: FakeClock, registry: CollectorRegistry | None = None, **changes) -> Writer:
    chosen = StoreSettings(**{"linger": 0.1, "batch_rows": 10, "queue_rows": 25, "write_retry": 5.0, **changes})
    metrics = StoreMetrics(registry or CollectorRegistry())
    space = SpaceWatch("here", chosen.reserve, None, clock, metrics)
    around = Around(chosen, clock, metrics, space, engine.insert)
    return Writer(Batcher(SAMPLES), lambda: Retention(3600.0), around)


def rows(values):
    count = len(values)
    return {"series": [1] * count, "ts": [NOW] * count, "value": values, "labels": [{}] * count}


async def settle(writer: Writer, clock: FakeClock) -> None:
    for _ in range(20):
        if not writer.queued_rows:
            return
        await clock.advance(5)
    pytest.fail(f"{writer.queued_rows} rows never got an answer")


@settings(max_examples=150, deadline=None)
@given(
    writes=st.lists(
        st.tuples(
            st.integers(1, 12),
            st.booleans(),
            st.sampled_from([0, 0, 0.01, 0.05, 1.0]),
            st.sampled_from([None, None, 0.0, 1.0]),
        ),
        max_size=25,
    ),
    outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=20),
)
def test_nothing_acknowledged_is_lost_repeated_or_reordered(writes, outcomes):
    async def scenario():
        clock, engine = FakeClock(), EngineModel(outcomes=list(outcomes))
        writer = make_writer(engine, clock)
        next_value, answers = 0.0, []
        for count, is_poison, pause_s, patience_s in writes:
            values = [POISON] * count if is_poison else [next_value + n for n in range(count)]
            next_value += count
            waiting = writer.queued_rows
            try:
                answers.append((values, writer.write(rows(values), tenant=DEFAULT_TENANT, patience_s=patience_s)))
            except BusyError:
                assert waiting + count > 25
            except StorageFullError:
                assert "full" in outcomes
            assert writer.queued_rows <= 25
            await clock.advance(pause_s)
        await settle(writer, clock)
        await writer.close()
        assert engine.stored == sorted(set(engine.stored))
        for values, answer in answers:
            error = answer.exception()
            if error is None:
                assert set(values) <= set(engine.stored)
            else:
                assert isinstance(error, HoldfastError)
        assert POISON not in engine.stored

    asyncio.run(scenario())


async def test_a_lone_write_waits_no_longer_than_the_linger(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    answer = writer.write(rows([1.0]), tenant=DEFAULT_TENANT)
    await fake_clock.advance(0.099)
    assert not answer.done()
    await fake_clock.advance(0.001)
    assert answer.done()
    await writer.close()


async def test_a_patient_write_waits_as_long_as_it_can(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    answers = [writer.write(rows([1.0]), tenant=DEFAULT_TENANT, patience_s=1.0)]
    await fake_clock.advance(0.6)
    answers.append(writer.write(rows([2.0]), tenant=DEFAULT_TENANT, patience_s=1.0))
    await fake_clock.advance(0.399)
    assert not any(answer.done() for answer in answers)
    await fake_clock.advance(0.001)
    assert all(answer.done() for answer in answers)
    assert engine.batches == [[1.0, 2.0]]
    await writer.close()


async def test_an_impatient_write_takes_the_patient_ones_along(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    patient = writer.write(rows([1.0]), tenant=DEFAULT_TENANT, patience_s=1.0)
    await fake_clock.advance(0.2)
    impatient = writer.write(rows([2.0]), tenant=DEFAULT_TENANT)
    await fake_clock.advance(0.1)
    assert patient.done()
    assert impatient.done()
    assert engine.batches == [[1.0, 2.0]]
    await writer.close()


async def test_patience_ends_when_the_batch_is_full_and_when_the_store_closes(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    first = [writer.write(rows([float(n)] * 5), tenant=DEFAULT_TENANT, patience_s=1.0) for n in range(2)]
    await fake_clock.advance(0)
    assert all(answer.done() for answer in first)
    last = writer.write(rows([3.0]), tenant=DEFAULT_TENANT, patience_s=1.0)
    await writer.close()
    assert last.done()
    assert engine.stored[-1] == 3.0


async def test_a_full_batch_does_not_linger(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    answers = [writer.write(rows([float(n)] * 5), tenant=DEFAULT_TENANT) for n in range(2)]
    await fake_clock.advance(0)
    assert all(answer.done() for answer in answers)
    assert [len(batch) for batch in engine.batches] == [10]
    await writer.close()


async def test_a_batch_keeps_to_its_size_and_the_rest_follows_at_once(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    for number in range(3):
        writer.write(rows([float(number)] * 7), tenant=DEFAULT_TENANT)
    await fake_clock.advance(0.1)
    assert [len(batch) for batch in engine.batches] == [7, 7, 7]
    await writer.close()


async def test_one_bad_write_does_not_take_the_others_with_it(fake_clock: FakeClock):
    engine = EngineModel()
    writer = make_writer(engine, fake_clock)
    answers = [writer.write(rows([value]), tenant=DEFAULT_TENANT) for value in (1.0, POISON, 2.0)]
    await fake_clock.advance(0.1)
    assert [answer.exception() is None for answer in answers] == [True, False, True]
    assert engine.stored == [1.0, 2.0]
    await writer.close()


async def test_an_engine_that_stays_away_is_given_up_after_the_retry_time(fake_clock: FakeClock):
    engine = EngineModel(outcomes=["away"] * 100)
    writer = make_writer(engine, fake_clock)
    answer = writer.write(rows([1.0]), tenant=DEFAULT_TENANT)
    await fake_clock.advance(3)
    assert not answer.done()
    await fake_clock.advance(3)
    assert isinstance(answer.exception(), UnavailableError)
    assert writer.queued_rows == 0
    await writer.close()


async def test_a_full_disk_is_told_at_once_and_tried_again_after_a_second(fake_clock: FakeClock):
    engine = EngineModel(outcomes=["full"])
    writer = make_writer(engine, fake_clock)
    answer = writer.write(rows([1.0]), tenant=DEFAULT_TENANT)
    await fake_clock.advance(0.1)
    assert isinstance(answer.exception(), StorageFullError)
    with pytest.raises(StorageFullError, match="resumes by itself"):
        writer.write(rows([2.0]), tenant=DEFAULT_TENANT)
    await fake_clock.advance(1.0)
    writer.write(rows([3.0]), tenant=DEFAULT_TENANT)
    await fake_clock.advance(0.1)
    assert engine.stored == [3.0]
    await writer.close()


async def test_closing_waits_for_an_absent_engine_once_not_for_every_batch(fake_clock: FakeClock):
    engine = EngineModel(outcomes=["away"] * 1000)
    writer = make_writer(engine, fake_clock, queue_rows=1000)
    answers = [writer.write(rows([1.0] * 10), tenant=DEFAULT_TENANT) for _ in range(50)]
    closing = asyncio.create_task(writer.close())
    await fake_clock.advance(5 + LONGEST_PAUSE_S)  # the pause before the last attempt may begin just before time is up
    await asyncio.wait_for(closing, 60)
    assert all(isinstance(answer.exception(), UnavailableError) for answer in answers)


async def test_the_bytes_of_the_queue_are_bounded_too(fake_clock: FakeClock):
    writer = make_writer(EngineModel(), fake_clock, queue_size=1000, queue_rows=10_000)
    writer.write(rows([1.0] * 20), tenant=DEFAULT_TENANT)
    with pytest.raises(BusyError):
        writer.write(rows([1.0] * 20), tenant=DEFAULT_TENANT)
    await writer.close()


async def test_every_row_is_counted_once(fake_clock: FakeClock):
    registry = CollectorRegistry()
    writer = make_writer(EngineModel(outcomes=["away", "ok", "full"]), fake_clock, registry)
    for value in (1.0, 2.0):
        writer.write(rows([value, value]), tenant=DEFAULT_TENANT).add_done_callback(lambda answer: answer.exception())
        await fake_clock.advance(1)

    def count(name, **labels):
        return registry.get_sample_value(name, {"table": "samples", **labels})

    assert count("holdfast_store_rows_written_total") == 2
    assert count("holdfast_store_rows_refused_total", reason="storage_full") == 2
    assert count("holdfast_store_flush_retries_total") == 1
    assert count("holdfast_store_queued_rows") == 0
    assert count("holdfast_store_queued_bytes") == 0
    await writer.close()


async def test_an_empty_write_is_accepted_at_once(fake_clock: FakeClock):
    writer = make_writer(EngineModel(), fake_clock)
    assert writer.write(rows([]), tenant=DEFAULT_TENANT).done()
    await writer.close()
