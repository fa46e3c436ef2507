"""Orders with real neighbours: bought once, paid for once, never lost, whatever fails in between."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from shop_harness import eventually, listening, running
from sqlalchemy import Connection, select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shop import catalog, inventory, orders, payments
from shop.chassis import Faults
from shop.inventory.stock import read_stock
from shop.inventory.tables import stock
from shop.orders.tables import orders as orders_table
from shop.orders.tables import outbox
from shop.payments.provider import Temper
from shop.settings import ADMIN_TOKEN_FILE, ADMIN_TOKEN_HEADER, Settings
from shop.storage import Database

GOOD = Temper(median_latency_s=0.0001, declines=0.0, errors=0.0)
CUSTOMER = "/customers/cus_1"


class Listener:
    """Stands where the notifier stands, and remembers the events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.is_away = False
        self.app = Starlette(routes=[Route("/events", self._take, methods=["POST"]), Route("/livez", self._live)])

    async def _live(self, _request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def _take(self, request: Request) -> JSONResponse:
        if self.is_away:
            return JSONResponse({}, 503)
        self.events.append(json.loads(await request.body()))
        return JSONResponse({}, 202)


@dataclass(slots=True)
class Town:
    """Orders and everybody around them."""

    settings: Settings
    client: httpx.AsyncClient
    urls: dict[str, str]
    listener: Listener

    async def fill_cart(self, sku: str = "COF-001", quantity: int = 2) -> None:
        (await self.client.put(f"{CUSTOMER}/cart/{sku}", json={"quantity": quantity})).raise_for_status()

    async def buy(self, key: str = "key-00001", card: str = "tok_good") -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return await self.client.post(f"{CUSTOMER}/orders", json={"card_token": card}, headers=headers)

    async def break_it(self, service: str, **plan: Any) -> None:
        headers = {ADMIN_TOKEN_HEADER: (self.settings.data / ADMIN_TOKEN_FILE).read_text()}
        async with httpx.AsyncClient() as client:
            (await client.put(f"{self.urls[service]}/admin/fault", json=plan, headers=headers)).raise_for_status()

    async def heal(self, service: str) -> None:
        await self.break_it(service, latency_s=0.0001)

    async def stock_of_coffee(self) -> int:
        database = Database.open(self.settings, "inventory", Faults())
        quantities = await database.read(read_stock, ["COF-001"])
        await database.close()
        return int(quantities["COF-001"])

    async def in_orders(self, work: Any, *args: Any) -> Any:
        database = Database.open(self.settings, "orders", Faults())
        try:
            return await database.write(work, *args)
        finally:
            await database.close()


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Town]:
    async with _inhabited(settings) as inhabited:
        yield inhabited


@pytest.fixture
async def any_town(any_settings: Settings) -> AsyncIterator[Town]:
    async with _inhabited(any_settings) as inhabited:
        yield inhabited


@contextlib.asynccontextmanager
async def _inhabited(without_peers: Settings) -> AsyncIterator[Town]:
    listener = Listener()
    async with contextlib.AsyncExitStack() as stack:
        urls = {
            "catalog": await stack.enter_async_context(listening(catalog.build(without_peers))),
            "payments": await stack.enter_async_context(
                listening(payments.build(without_peers, GOOD, random.Random(7)))
            ),
            "inventory": await stack.enter_async_context(listening(inventory.build(without_peers))),
            "notifier": await stack.enter_async_context(listening(listener.app)),
        }
        settings = replace(without_peers, peers=urls)
        client = await stack.enter_async_context(running(orders.build(settings)))
        yield Town(settings, client, urls, listener)


async def test_a_cart_becomes_a_paid_order_and_an_event(any_town: Town) -> None:
    await any_town.fill_cart("COF-001", 2)
    await any_town.fill_cart("TEA-001", 1)
    bought = await any_town.buy()
    assert bought.status_code == 201
    order = bought.json()
    assert (order["status"], order["total"]) == ("paid", "30.50")
    assert (await any_town.client.get(f"{CUSTOMER}/cart")).json() == {"lines": []}
    assert (await any_town.client.get(f"{CUSTOMER}/orders/{order['id']}")).json() == order
    await eventually(lambda: len(any_town.listener.events) == 1)
    event = any_town.listener.events[0]
    assert (event["type"], event["data"]["order_id"]) == ("shop.order.paid", order["id"])
    assert event["correlationid"] == bought.headers["x-correlation-id"]


