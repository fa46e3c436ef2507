"""Routes that need nothing of FastAPI are found by one look, and answer as they would in its search."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry

from holdfast.kernel import auth
from holdfast.kernel.auth import Identity, OpenGate, direct, requires
from holdfast.kernel.errors import DeniedError
from holdfast.kernel.http import problems
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.web.lanes import Lanes

Reader = Annotated[Identity, Depends(requires("things.read"))]


class LanedRoute(APIRoute):
    """A route that offers a lane and marks what came by it."""

    lane = None

    def get_route_handler(self):
        plain = direct(self)
        if plain is not None:

            async def answer(request: Request) -> Response:
                response = await plain(request)
                response.headers["x-lane"] = "yes"
                return response

            self.lane = answer
        return super().get_route_handler()


async def thing(request: Request, identity: Reader) -> Response:
    return Response(f"{identity.tenant} {request.query_params.get('a', '')}")


async def part(request: Request, _: Reader, name: str) -> Response:
    return Response(f"{name} by {request.method}")


async def anywhere(_: Reader) -> Response:
    return Response("anywhere")


async def typed(request: Request, _: Reader, number: int) -> Response:
    return Response(f"{number + 1} {request.method}")


async def resolved(_: Reader, limit: int = 3) -> Response:
    return Response(str(limit))


async def written(_: Reader) -> dict[str, int]:
    return {"a": 1}


def things(**options: object) -> APIRouter:
    router = APIRouter(prefix="/things", route_class=LanedRoute, include_in_schema=False, **options)  # type: ignore[arg-type]
    router.add_api_route("", thing, methods=["GET", "POST"])
    router.add_api_route("/parts/{name}/all", part, methods=["GET"])
    router.add_api_route("/rest/{path:path}", anywhere, methods=["GET"])
    for path, handler in (("/typed/{number}/all", typed), ("/resolved", resolved), ("/written", written)):
        router.add_api_route(path, handler)
    return router


def client(router: APIRouter, *, gate: OpenGate | None = None, **included: object) -> httpx.AsyncClient:
    api = FastAPI()
    problems.install(api, lambda: None)
    auth.install(api, gate or OpenGate())
    api.include_router(router, **included)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(Lanes(api)), base_url="http://localhost")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/things?a=b", "t1 b"),
        ("/things/parts/x%20y/all", "x y by GET"),
        ("/things/rest/a/b", "anywhere"),
    ],
)
async def test_who_asks_for_the_request_alone_is_called_by_a_lane(path, text):
    async with client(things()) as visitor:
        answer = await visitor.get(path, headers={"X-Scope-OrgID": "t1"})
    assert (answer.status_code, answer.text, answer.headers.get("x-lane")) == (200, text, "yes")


@pytest.mark.parametrize(
    ("path", "text"),
    [("/things/typed/4/all", "5 GET"), ("/things/resolved?limit=7", "7"), ("/things/written", '{"a":1}')],
)
async def test_who_asks_for_more_is_left_to_fastapi(path, text):
    async with client(things()) as visitor:
        answer = await visitor.get(path)
    assert (answer.status_code, answer.text, "x-lane" in answer.headers) == (200, text, False)


@pytest.mark.parametrize("path", ["/things/parts//all", "/things/parts/a/b/all", "/things/parts/a", "/thing"])
async def test_what_matches_no_route_is_not_found(path):
    async with client(things()) as visitor:
        assert (await visitor.get(path)).status_code == 404
        assert (await visitor.delete("/things")).status_code == 405


class ShutGate(OpenGate):
    """Lets nobody in."""

    async def admit(self, request, permission):
        raise DeniedError(f"{permission} is missing")


async def test_a_lane_is_guarded_as_the_route_is():
    async with client(things(), gate=ShutGate()) as visitor:
        with pytest.raises(DeniedError, match=r"things\.read is missing"):
            await visitor.get("/things")


@pytest.mark.parametrize("where", ["router", "inclusion"])
async def test_a_guard_of_a_whole_router_is_not_passed_by(where):
    asked = []

    async def guard() -> None:
        asked.append(1)

    guards = [Depends(guard)]
    made = things(dependencies=guards) if where == "router" else things()
    async with client(made, **({"dependencies": guards} if where == "inclusion" else {})) as visitor:
        answer = await visitor.get("/things")
    assert (answer.status_code, asked, "x-lane" in answer.headers) == (200, [1], False)


async def test_requests_of_a_lane_are_counted_by_their_route(build_front, visit):
    seen = Permission("things.read", Role.VIEWER, "See things")
    wiring = Wiring("things", surfaces=(things(),), permissions=(seen,))
    registry = CollectorRegistry()
    visitor = visit(build_front(wiring=wiring, registry=registry))
    await visitor.get("/things/parts/one/all")
    labels = {"service": "holdfast", "method": "GET", "route": "/things/parts/{name}/all", "status": "200"}
    assert registry.get_sample_value("http_server_requests_total", labels) == 1
