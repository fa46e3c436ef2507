"""Contracts, the provider's side: the real service answers as each of its consumers was promised."""

import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format
from shop_contracts import FOLDER, Interaction, compare, differences, interactions
from shop_harness import listening, running

from shop import catalog, inventory, orders, payments
from shop.orders.events import order_event
from shop.payments.provider import Temper
from shop.settings import ADMIN_TOKEN_FILE, ADMIN_TOKEN_HEADER, Settings
from shop.wire import inventory_pb2, inventory_pb2_grpc

GOOD = Temper(median_latency_s=0.0001, declines=0.0, errors=0.0)


async def answer_of(client: httpx.AsyncClient, interaction: Interaction) -> httpx.Response:
    request = interaction.facts["request"]
    return await client.request(
        request["method"], request["path"], json=request.get("body"), headers=request.get("headers", {})
    )


def assert_kept(interaction: Interaction, answer: httpx.Response) -> None:
    wanted = interaction.facts["response"]
    assert answer.status_code == wanted["status"], answer.text
    if "content_type" in wanted:
        assert answer.headers["content-type"] == wanted["content_type"]
    assert differences(wanted, answer.json()) == []


@pytest.mark.parametrize("interaction", interactions("gateway--catalog") + interactions("orders--catalog"), ids=str)
async def test_the_catalog_keeps_its_promises(settings: Settings, interaction: Interaction) -> None:
    assert interaction.given == "a stocked shop"
    async with running(catalog.build(settings)) as client:
        assert_kept(interaction, await answer_of(client, interaction))


@pytest.mark.parametrize("interaction", interactions("orders--payments"), ids=str)
async def test_payments_keeps_its_promises(settings: Settings, interaction: Interaction) -> None:
    async with running(payments.build(settings, GOOD, random.Random(7))) as client:
        if interaction.given == "a provider that fails":
            headers = {ADMIN_TOKEN_HEADER: (settings.data / ADMIN_TOKEN_FILE).read_text()}
            await client.put("/admin/fault", json={"errors": 1}, headers=headers)
        assert_kept(interaction, await answer_of(client, interaction))


@contextlib.asynccontextmanager
async def neighbours(settings: Settings) -> AsyncIterator[Settings]:
    async with (
        listening(catalog.build(settings)) as catalog_url,
        listening(payments.build(settings, GOOD, random.Random(7))) as payments_url,
        listening(inventory.build(settings)),
    ):
        yield replace(settings, peers={"catalog": catalog_url, "payments": payments_url})


@pytest.mark.parametrize("interaction", interactions("gateway--orders"), ids=str)
async def test_orders_keeps_its_promises(settings: Settings, interaction: Interaction) -> None:
    async with neighbours(settings) as peopled, running(orders.build(peopled)) as client:
        if interaction.given != "a stocked shop":
            await client.put("/customers/cus_1/cart/COF-001", json={"quantity": 2})
        if interaction.given == "a customer with an order":
            bought = await client.post(
                "/customers/cus_1/orders", json={"card_token": "tok_good"}, headers={"Idempotency-Key": "key-00009"}
            )
            assert bought.status_code == 201
        assert_kept(interaction, await answer_of(client, interaction))


@pytest.mark.parametrize("interaction", interactions("notifier--orders"), ids=str)
def test_orders_sends_events_as_promised(interaction: Interaction) -> None:
    failure = {"an order that is paid": None, "an order whose card was declined": "card_declined"}[interaction.given]
    order = {
        "id": "ord_1",
        "customer_id": "cus_1",
        "status": "paid" if failure is None else "failed",
        "failure": failure,
        "total": "22.00",
        "currency": "EUR",
        "lines": [],
    }
    body: dict[str, Any] = json.loads(str(order_event(order, "cor-1")["body"]))
    assert differences(interaction.facts["message"], body) == []


@pytest.mark.parametrize("interaction", interactions("orders--inventory"), ids=str)
async def test_inventory_keeps_its_promises(settings: Settings, interaction: Interaction) -> None:
    method = interaction.facts["method"]
    async with running(inventory.build(settings)), grpc.aio.insecure_channel(settings.inventory_address) as channel:
        request = json_format.ParseDict(interaction.facts["request"], getattr(inventory_pb2, f"{method}Request")())
        answer = await getattr(inventory_pb2_grpc.InventoryStub(channel), method)(request, timeout=5)
    assert json_format.MessageToDict(answer) == interaction.facts["response"]


def test_every_contract_is_tested_on_both_sides() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {
        "gateway--catalog",
        "gateway--orders",
        "notifier--orders",
        "orders--catalog",
        "orders--inventory",
        "orders--payments",
    }


def test_a_comparison_finds_what_is_missing_and_what_changed_its_kind() -> None:
    assert compare({"a": "1", "b": [{"c": 1}]}, {"a": "x", "b": [{"c": 2}], "more": True}) == []
    assert compare({"a": "1"}, {}) == ["$.a is missing"]
    assert compare({"a": "1"}, {"a": 1}) == ["$.a: 1 is not of the kind of '1'"]
    assert compare({"b": [1]}, {"b": []}) == ["$.b: [] is no list with something in it"]
