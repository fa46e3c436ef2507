"""The notifier: nothing lost, nothing twice, and what cannot be read is put aside."""

import json
from typing import Any

import pytest
from shop_harness import eventually, running
from sqlalchemy import Connection, update

from shop.chassis import FaultPlan, Faults
from shop.notifier import build
from shop.notifier import inbox as inbox_module
from shop.notifier.app import MIGRATIONS
from shop.notifier.events import UnreadableEvent, event_id, read_event
from shop.notifier.inbox import InboxFull, accept, claim_due, count_letters, revive
from shop.notifier.mailer import Mailer
from shop.notifier.tables import inbox
from shop.notifier.worker import ATTEMPTS, Worker
from shop.settings import Settings
from shop.storage import Database


def event(number: int = 1, **changes: Any) -> bytes:
    data = {"order_id": f"ord_{number}", "customer_id": "cus_1", "total": "19.90", "currency": "EUR", "failure": None}
    body = {
        "specversion": "1.0",
        "id": f"evt_{number}",
        "source": "/shop/orders",
        "type": "shop.order.paid",
        "correlationid": "cor-1",
        "data": data | changes,
    }
    return json.dumps(body).encode()


@pytest.fixture
async def database(any_settings: Settings):
    database = Database.open(any_settings, "notifier", Faults())
    await database.migrate(MIGRATIONS)
    yield database
    await database.close()


def make_due(connection: Connection) -> None:
    connection.execute(update(inbox).values(due_ms=0))


async def test_an_event_becomes_one_message_however_often_it_comes(any_settings: Settings) -> None:
    async with running(build(any_settings)) as client:
        answers = [(await client.post("/events", content=event())).json() for _ in range(3)]
        assert answers == [{"accepted": True}, {"accepted": False}, {"accepted": False}]

        async def told() -> list[dict[str, Any]]:
            answer = await client.get("/messages", params={"customer_id": "cus_1"})
            messages: list[dict[str, Any]] = answer.json()["messages"]
            return messages

        await eventually(lambda: _is_true(told()))
        assert [message["subject"] for message in await told()] == ["Thank you for order ord_1"]


async def _is_true(found: Any) -> bool:
    return bool(await found)


async def test_a_failure_is_told_in_words(any_settings: Settings) -> None:
    body = event(failure="card_declined").replace(b"shop.order.paid", b"shop.order.failed")
    async with running(build(any_settings)) as client:
        await client.post("/events", content=body)

        async def told() -> str:
            answer = await client.get("/messages", params={"customer_id": "cus_1"})
            return " ".join(message["text"] for message in answer.json()["messages"])

        await eventually(lambda: _is_true(told()))
        assert "the card was declined" in await told()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"\xff\x00", event().replace(b'"19.90"', b'"much"'), event().replace(b"paid", b"eaten")],
)
async def test_what_nobody_can_read_is_a_dead_letter_at_once(database: Database, body: bytes) -> None:
    assert await database.write(accept, body)
    worker = Worker(database, Mailer(Faults()))
    await worker.work()
    assert await database.read(count_letters, "dead") == 1
    assert not await database.write(accept, body)
    with pytest.raises(Exception, match="1 events became dead letters"):
        await worker.probe_dead_letters()


async def test_a_message_that_fails_is_tried_again_and_given_up_after_five_attempts(database: Database) -> None:
    faults = Faults()
    worker = Worker(database, Mailer(faults))
    await database.write(accept, event())
    await faults.apply(FaultPlan(errors=1))
    for attempt in range(1, ATTEMPTS + 1):
        assert await database.read(count_letters, "pending") == 1, attempt
        await worker.work()
        assert not await database.write(claim_due, 10), "it waits before the next attempt"
        await database.write(make_due)
    assert await database.read(count_letters, "dead") == 1
    await faults.heal()
    assert await database.write(revive, "evt_1")
    await worker.work()
    assert await database.read(count_letters, "done") == 1


async def test_a_dead_mail_provider_postpones(database: Database) -> None:
    faults = Faults()
    worker = Worker(database, Mailer(faults))
    await faults.apply(FaultPlan(dead_dependency="mailer"))
    for number in range(3):
        await database.write(accept, event(number))
    await worker.work()
    assert await database.read(count_letters, "pending") == 3
    with pytest.raises(RuntimeError, match="3 of 3 messages failed"):
        await worker.probe_mailer()
    await faults.heal()
    await database.write(make_due)
    await worker.work()
    assert await database.read(count_letters, "done") == 3


async def test_an_event_of_a_worker_that_died_comes_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await database.write(accept, event())
    assert len(await database.write(claim_due, 10)) == 1
    assert await database.write(claim_due, 10) == []
    await database.write(make_due)
    assert len(await database.write(claim_due, 10)) == 1


async def test_a_full_inbox_leaves_events_with_the_producer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "PENDING_LIMIT", 2)
    await database.write(accept, event(1))
    await database.write(accept, event(2))
    with pytest.raises(InboxFull):
        await database.write(accept, event(3))


async def test_too_large_an_event_is_refused(settings: Settings) -> None:
    async with running(build(settings)) as client:
        assert (await client.post("/events", content=b"x" * 70_000)).status_code == 413


async def test_poison_on_command_shows_in_readiness(settings: Settings) -> None:
    app = build(settings)
    async with running(app) as client:
        headers = {"X-Shop-Admin": (settings.data / "admin.token").read_text()}
        await client.put("/admin/fault", json={"poison": True}, headers=headers)

        async def is_degraded() -> bool:
            return bool((await client.get("/readyz")).json()["checks"]["dead-letters"]["status"] == "degraded")

        await eventually(is_degraded)
        await client.delete("/admin/fault", headers=headers)
        letters = (await client.get("/dead-letters")).json()["dead_letters"]
        assert letters[0]["error"].startswith("data:")
        letter_id = letters[0]["event_id"]
        assert (await client.post(f"/dead-letters/{letter_id}/revive")).status_code == 202
        assert (await client.post("/dead-letters/none/revive")).status_code == 404


def test_an_event_without_an_id_is_known_by_its_content() -> None:
    assert event_id(b"{}") == event_id(b"{}") != event_id(b"[]")
    assert event_id(event(7)) == "evt_7"


def test_the_place_of_the_fault_is_named() -> None:
    with pytest.raises(UnreadableEvent, match=r"data\.total"):
        read_event(event(total="much").decode())
