"""WebSockets go through the same gate: who opens one, from which page, and what a route does with a refusal."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import APIRouter, Depends, WebSocket

from holdfast.kernel.auth import Permission, Role, asks, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.wiring import Wiring


def routes() -> APIRouter:
    router = APIRouter()

    @router.websocket("/socket")
    async def socket(socket: WebSocket, identity=Depends(requires("thing.see"))):  # noqa: B008 -- as FastAPI has it
        await socket.accept()
        await socket.send_text(f"{identity.actor} {identity.tenant}")
        await socket.close()

    @router.websocket("/asking")
    async def asking(socket: WebSocket, found=Depends(asks("thing.see"))):  # noqa: B008 -- as FastAPI has it
        await socket.accept()
        await socket.send_text(found.code if isinstance(found, HoldfastError) else found.tenant)
        await socket.close()

    @router.websocket("/broken")
    async def broken(socket: WebSocket, identity=Depends(requires("thing.see"))):  # noqa: B008 -- as FastAPI has it
        del identity
        await socket.accept()
        raise ZeroDivisionError

    return router


SOCKETS = Wiring("sockets", routers=(routes(),), permissions=(Permission("thing.see", Role.VIEWER, "See."),))


@pytest.fixture
def other_rooms():
    return (SOCKETS,)


async def open_socket(house, path, **headers):
    """Open a WebSocket; give what the server sent: a status or `accept`, texts, a code."""
    told = []
    come = asyncio.Queue()
    come.put_nowait({"type": "websocket.connect"})

    async def send(message):
        kind = message["type"].removeprefix("websocket.")
        values = {"accept": "open", "send": message.get("text"), "close": message.get("code")}
        told.append(values.get(kind, message.get("status")))
        if kind in {"close", "http.response.body"}:
            come.put_nowait({"type": "websocket.disconnect", "code": 1000})

    pairs = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "websocket",
        "path": f"/api/v1{path}",
        "raw_path": f"/api/v1{path}".encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
        "client": ("10.0.0.1", 1),
        "server": ("localhost", 80),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    await house.app(scope, come.get, send)
    return [each for each in told if each is not None]


def cookie_of(browser):
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


async def test_nobody_opens_none(house):
    await house.set_up()
    assert await open_socket(house, "/socket") == [401]
    assert await open_socket(house, "/asking") == ["open", "unauthenticated", 1000]


async def test_a_page_of_ours_opens_one_with_its_session_alone(house):
    cookie = cookie_of(await house.set_up())
    told = await open_socket(house, "/socket", cookie=cookie, origin="http://localhost", x_scope_orgid="blue")
    assert (told[0], told[1].split()[1], told[2]) == ("open", "blue", 1000)


async def test_a_page_of_another_site_opens_none(house):
    cookie = cookie_of(await house.set_up())
    assert await open_socket(house, "/socket", cookie=cookie, origin="http://evil.example") == [403]
    assert await open_socket(house, "/socket", cookie=cookie, sec_fetch_site="cross-site") == [403]


async def test_a_token_opens_what_its_scopes_hold(house):
    browser = await house.set_up()
    body = {"name": "reader", "role": "viewer", "scopes": ["thing.see"]}
    token = (await browser.post("/tokens", json=body)).json()["secret"]
    assert (await open_socket(house, "/socket", authorization=f"Bearer {token}"))[0] == "open"
    assert await open_socket(house, "/socket", authorization="Bearer hf_x_y") == [401]


async def test_what_breaks_behind_an_open_one_closes_it(house):
    cookie = cookie_of(await house.set_up())
    assert await open_socket(house, "/broken", cookie=cookie) == ["open", 1011]


async def test_a_path_without_a_socket_refuses_it(house):
    assert await open_socket(house, "/nothing") == [404]
