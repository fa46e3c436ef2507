"""Orders to notifier over NATS JetStream: at least once out, exactly once in."""

import asyncio
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from shop_harness import drop_stream, eventually, running

from shop import notifier
from shop.chassis import FaultPlan, Faults
from shop.orders.nats_bus import NatsBus
from shop.orders.outbox import Event
from shop.settings import Settings

pytestmark = pytest.mark.service


@pytest.fixture
async def on_nats(settings: Settings, nats_url: str):
    prefix = f"t{uuid.uuid4().hex[:12]}"
    await drop_stream(nats_url, prefix)
    yield replace(settings, nats_url=nats_url, nats_prefix=prefix)
    await drop_stream(nats_url, prefix)


def event(customer_id: str) -> Event:
    event_id = f"evt_{uuid.uuid4().hex}"
    data = {"order_id": event_id, "customer_id": customer_id, "total": "1.00", "currency": "EUR", "failure": None}
    body = {"specversion": "1.0", "id": event_id, "type": "shop.order.paid", "data": data}
    return Event(event_id, "shop.order.paid", json.dumps(body))


async def test_events_reach_the_notifier_once_and_wait_while_it_is_away(on_nats: Settings) -> None:
    customer_id = f"cus_{uuid.uuid4().hex}"
    bus = NatsBus(str(on_nats.nats_url), on_nats, Faults())
    async with bus.connected():
        events = [event(customer_id) for _ in range(3)]
        for one in [*events, events[0]]:
            await bus.publish(one)
        await bus.dependency().probe()
        async with running(notifier.build(on_nats)) as client:

            async def messages() -> list[Any]:
                answer = await client.get("/messages", params={"customer_id": customer_id})
                found: list[Any] = answer.json()["messages"]
                return found

            async def are_all_told() -> bool:
                return len(await messages()) == 3

            await eventually(are_all_told)
            ready = (await client.get("/readyz")).json()
            assert ready["checks"]["bus"]["status"] == "ok"
            await asyncio.sleep(0)
            assert len(await messages()) == 3


async def test_a_dead_bus_takes_no_event(on_nats: Settings) -> None:
    faults = Faults()
    bus = NatsBus(str(on_nats.nats_url), on_nats, faults)
    async with bus.connected():
        await faults.apply(FaultPlan(dead_dependency="bus"))
        with pytest.raises(ConnectionError):
            await bus.publish(event("cus_1"))
        with pytest.raises(ConnectionError):
            await bus.dependency().probe()
        await faults.heal()
        await bus.publish(event("cus_1"))
