"""Calls to other services: what is repeated, what is refused, what is known afterwards."""

import asyncio
from collections.abc import Callable

import pytest
from shop_harness import listening
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from holdfast import journal
from shop.chassis import FaultPlan, Faults
from shop.peers import Peer, PeerUnavailable
from shop.peers import http as peers_http


class Stub:
    """A service that answers what a test tells it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[int], Response] = lambda count: JSONResponse({"count": count})
        self.app = Starlette(routes=[Route("/{path:path}", self._handle, methods=["GET", "POST"])])

    async def _handle(self, request: Request) -> Response:
        if request.url.path == "/livez":
            return JSONResponse({"status": "ok"})
        self.requests.append(request)
        return self.answer(len(self.requests))


@pytest.fixture
async def stub():
    stub = Stub()
    async with listening(stub.app) as url:
        stub.url = url
        yield stub


@pytest.fixture
async def peer(stub: Stub):
    peer = Peer("stub", stub.url, Faults(), deadline_s=1.0)
    yield peer
    await peer.close()


async def test_a_read_is_repeated_until_it_succeeds(stub: Stub, peer: Peer) -> None:
    stub.answer = lambda count: Response(status_code=503) if count < 3 else JSONResponse({"count": count})
    assert (await peer.get("/thing")).json() == {"count": 3}


async def test_a_write_is_never_repeated(stub: Stub, peer: Peer) -> None:
    stub.answer = lambda _count: JSONResponse({"code": "no"}, 502, media_type="application/problem+json")
    with pytest.raises(PeerUnavailable) as failed:
        await peer.send("POST", "/thing", json={})
    assert len(stub.requests) == 1
    assert failed.value.may_have_happened
    assert failed.value.answer is not None
    assert failed.value.answer.is_problem


async def test_a_refusal_is_an_answer(stub: Stub, peer: Peer) -> None:
    stub.answer = lambda _count: Response(status_code=404)
    assert (await peer.get("/thing")).status == 404
    assert len(stub.requests) == 1


async def test_nobody_there_is_known_to_have_done_nothing() -> None:
    peer = Peer("nobody", "http://127.0.0.1:1", Faults())
    with pytest.raises(PeerUnavailable, match="cannot connect") as failed:
        await peer.send("POST", "/thing", json={})
    assert not failed.value.may_have_happened
    await peer.close()


async def test_a_silent_peer_is_left_alone_for_a_while() -> None:
    peer = Peer("nobody", "http://127.0.0.1:1", Faults())
    for _ in range(5):
        with pytest.raises(PeerUnavailable, match="cannot connect"):
            await peer.send("POST", "/thing", json={})
    with pytest.raises(PeerUnavailable, match="breaker 'nobody' is open"):
        await peer.send("POST", "/thing", json={})
    await peer.close()


async def test_a_peer_that_answers_503_is_heard_each_time(stub: Stub, peer: Peer) -> None:
    stub.answer = lambda _count: Response(status_code=503)
    for _ in range(8):
        with pytest.raises(PeerUnavailable, match="answered 503"):
            await peer.send("POST", "/thing", json={})
    assert len(stub.requests) == 8


async def test_a_peer_that_hangs_may_have_done_it(stub: Stub) -> None:
    async def hang(_request: Request) -> Response:
        await asyncio.sleep(0.5)
        return Response()

    stub.app.router.routes.insert(0, Route("/slow", hang, methods=["POST"]))
    peer = Peer("stub", stub.url, Faults(), deadline_s=0.1)
    with pytest.raises(PeerUnavailable) as failed:
        await peer.send("POST", "/slow")
    assert failed.value.may_have_happened
    await peer.close()


async def test_an_endless_answer_is_cut_off(stub: Stub, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_http, "ANSWER_LIMIT_BYTES", 1000)
    stub.answer = lambda _count: Response(b"x" * 5000)
    with pytest.raises(PeerUnavailable, match="larger than 1000 bytes"):
        await peer.send("POST", "/thing")


async def test_a_dead_dependency_really_refuses_and_comes_back(stub: Stub) -> None:
    faults = Faults()
    peer = Peer("stub", stub.url, faults)
    await faults.apply(FaultPlan(dead_dependency="stub"))
    with pytest.raises(PeerUnavailable, match="cannot connect"):
        await peer.send("POST", "/thing")
    with pytest.raises(PeerUnavailable):
        await peer.dependency().probe()
    await faults.heal()
    assert (await peer.send("POST", "/thing")).status == 200
    await peer.dependency().probe()
    await peer.close()


async def test_correlation_and_trace_go_along(stub: Stub, peer: Peer) -> None:
    with journal.bind(correlation_id="cor-17"):
        await peer.get("/thing")
    assert stub.requests[0].headers["x-correlation-id"] == "cor-17"
