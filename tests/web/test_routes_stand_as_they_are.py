"""A room's routes are made once: the app serves them below its prefix, and the room's router stays as it was."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.routing import iter_route_contexts

from holdfast.web.standing import stand


@dataclass(frozen=True)
class Thing:
    name: str
    size: int


def things() -> APIRouter:
    router = APIRouter(prefix="/things", tags=["things"])

    @router.get("/{name}", operation_id="getThing")
    async def get_thing(name: str, size: int = 1) -> Thing:
        return Thing(name, size)

    return router


async def ask(app: FastAPI, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        return await client.get(path)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_routes_answer_and_are_described_below_the_prefix(prefix: str) -> None:
    standing, included = FastAPI(), FastAPI()
    stand(standing, things(), prefix)
    included.include_router(things(), prefix=prefix)
    answer = await ask(standing, f"{prefix}/things/anchor?size=3")
    assert answer.json() == {"name": "anchor", "size": 3}
    assert (await ask(standing, f"{prefix}/things/anchor?size=large")).status_code == 422
    assert standing.openapi() == included.openapi()


async def test_one_router_stands_in_two_apps() -> None:
    router, first, second = things(), FastAPI(), FastAPI()
    stand(first, router, "/one")
    stand(second, router, "/two")
    assert [(await ask(first, f"{place}/things/anchor")).status_code for place in ("/one", "/two", "")] == [
        200,
        404,
        404,
    ]
    assert [(await ask(second, f"{place}/things/anchor")).status_code for place in ("/one", "/two", "")] == [
        404,
        200,
        404,
    ]


async def test_a_router_that_holds_more_than_routes_is_included() -> None:
    router = APIRouter()
    router.include_router(things())

    @router.websocket("/follow")
    async def follow(socket: WebSocket) -> None:
        await socket.accept()

    app = FastAPI()
    stand(app, router, "/api/v1")
    assert (await ask(app, "/api/v1/things/anchor")).json() == {"name": "anchor", "size": 1}
    assert "/api/v1/follow" in {context.path for context in iter_route_contexts(app.routes)}
