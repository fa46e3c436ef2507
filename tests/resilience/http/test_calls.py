"""A call to another party: repeated only where that is safe, bounded, failing with a typed error without secrets."""

from __future__ import annotations

import gzip
import json
import threading

import httpx
import pytest

from holdfast.resilience import retry
from holdfast.resilience.http import (
    AnswerTooLarge,
    BadAnswer,
    ClientOptions,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PeerAway,
    PeerSlow,
    QuotaSpent,
    ServerFault,
    ServerUnavailable,
    StatusError,
    TooManyRequests,
    Unauthorized,
    redact_headers,
)

QUICK = retry(attempts=3, base_s=0)
AWAY = (503, {}, b"")


async def test_a_good_answer_comes_back_whole(client, peer):
    peer.script = [(200, {"Content-Type": "application/json"}, b'{"id": 7}')]
    async with client() as api:
        answer = await api.get("/orders/7", params={"with": "items"})
    assert (answer.status_code, answer.json()) == (200, {"id": 7})
    assert peer.heard[0].path == "/orders/7?with=items"


@pytest.mark.parametrize("verb", ["get", "put", "delete"])
async def test_what_is_idempotent_is_tried_again(client, peer, verb):
    peer.script = [AWAY, (0, {}, b""), (200, {}, b"")]
    async with client(policy=QUICK) as api:
        assert (await getattr(api, verb)("/orders/7")).status_code == 200
    assert len(peer.heard) == 3


async def test_a_post_is_not_repeated(client, peer):
    peer.script = [AWAY]
    async with client(policy=QUICK) as api:
        with pytest.raises(ServerUnavailable):
            await api.post("/orders", json={})
    assert len(peer.heard) == 1


async def test_a_post_with_a_key_is_repeated_with_the_same_key(client, peer):
    peer.script = [AWAY, AWAY, (201, {}, b"")]
    async with client(policy=QUICK, key_posts=True) as api:
        assert (await api.post("/orders", json={"item": "tea"})).status_code == 201
        await api.post("/orders", json={"item": "tea"})
    keys = [request.headers["idempotency-key"] for request in peer.heard]
    assert len(set(keys[:3])) == 1
    assert keys[3] != keys[0]
    assert {request.body for request in peer.heard} == {b'{"item":"tea"}'}


async def test_a_key_of_the_callers_own_is_sent(client, peer):
    async with client(policy=QUICK) as api:
        await api.post("/orders", json={}, idempotency_key="run-1:charge")
    assert peer.heard[0].headers["idempotency-key"] == "run-1:charge"


async def test_a_fault_of_the_caller_is_not_repeated(client, peer):
    peer.script = [(404, {}, b"")]
    async with client(policy=QUICK) as api:
        with pytest.raises(NotFound):
            await api.get("/orders/7")
    assert len(peer.heard) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (418, StatusError),
        (422, Invalid),
        (429, TooManyRequests),
        (500, ServerFault),
        (503, ServerUnavailable),
    ],
)
async def test_each_status_has_its_kind(client, peer, status, kind):
    peer.answer = lambda _: (status, {"Content-Type": "text/plain"}, b"no\ntea")
    async with client(policy=retry(attempts=1)) as api:
        with pytest.raises(kind, match=f"{status} .*: no tea") as caught:
            await api.get("/tea")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.body, caught.value.method) == (status, b"no\ntea", "GET")


async def test_a_problem_document_is_read(client, peer):
    problem = {"type": "https://shop.example/out-of-stock", "title": "Out of stock", "detail": "0 left", "item": "tea"}
    peer.script = [(409, {"Content-Type": "application/problem+json; charset=utf-8"}, json.dumps(problem).encode())]
    async with client() as api:
        with pytest.raises(Conflict, match="0 left") as caught:
            await api.post("/orders", json={})
    assert caught.value.problem.type == problem["type"]
    assert caught.value.problem.more == {"item": "tea"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_a_broken_problem_document_is_none(client, peer, body):
    peer.script = [(409, {"Content-Type": "application/problem+json"}, body)]
    async with client() as api:
        with pytest.raises(Conflict) as caught:
            await api.get("/orders")
    assert caught.value.problem is None


async def test_an_answer_that_is_too_large_is_not_read(client, peer):
    peer.script = [
        (200, {}, bytes(2000)),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(100_000))),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(900))),
    ]
    async with client(max_bytes=1000) as api:
        for _ in range(2):
            with pytest.raises(AnswerTooLarge, match="1000 bytes"):
                await api.get("/large")
        assert (await api.get("/large")).content == bytes(900)


