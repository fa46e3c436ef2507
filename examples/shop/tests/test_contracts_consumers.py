"""Contracts, the consumer's side: its own code, against a stand-in that answers the contract and nothing else."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from shop_contracts import interactions, named, stand_in
from shop_harness import listening, running

from shop import gateway
from shop.chassis import Faults
from shop.gateway.app import SECRET_FILE
from shop.gateway.tokens import Tokens
from shop.notifier.events import read_event
from shop.notifier.mailer import write_message
from shop.orders.ledger import Order, OrderLine, OrderStatus
from shop.orders.payment import ChargeOutcome, charge_order
from shop.peers import Peer
from shop.settings import Settings


def public(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


async def test_the_gateway_is_content_with_what_the_catalog_promises(settings: Settings) -> None:
    pair = "gateway--catalog"
    async with (
        listening(stand_in(pair)) as url,
        running(gateway.build(replace(settings, peers={"catalog": url}))) as client,
    ):
        page = await client.get("/api/products", params={"limit": 2, "category": "coffee"})
        assert public(page) == (200, named(pair, "a page of products")["response"]["body"])
        assert public(await client.get("/api/products/COF-001"))[0] == 200
        assert public(await client.get("/api/products/XXX-999"))[1]["code"] == "unknown-product"


async def test_the_gateway_is_content_with_what_orders_promises(settings: Settings) -> None:
    pair = "gateway--orders"
    async with (
        listening(stand_in(pair)) as url,
        running(gateway.build(replace(settings, peers={"orders": url}))) as client,
    ):
        token, _ = Tokens((settings.data / SECRET_FILE).read_text()).issue("cus_1")
        client.headers["Authorization"] = f"Bearer {token}"
        assert (await client.get("/api/cart")).status_code == 200
        assert (await client.put("/api/cart/COF-001", json={"quantity": 2})).status_code == 200
        assert (await client.delete("/api/cart/COF-001")).status_code == 200
        for key, card, status in (("key-00001", "tok_good", 201), ("key-00002", "tok_declined", 402)):
            headers = {"Idempotency-Key": key}
            bought = await client.post("/api/orders", json={"card_token": card}, headers=headers)
            assert bought.status_code == status
        assert (await client.get("/api/orders")).status_code == 200


async def test_orders_reads_prices_as_the_catalog_promises_them() -> None:
    async with listening(stand_in("orders--catalog")) as url:
        catalog = Peer("catalog", url, Faults())
        product = (await catalog.get("/products/COF-001")).json()
        line = OrderLine(sku="COF-001", name=product["name"], quantity=1, unit_price=product["price"])
        assert line.unit_price == Decimal("11.00")
        assert (await catalog.get("/products/XXX-999")).status == 404
        await catalog.close()


@pytest.mark.parametrize(
    ("order_id", "card", "outcome"),
    [
        ("ord_approved", "tok_good", ChargeOutcome.APPROVED),
        ("ord_declined", "tok_declined", ChargeOutcome.DECLINED),
        ("ord_failing", "tok_good", ChargeOutcome.FAILED),
    ],
)
async def test_orders_understands_every_outcome_of_a_charge(order_id: str, card: str, outcome: ChargeOutcome) -> None:
    order = Order(
        id=order_id, customer_id="cus_1", status=OrderStatus.PENDING, lines=[], total=Decimal("22.00"), created_ms=0
    )
    async with listening(stand_in("orders--payments")) as url:
        payments = Peer("payments", url, Faults())
        assert await charge_order(payments, order, card) is outcome
        await payments.close()


@pytest.mark.parametrize("interaction", interactions("notifier--orders"), ids=str)
def test_the_notifier_makes_a_message_of_every_event_that_it_wants(interaction) -> None:
    event = read_event(json.dumps(interaction.facts["message"]["body"]))
    assert event.data.order_id in write_message(event).subject
