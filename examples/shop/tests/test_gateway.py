"""The gateway: who may ask, how often, and what passes."""

import json
import time
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from shop_harness import listening, running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shop.gateway import build, describe
from shop.gateway.limits import Limits
from shop.gateway.tokens import Tokens
from shop.settings import Settings

OPENAPI_FILE = Path(__file__).parents[1] / "ops" / "services" / "shop.openapi.json"


async def test_a_session_makes_a_customer_who_stays_the_same(settings: Settings) -> None:
    async with running(build(settings)) as client:
        session = (await client.post("/api/sessions")).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        renewed = (await client.post("/api/sessions/renew", headers=headers)).json()
        assert renewed["customer_id"] == session["customer_id"]
        assert (await client.post("/api/sessions")).json()["customer_id"] != session["customer_id"]


def forged(settings: Settings, **changes) -> str:
    secret = (settings.data / "gateway.secret").read_text()
    claims = {"iss": "shop-gateway", "sub": "cus_1", "exp": int(time.time()) + 60} | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, "HS256")


@pytest.mark.parametrize("changes", [{"exp": 1}, {"iss": "somebody"}, {"exp": None}, {"sub": None}])
async def test_a_token_that_is_old_or_not_ours_is_refused(settings: Settings, changes) -> None:
    async with running(build(settings)) as client:
        headers = {"Authorization": f"Bearer {forged(settings, **changes)}"}
        refused = await client.get("/api/cart", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "bad-token")
        assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "token", ["", "nonsense", jwt.encode({"sub": "cus_1"}, "another secret that is long enough!", "HS256")]
)
async def test_a_token_of_somebody_else_is_refused(settings: Settings, token: str) -> None:
    async with running(build(settings)) as client:
        refused = await client.get("/api/cart", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401


async def test_an_unsigned_token_is_refused(settings: Settings) -> None:
    async with running(build(settings)) as client:
        unsigned = jwt.encode({"iss": "shop-gateway", "sub": "cus_1", "exp": int(time.time()) + 60}, None, "none")
        assert (await client.get("/api/cart", headers={"Authorization": f"Bearer {unsigned}"})).status_code == 401


async def test_one_greedy_customer_does_not_slow_another(settings: Settings) -> None:
    async with running(build(settings, Limits(customer_rate=1, address_rate=100))) as client:
        secret = (settings.data / "gateway.secret").read_text()
        greedy, modest = ({"Authorization": f"Bearer {Tokens(secret).issue()[0]}"} for _ in range(2))
        statuses = [(await client.post("/api/sessions/renew", headers=greedy)).status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        refused = await client.post("/api/sessions/renew", headers=greedy)
        assert refused.headers["retry-after"] == "1"
        assert (await client.post("/api/sessions/renew", headers=modest)).status_code == 200


async def test_somebody_without_a_token_is_limited_by_address(settings: Settings) -> None:
    async with running(build(settings, Limits(address_rate=1))) as client:
        statuses = [(await client.post("/api/sessions")).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]


async def test_a_services_own_words_pass(settings: Settings) -> None:
    async def refuse(_request: Request) -> JSONResponse:
        body = {"type": "urn:shop:payment-failed", "status": 502, "code": "payment-failed", "detail": "no"}
        return JSONResponse(body, 502, media_type="application/problem+json")

    orders = Starlette(routes=[Route("/customers/{customer_id}/orders", refuse, methods=["POST"])])
    async with listening(orders) as url, running(build(replace(settings, peers={"orders": url}))) as client:
        token = (await client.post("/api/sessions")).json()["token"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "12345678"}
        answer = await client.post("/api/orders", json={"card_token": "tok_1"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (502, "payment-failed")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_service_that_is_away_is_a_503_that_names_it(settings: Settings) -> None:
    async with running(build(settings)) as client:
        answer = await client.get("/api/products")
        assert (answer.status_code, answer.json()["code"]) == (503, "catalog-unavailable")
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert {"catalog", "orders"} <= ready.json()["checks"].keys()


async def test_the_committed_openapi_file_is_the_gateways(settings: Settings) -> None:
    committed = json.loads(OPENAPI_FILE.read_text())
    assert describe(settings.release) == committed, f"run `python -m shop openapi > {OPENAPI_FILE.name}`"
    async with running(build(settings)) as client:
        assert (await client.get("/openapi.json")).json() == committed