async def test_nobody_there_is_a_connection_error(client):
    async with client(base_url="http://127.0.0.1:1", policy=retry(attempts=1)) as api:
        with pytest.raises(PeerAway) as caught:
            await api.get("/")
    assert isinstance(caught.value, ConnectionError)


async def test_no_answer_in_time_is_a_timeout(client, peer):
    release = threading.Event()

    def hang(_):
        release.wait(30)
        return 200, {}, b""

    peer.script = [hang]
    async with client(policy=retry(attempts=1), timeout_s=0.05) as api:
        with pytest.raises(PeerSlow) as caught:
            await api.get("/")
        release.set()
    assert isinstance(caught.value, TimeoutError)


async def test_what_is_no_http_is_a_bad_answer(client, peer):
    peer.script = [(200, {"Content-Encoding": "gzip"}, b"this is not gzip")]
    async with client(policy=QUICK) as api:
        with pytest.raises(BadAnswer):
            await api.get("/")


async def test_no_secret_stands_in_an_error(client, peer):
    peer.answer = lambda _: (404, {}, b"")
    address = peer.url.replace("http://", "http://ann:hunter2@")
    async with client(base_url=address) as api:
        with pytest.raises(NotFound) as caught:
            await api.get("/orders", params={"api_key": "hunter2", "access_token": "hunter2", "page": "2"})
    assert "hunter2" not in f"{caught.value} {caught.value.url}"
    assert "page=2" in caught.value.url


def test_headers_that_look_secret_are_masked():
    headers = httpx.Headers({"Authorization": "Bearer x", "X-Api-Key": "x", "Accept": "text/plain"})
    assert redact_headers(headers) == {"authorization": "***", "x-api-key": "***", "accept": "text/plain"}


async def test_interceptors_see_every_attempt_and_every_answer(client, peer):
    peer.script = [AWAY, (200, {}, b"")]
    seen = []

    def mark(request):
        request.headers["X-Shop"] = "tea"
        seen.append(("before", request.method))

    async with client(policy=QUICK, before=[mark], after=[lambda _, it: seen.append(it.status_code)]) as api:
        await api.get("/")
    assert seen == [("before", "GET"), 503, ("before", "GET"), 200]
    assert [request.headers["x-shop"] for request in peer.heard] == ["tea", "tea"]


async def test_calls_wait_until_the_quota_comes_back(client, peer, quick_clock):
    peer.script = [(200, {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "20"}, b"")]
    async with client() as api:
        for _ in range(3):
            await api.get("/")
    assert quick_clock.slept_s == [20.0]
    assert len(peer.heard) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": '"default";r=0;t=40'},
        {"RateLimit-Remaining": "0", "RateLimit-Reset": "40"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767225640"},
        {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "1767225640000"},
    ],
)
async def test_a_quota_that_stays_away_for_long_is_an_error_and_no_call(client, peer, headers):
    peer.script = [(200, headers, b"")]
    async with client(max_quota_wait_s=30) as api:
        await api.get("/")
        with pytest.raises(QuotaSpent) as caught:
            await api.get("/")
    assert caught.value.retry_after_s == pytest.approx(40)
    assert len(peer.heard) == 1


@pytest.mark.parametrize("told", ["7", "Thu, 01 Jan 2026 00:00:07 GMT"])
async def test_retry_after_is_obeyed(client, peer, quick_clock, told):
    peer.script = [(429, {"Retry-After": told}, b""), (200, {}, b"")]
    async with client(policy=retry(attempts=2, base_s=0, cap_s=60, clock=quick_clock)) as api:
        await api.get("/")
    assert sum(quick_clock.slept_s) == pytest.approx(7)


async def test_headers_of_limits_that_make_no_sense_are_ignored(client, peer):
    peer.script = [(200, {"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "soon", "RateLimit": "?"}, b"")]
    async with client() as api:
        await api.get("/")
        await api.get("/")
    assert len(peer.heard) == 2


@pytest.mark.parametrize("wrong", [{"timeout_s": 0}, {"max_bytes": 0}, {"max_quota_wait_s": -1}])
def test_options_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError):
        ClientOptions(**wrong)