async def test_a_key_buys_once_even_when_asked_at_the_same_time(any_town: Town) -> None:
    before = await any_town.stock_of_coffee()
    await any_town.fill_cart()
    answers = await asyncio.gather(*(any_town.buy() for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    again = await any_town.buy()
    assert again.status_code == 201
    ids = {answer.json()["id"] for answer in [*answers, again] if answer.status_code == 201}
    assert len(ids) == 1
    assert await any_town.stock_of_coffee() == before - 2
    await eventually(lambda: len(any_town.listener.events) == 1)


async def test_an_empty_cart_and_an_unknown_product_are_refused(town: Town) -> None:
    assert (await town.buy()).json()["code"] == "cart-empty"
    answer = await town.client.put(f"{CUSTOMER}/cart/XXX-001", json={"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-product")


async def test_a_cart_has_a_bound(town: Town) -> None:
    skus = [f"{shelf}-{number:03d}" for shelf in ("BOK", "BRW", "COF", "FLT", "GRD") for number in range(1, 6)]
    answers = [await town.client.put(f"{CUSTOMER}/cart/{sku}", json={"quantity": 1}) for sku in skus]
    assert [answer.status_code for answer in answers] == [200] * 20 + [409] * 5


@pytest.mark.parametrize(
    ("card", "broken", "status", "code"),
    [("tok_declined", {}, 402, "card-declined"), ("tok_good", {"errors": 1}, 502, "payment-failed")],
)
async def test_an_order_that_is_not_paid_gives_its_stock_back_and_says_why(
    any_town: Town, card: str, broken: dict[str, float], status: int, code: str
) -> None:
    before = await any_town.stock_of_coffee()
    await any_town.fill_cart()
    if broken:
        await any_town.break_it("payments", **broken)
    answers = [await any_town.buy(card=card) for _ in range(2)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(status, code)] * 2
    assert await any_town.stock_of_coffee() == before
    await eventually(lambda: len(any_town.listener.events) == 1)
    assert any_town.listener.events[0]["data"]["failure"] == code.replace("-", "_")
    assert len((await any_town.client.get(f"{CUSTOMER}/cart")).json()["lines"]) == 1


async def test_sold_out_is_said_before_any_money_moves(town: Town) -> None:
    await town.fill_cart()
    database = Database.open(town.settings, "inventory", Faults())
    await database.write(lambda connection: connection.execute(update(stock).values(quantity=1)))
    await database.close()
    answer = await town.buy()
    assert (answer.status_code, answer.json()["code"]) == (409, "out-of-stock")


async def test_nobody_knows_whether_it_was_paid_until_payments_can_say(any_town: Town) -> None:
    await any_town.fill_cart()
    await any_town.break_it("payments", latency_s=3)
    unknown = await any_town.buy()
    assert (unknown.status_code, unknown.json()["code"]) == (503, "payment-unknown")
    latest = (await any_town.client.get(f"{CUSTOMER}/orders")).json()["orders"]
    assert [order["status"] for order in latest] == ["pending"]
    assert (await any_town.buy()).json()["code"] in {"in-progress", "payment-unknown"}
    await any_town.heal("payments")
    await any_town.in_orders(expire_leases)
    bought = await any_town.buy()
    assert (bought.status_code, bought.json()["status"]) == (201, "paid")
    assert len((await any_town.client.get(f"{CUSTOMER}/orders")).json()["orders"]) == 1


def expire_leases(connection: Connection) -> None:
    connection.execute(update(orders_table).values(leased_until_ms=0))


async def test_an_order_whose_process_died_is_finished_by_the_next(town: Town) -> None:
    await town.fill_cart()
    await town.break_it("payments", latency_s=3)
    await town.buy()
    await town.heal("payments")
    await town.in_orders(expire_leases)

    async def is_paid() -> bool:
        latest = (await town.client.get(f"{CUSTOMER}/orders")).json()["orders"]
        return bool(latest[0]["status"] == "paid")

    async with running(orders.build(town.settings)):
        await eventually(is_paid)
    await eventually(lambda: len(town.listener.events) == 1)


async def test_events_wait_for_a_notifier_that_is_away_and_keep_their_order(town: Town) -> None:
    town.listener.is_away = True
    ids = []
    for number in range(3):
        await town.fill_cart()
        ids.append((await town.buy(key=f"key-0000{number}")).json()["id"])
    assert town.listener.events == []
    town.listener.is_away = False
    await eventually(lambda: len(town.listener.events) >= 3)
    assert [event["data"]["order_id"] for event in town.listener.events] == ids


async def test_a_poisoned_event_leaves_through_the_outbox(town: Town) -> None:
    headers = {ADMIN_TOKEN_HEADER: (town.settings.data / ADMIN_TOKEN_FILE).read_text()}
    await town.client.put("/admin/fault", json={"poison": True}, headers=headers)
    await eventually(lambda: len(town.listener.events) >= 1)
    await town.client.delete("/admin/fault", headers=headers)
    assert town.listener.events[0]["data"] == "\ufffd"


async def test_readiness_names_every_dependency(town: Town) -> None:
    checks = (await town.client.get("/readyz")).json()["checks"]
    assert set(checks) == {
        "requests",
        "database",
        "catalog",
        "inventory",
        "payments",
        "notifier",
        "outbox",
    }


async def test_one_customer_does_not_see_anothers_order(town: Town) -> None:
    await town.fill_cart()
    order = (await town.buy()).json()
    assert (await town.client.get(f"/customers/cus_2/orders/{order['id']}")).status_code == 404


async def test_an_event_is_written_with_its_order_or_not_at_all(any_town: Town) -> None:
    await any_town.fill_cart()
    await any_town.buy()

    def count(connection: Connection) -> tuple[int, int]:
        closed = connection.execute(select(orders_table).where(orders_table.c.status != "pending")).all()
        return len(closed), len(connection.execute(select(outbox)).all())

    assert await any_town.in_orders(count) == (1, 1)
