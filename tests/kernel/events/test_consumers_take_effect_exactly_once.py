"""A consumer's effect and its cursor are one commit."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, text

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import Consumer, Event, EventLog, NewEvent
from holdfast.kernel.events.consumers import consume_once
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.sql import Database


class HurriedClock(SystemClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


CLOCK = HurriedClock()


@pytest.fixture
def migrations() -> tuple[str, ...]:
    return ("holdfast.kernel.events.migrations",)


@pytest.fixture
async def log(db: Database) -> EventLog:
    await db.write(lambda tx: tx.execute(text("CREATE TABLE effect (tenant TEXT, seq INTEGER)")) and None)
    return EventLog(db, CLOCK)


def record(tx: Connection, event: Event) -> None:
    tx.execute(text("INSERT INTO effect VALUES (:tenant, :seq)"), {"tenant": event.tenant, "seq": event.seq})


async def effects(db: Database) -> list[tuple[str, int]]:
    query = text("SELECT tenant, seq FROM effect ORDER BY tenant, seq")
    return await db.read(lambda tx: [(row.tenant, row.seq) for row in tx.execute(query)])


async def drain(consumer: Consumer, db: Database, log: EventLog) -> None:
    while await consume_once(consumer, db, log, CLOCK):
        pass


async def test_every_event_takes_effect_once_even_with_two_workers(db: Database, log: EventLog) -> None:
    consumer = Consumer("recorder", ("note.",), record)
    for _ in range(5):
        await log.publish(*(NewEvent("note.added", "note/1") for _ in range(90)), NewEvent("other", "x"))
    await asyncio.gather(drain(consumer, db, log), drain(consumer, db, log))
    seqs = [seq for _, seq in await effects(db)]
    assert len(seqs) == len(set(seqs)) == 450


async def test_a_batch_that_fails_once_is_done_once(db: Database, log: EventLog) -> None:
    failures = iter([True])

    def handle(tx: Connection, event: Event) -> None:
        record(tx, event)
        if event.seq == 3 and next(failures, False):
            raise RuntimeError("a hiccup")

    await log.publish(*(NewEvent("note.added", "note/1") for _ in range(5)))
    await drain(Consumer("recorder", (), handle), db, log)
    assert [seq for _, seq in await effects(db)] == [1, 2, 3, 4, 5]


async def test_an_event_that_always_fails_is_parked_and_told(db: Database, log: EventLog) -> None:
    def handle(tx: Connection, event: Event) -> None:
        record(tx, event)
        if event.seq == 2:
            raise ValueError("poison")

    await log.publish(*(NewEvent("note.added", "note/1") for _ in range(3)))
    await drain(Consumer("recorder", ("note.",), handle), db, log)
    assert [seq for _, seq in await effects(db)] == [1, 3]
    told = await log.read(DEFAULT_TENANT, kinds=["consumer.parked"])
    assert told[0].data["seq"] == 2
    assert "poison" in told[0].data["error"]
    parked = await db.read(lambda tx: tx.execute(text("SELECT seq, attempts FROM event_parked")).one())
    assert tuple(parked) == (2, 5)


async def test_tenants_do_not_wait_for_each_other(db: Database, log: EventLog) -> None:
    await log.publish(NewEvent("n", "x", tenant=TenantId("a")), NewEvent("n", "x", tenant=TenantId("b")))
    await drain(Consumer("recorder", ("n",), record), db, log)
    assert await effects(db) == [("a", 1), ("b", 1)]
