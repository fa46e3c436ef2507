"""Who the client is to the other party, and what happens when the other party does not believe it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json

import pytest

from holdfast.resilience import retry
from holdfast.resilience.http import ApiKey, Basic, Bearer, ClientCredentials, HmacSigning, Unauthorized

ONCE = retry(attempts=1)
REFUSED = (401, {}, b"")


async def test_a_name_and_a_password(client, peer):
    async with client(auth=Basic("ann", "pässword")) as api:
        await api.get("/")
    kind, _, words = peer.heard[0].headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(words).decode()) == ("Basic", "ann:pässword")
    with pytest.raises(ValueError, match="colon"):
        Basic("a:b", "c")


async def test_a_key_in_a_header_or_in_the_query(client, peer):
    async with client(auth=ApiKey("k1")) as api:
        await api.get("/")
    async with client(auth=ApiKey("k2", query="key")) as api:
        await api.get("/orders?page=2")
    assert peer.heard[0].headers["x-api-key"] == "k1"
    assert peer.heard[1].path == "/orders?page=2&key=k2"


async def test_a_refused_token_is_fetched_again_once(client, peer):
    tokens = iter(["old", "new", "newest"])
    peer.answer = lambda it: REFUSED if it.headers["authorization"] == "Bearer old" else (200, {}, b"")
    async with client(policy=ONCE, auth=Bearer(fetch=lambda: next(tokens))) as api:
        await api.get("/")
        await api.get("/")
    assert [it.headers["authorization"] for it in peer.heard] == ["Bearer old", "Bearer new", "Bearer new"]


async def test_a_token_that_is_refused_again_is_an_error(client, peer):
    peer.answer = lambda _: REFUSED
    async with client(policy=ONCE, auth=Bearer(fetch=lambda: "no")) as api:
        with pytest.raises(Unauthorized):
            await api.get("/")
    assert len(peer.heard) == 2


async def test_many_calls_fetch_one_token(client, peer):
    fetched = []

    def fetch():
        fetched.append(None)
        return "token"

    async with client(auth=Bearer(fetch=fetch)) as api:
        await asyncio.gather(*(api.get("/") for _ in range(8)))
    assert len(fetched) == 1


async def test_a_signature_can_be_checked_by_the_other_side(client, peer, quick_clock):
    async with client(auth=HmacSigning("shop", "secret", clock=quick_clock)) as api:
        await api.post("/orders?dry=1", content=b"tea")
    it = peer.heard[0]
    digest = hashlib.sha256(b"tea").hexdigest()
    text = f"POST\n{it.headers['host']}\n/orders?dry=1\n2026-01-01T00:00:00Z\n{digest}"
    signature = hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
    assert it.headers["authorization"] == f"HMAC-SHA256 keyId=shop, signature={signature}"


def give_tokens(request):
    """Answer as a token endpoint with `t1`, `t2`, ..., and as a service otherwise."""
    if request.path == "/token":
        give_tokens.count += 1
        return 200, {}, json.dumps({"access_token": f"t{give_tokens.count}", "expires_in": 300}).encode()
    return 200, {}, b""


async def test_client_credentials_fetch_a_token_and_another_before_it_ends(client, peer, quick_clock):
    give_tokens.count = 0
    peer.answer = give_tokens
    auth = ClientCredentials(f"{peer.url}/token", "shop", "s&cret", scope="orders", clock=quick_clock)
    async with client(auth=auth) as api:
        await api.get("/a")
        await api.get("/b")
        quick_clock.sleep_sync(271)
        await api.get("/c")
    assert [it.path for it in peer.heard] == ["/token", "/a", "/b", "/token", "/c"]
    assert peer.heard[0].body == b"grant_type=client_credentials&scope=orders"
    assert base64.b64decode(peer.heard[0].headers["authorization"].split()[1]) == b"shop:s%26cret"
    assert [it.headers["authorization"] for it in peer.heard if it.path != "/token"] == [
        "Bearer t1",
        "Bearer t1",
        "Bearer t2",
    ]


async def test_client_credentials_fetch_again_when_refused(client, peer, quick_clock):
    give_tokens.count = 0
    peer.answer = lambda it: REFUSED if it.headers["authorization"] == "Bearer t1" else give_tokens(it)
    auth = ClientCredentials(f"{peer.url}/token", "shop", "secret", clock=quick_clock)
    async with client(policy=ONCE, auth=auth) as api:
        assert (await api.get("/a")).status_code == 200
    assert give_tokens.count == 2


@pytest.mark.parametrize("auth", [Basic("ann", "hunter2"), ApiKey("hunter2"), Bearer("hunter2")])
def test_no_secret_stands_in_a_repr(auth):
    assert "hunter2" not in repr(auth)


def test_a_token_and_a_way_to_fetch_one_are_one_too_many():
    with pytest.raises(ValueError, match="or a function"):
        Bearer("a", fetch=lambda: "b")


async def test_a_plain_client_refuses_an_async_fetch(peer):
    from holdfast.resilience.http import HttpClient  # noqa: PLC0415 -- only this test is about one of the two

    async def fetch():
        return "token"

    coroutine = fetch()
    with HttpClient(base_url=peer.url, auth=Bearer(fetch=lambda: coroutine)) as api, pytest.raises(TypeError):
        api.get("/")
    await coroutine
