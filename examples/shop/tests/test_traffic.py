"""Traffic: a day with its peaks, and customers who behave like some."""

import random

import httpx
import pytest
from shop_harness import running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shop.settings import Settings
from shop.traffic.curve import level
from shop.traffic.customer import Customer, GaveUp, Tally
from shop.traffic.journeys import JOURNEYS, buy, fill_cart, look_around, look_back, visit


def test_a_day_has_its_mean_at_one_its_peak_in_the_evening_and_its_quiet_at_night() -> None:
    hours = [level(hour / 24) for hour in range(24)]
    assert sum(hours) / 24 == pytest.approx(1, abs=0.01)
    assert hours.index(max(hours)) == 20
    assert min(hours) == pytest.approx(level(4 / 24), rel=0.1)
    assert 2 < max(hours) / min(hours) < 10
    assert level(0.0) == pytest.approx(level(1.0))


def test_most_customers_only_look() -> None:
    shares = {journey.__name__: share for journey, share in JOURNEYS}
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=lambda name: shares[name]) == "look_around"


class Api:
    """A public API that answers what a journey needs, and remembers the steps."""

    def __init__(self, *, checkout: list[int]) -> None:
        self.asked: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self._checkout = iter(checkout)
        routes = [Route("/api/{path:path}", self.answer, methods=["GET", "POST", "PUT"])]
        self.app = Starlette(routes=routes)

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append((request.method, path))
        if path.startswith("/api/sessions"):
            return JSONResponse({"token": "t", "customer_id": "cus_1"})
        if path == "/api/products":
            return JSONResponse({"products": [{"sku": f"TEA-00{number}"} for number in range(1, 6)]})
        if (request.method, path) == ("POST", "/api/orders"):
            self.keys.append(request.headers["idempotency-key"])
            status = next(self._checkout)
            return JSONResponse({"id": "ord_1"}, status)
        return JSONResponse({})


def customer(api: Api) -> Customer:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://shop")
    return Customer(client, Tally(), random.Random(7), think_s=1e-6)


@pytest.mark.parametrize("journey", [look_around, fill_cart, buy, look_back])
async def test_every_journey_ends(journey) -> None:
    api = Api(checkout=[201])
    await journey(customer(api))
    assert ("GET", "/api/products") in api.asked


async def test_a_buyer_asks_again_with_the_same_key_when_it_hangs() -> None:
    api = Api(checkout=[503, 201])
    await buy(customer(api))
    assert len(api.keys) == 2
    assert len(set(api.keys)) == 1
    assert api.asked[-1] == ("GET", "/api/orders/ord_1")


async def test_a_buyer_leaves_when_it_fails() -> None:
    api = Api(checkout=[502])
    with pytest.raises(GaveUp, match="check_out: 502"):
        await buy(customer(api))


async def test_who_comes_back_stays_the_same_customer() -> None:
    api = Api(checkout=[201, 201])
    returning = customer(api)
    await visit(returning)
    await visit(returning)
    sessions = [path for _, path in api.asked if path.startswith("/api/sessions")]
    assert sessions == ["/api/sessions", "/api/sessions/renew"]


def test_a_report_counts_what_was_seen_and_starts_anew() -> None:
    tally = Tally()
    tally.record("check_out", "201", 0.1)
    tally.record("check_out", "502", 0.3)
    tally.record("enter", "ConnectError", 0.2)
    assert tally.summary() == {
        "requests": 3,
        "failures": {"check_out 502": 1, "enter ConnectError": 1},
        "orders": 1,
        "p50_ms": 200.0,
        "p95_ms": 200.0,
    }
    assert tally.summary()["requests"] == 0


async def test_the_public_api_knows_every_step_of_every_journey(settings: Settings) -> None:
    from shop import gateway  # noqa: PLC0415 -- only this test needs a service

    async with running(gateway.build(settings)) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/api/products", "/api/products/{sku}", "/api/cart/{sku}", "/api/orders/{order_id}"} <= paths.keys()
