"""Order, gaplessness, transactions and waking."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.events import EventLog, NewEvent, Wake, listen_postgres
from holdfast.kernel.ids import DEFAULT_TENANT, ServiceId, TenantId
from holdfast.kernel.sql import Database, migrate, open_postgres


@pytest.fixture
def migrations() -> tuple[str, ...]:
    return ("holdfast.kernel.events.migrations",)


@pytest.fixture
async def log(db: Database, fake_clock: FakeClock) -> EventLog:
    return EventLog(db, fake_clock)


def note(kind: str = "note.added", **fields: object) -> NewEvent:
    return NewEvent(kind=kind, subject="note/1", **fields)  # type: ignore[arg-type]  # fields are those of NewEvent


async def test_concurrent_events_are_numbered_without_gaps(log: EventLog) -> None:
    await asyncio.gather(*(log.publish(note(), note()) for _ in range(50)))
    events = await log.read(DEFAULT_TENANT, after=0, limit=1000)
    assert [event.seq for event in events] == list(range(1, 101))


async def test_each_tenant_counts_for_itself(log: EventLog) -> None:
    await log.publish(note(tenant=TenantId("a")), note(tenant=TenantId("b")), note(tenant=TenantId("a")))
    assert await log.head(TenantId("a")) == 2
    assert await log.head(TenantId("b")) == 1
    assert await log.head(TenantId("c")) == 0


async def test_an_event_of_a_rolled_back_transaction_never_was(log: EventLog, db: Database) -> None:
    def fail(tx: Connection) -> None:
        log.append(tx, note())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await db.write(fail)
    await log.publish(note("note.kept"))
    events = await log.read(DEFAULT_TENANT, after=0)
    assert [(event.seq, event.kind) for event in events] == [(1, "note.kept")]


async def test_reading_filters_and_pages(log: EventLog) -> None:
    await log.publish(
        note("check.changed", service=ServiceId("payments")),
        note("check.flapping"),
        note("checks.x"),
        note("auth.login"),
    )
    by_prefix = await log.read(DEFAULT_TENANT, kinds=["check."])
    assert [event.kind for event in by_prefix] == ["check.flapping", "check.changed"]
    assert [event.seq for event in await log.read(DEFAULT_TENANT, service="payments")] == [1]
    assert [event.seq for event in await log.read(DEFAULT_TENANT, before=3, limit=1)] == [2]
    assert [event.seq for event in await log.read(DEFAULT_TENANT, after=2)] == [3, 4]


async def test_a_window_of_time_is_read_from_both_ends(log: EventLog, fake_clock: FakeClock) -> None:
    begun = fake_clock.now()
    for _ in range(5):
        await log.publish(note())
        await fake_clock.advance(60)

    async def seqs(start_s: float | None, end_s: float | None) -> list[int]:
        start, end = (None if moment is None else begun + timedelta(seconds=moment) for moment in (start_s, end_s))
        return [event.seq for event in await log.read(DEFAULT_TENANT, times=(start, end))]

    assert await seqs(60, None) == [5, 4, 3, 2]
    assert await seqs(None, 60) == [1]
    assert await seqs(1, 121) == [3, 2]
    assert await seqs(3600, None) == []
    assert await seqs(None, 3600) == [5, 4, 3, 2, 1]
    assert await seqs(None, 0) == []


async def test_a_follower_sees_events_as_they_are_committed(log: EventLog) -> None:
    async def follow() -> list[int]:
        seqs: list[int] = []
        async for event in log.tail(DEFAULT_TENANT, after=0, idle_s=30):
            if event is not None:
                seqs.append(event.seq)
            if len(seqs) == 3:
                break
        return seqs

    follower = asyncio.create_task(follow())
    for _ in range(3):
        await log.publish(note())
    assert await asyncio.wait_for(follower, 60) == [1, 2, 3]


async def test_an_event_too_large_is_refused(log: EventLog) -> None:
    with pytest.raises(InvalidError, match="64 KiB"):
        await log.publish(note(data={"body": "x" * 70_000}))


@pytest.mark.service
async def test_another_process_on_postgres_is_woken(postgres_database_url: str, fake_clock: FakeClock) -> None:
    ours, theirs = open_postgres(postgres_database_url), open_postgres(postgres_database_url)
    await migrate(ours, ["holdfast.kernel.events.migrations"])
    wake = Wake()
    listener = asyncio.create_task(listen_postgres(postgres_database_url, wake, fake_clock))
    await wake.wait(wake.version, 5)  # the listener is connected
    seen = wake.version
    await EventLog(theirs, fake_clock).publish(note())
    await wake.wait(seen, 5)
    assert wake.version > seen
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    await ours.close()
    await theirs.close()


async def test_what_a_database_cannot_keep_is_replaced_and_takes_no_event_along(log: EventLog) -> None:
    odd = NewEvent("note.added", "note/a\0b", {"li\0ne": ["a\0b", {"deep": "\ud800"}], "n": 1}, ServiceId("\0shop"))
    await log.publish(note(), odd)
    [_, event] = await log.read(DEFAULT_TENANT, after=0)
    assert (event.subject, event.service) == ("note/a\ufffdb", "\ufffdshop")
    assert event.data == {"li\ufffdne": ["a\ufffdb", {"deep": "\ufffd"}], "n": 1}
