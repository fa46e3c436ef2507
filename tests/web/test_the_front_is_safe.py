"""Browsers are told to be careful, foreign names are refused, broken code leaks nothing, no route is left open."""

from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from holdfast import web
from holdfast.kernel.auth import Identity, OpenGate, Permission, Role, public, requires
from holdfast.kernel.wiring import Wiring


def routes(router):
    @router.get("/fine", operation_id="fine")
    async def fine() -> str:
        return "ok"

    @router.get("/broken", operation_id="broken")
    async def broken() -> str:
        raise ZeroDivisionError("the password is hunter2")


async def test_every_answer_carries_the_careful_headers(build_front, visit):
    client = visit(build_front(routes))
    for path in ("/api/v1/fine", "/api/v1/broken", "/api/v1/nothing", "/livez", "/"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        is_data = headers["content-type"] == "application/json"  # what browsers never show as a page
        assert headers.get("x-frame-options") == (None if is_data else "DENY")
        assert headers.get("referrer-policy") == (None if is_data else "same-origin")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers
        assert headers["x-correlation-id"]
    assert (await client.get("/api/v1/fine")).headers["cache-control"] == "no-store"
    assert (await client.get("https://localhost/livez")).headers["strict-transport-security"]


async def test_broken_code_answers_with_a_correlation_id_and_nothing_else(build_front, visit, caplog):
    answer = await visit(build_front(routes)).get("/api/v1/broken", headers={"x-correlation-id": "abc-123"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"] == "abc-123"
    assert "hunter2" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:4653", 200),
        ("127.0.0.1:4653", 200),
        ("[::1]:4653", 200),
        ("demo.localhost:4653", 200),
        ("status.example", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ],
)
async def test_on_loopback_only_known_names_are_answered(build_front, visit, host, status):
    front = build_front(routes, hosts=web.hosts_to_answer("127.0.0.1", ("status.example",)))
    assert (await visit(front).get("/api/v1/fine", headers={"host": host})).status_code == status


async def test_beyond_loopback_every_name_is_answered_unless_some_are_set(build_front, visit):
    assert web.hosts_to_answer("0.0.0.0", ()) == frozenset()
    front = build_front(routes, hosts=web.hosts_to_answer("0.0.0.0", ("status.example",)))
    client = visit(front)
    assert (await client.get("/api/v1/fine", headers={"host": "status.example"})).status_code == 200
    assert (await client.get("/api/v1/fine", headers={"host": "localhost"})).status_code == 403


def test_a_route_without_a_permission_stops_the_start(build_front):
    router = APIRouter()

    @router.get("/forgotten", operation_id="forgotten")
    async def forgotten() -> str:
        return "everything"

    with pytest.raises(RuntimeError, match="/api/v1/forgotten asks for no permission"):
        build_front(wiring=Wiring("x", routers=(router,)))


def test_a_route_with_an_undeclared_permission_stops_the_start(build_front):
    router = APIRouter()

    @router.get("/thing", operation_id="thing")
    async def thing(_: Annotated[Identity, Depends(requires("thing.sea"))]) -> str:
        return "ok"

    declared = (Permission("thing.see", Role.VIEWER, "See the thing."),)
    with pytest.raises(RuntimeError, match=r"'thing\.sea', which no room declares"):
        build_front(wiring=Wiring("x", routers=(router,), permissions=declared))


async def test_a_wrong_method_is_told_from_a_wrong_path(build_front, visit):
    client = visit(build_front(routes))
    assert (await client.delete("/api/v1/fine")).status_code == 405
    assert (await client.get("/api/v1/fine/")).status_code == 404
    assert (await client.post("/nothing")).status_code == 404


async def test_a_crowd_is_told_to_come_back(build_front, visit):
    barrier, leave = asyncio.Barrier(4), asyncio.Event()

    def waiting(router):
        @router.get("/wait", operation_id="wait")
        async def wait() -> str:
            await barrier.wait()
            await leave.wait()
            return "done"

    client = visit(build_front(waiting, settings=web.WebSettings(max_requests=3)))
    inside = [asyncio.create_task(client.get("/api/v1/wait")) for _ in range(3)]
    await barrier.wait()
    refused = await client.get("/api/v1/nothing")
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "busy", "1")
    leave.set()
    assert [(await answer).status_code for answer in inside] == [200] * 3
    assert (await client.get("/livez")).status_code == 200


async def test_machines_are_told_of_only_when_they_fail_or_wait(build_front, visit, monkeypatch):
    machines = APIRouter(dependencies=[Depends(public("a test's own"))])

    @machines.get("/protocol/{status}", operation_id="protocol")
    @machines.get("/api/v1/door", operation_id="door")
    async def protocol(status: int = 200) -> Response:
        return Response(status_code=status)

    wiring = Wiring("machines", surfaces=(machines,), doors={"/api/v1/door": "logs"})
    client = visit(build_front(routes, wiring=wiring))

    async def levels():
        paths = ("/api/v1/fine", "/api/v1/door", "/protocol/200", "/protocol/404", "/protocol/500", "/livez", "/")
        with capture_logs() as lines:
            for path in paths:
                await client.get(path)
        return [line["log_level"] for line in lines if line["event"] == "request"]

    assert await levels() == ["info", "debug", "debug", "info", "warning", "debug", "debug"]
    monkeypatch.setattr("holdfast.web.fence._SLOW_S", 0.0)
    assert await levels() == ["info", "info", "info", "info", "warning", "info", "info"]


async def test_requests_are_measured(build_front, visit):
    registry = CollectorRegistry()
    client = visit(build_front(routes, registry=registry, gate=OpenGate()))
    await client.get("/api/v1/fine")
    labels = {"service": "holdfast", "method": "GET", "route": "/api/v1/fine", "status": "200"}
    assert registry.get_sample_value("http_server_requests_total", labels) == 1
