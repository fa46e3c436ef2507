"""Live tails over WebSocket on the real app, behind its real server."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

ALL = '{service_name=~".+"}'


async def push(url, *lines, service="orders", at_ns=None, tenant=None, **metadata):
    first_ns = at_ns or time.time_ns()
    values = [[str(first_ns + place), line, metadata] for place, line in enumerate(lines)]
    body = {"streams": [{"stream": {"service_name": service}, "values": values}]}
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post("/loki/api/v1/push", json=body, headers=headers)
    assert answer.status_code == 204, answer.text


@asynccontextmanager
async def tailing(url, query=ALL, headers=None, **parameters):
    asked = httpx.QueryParams({"query": query, **parameters})
    address = f"{url.replace('http', 'ws')}/loki/api/v1/tail?{asked}"
    async with connect(address, additional_headers=headers or {}, proxy=None, compression=None) as socket:
        yield socket


async def message(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 30))


async def lines(socket, count):
    found = []
    while len(found) < count:
        told = await message(socket)
        found += [(int(at), text) for each in told["streams"] for at, text, *_ in each["values"]]
    return [text for _, text in sorted(found)]


async def test_a_tail_gives_the_newest_lines_then_each_that_comes_once(serving):
    async with serving() as url:
        await push(url, "one", "two", "three")
        async with tailing(url, limit=2) as socket:
            assert await lines(socket, 2) == ["two", "three"]
            await push(url, "four", "five")
            assert await lines(socket, 2) == ["four", "five"]


async def test_what_is_followed_goes_through_the_whole_pipeline(serving):
    query = '{service_name="orders"} |= "n=" | logfmt | n > 1 | user="ann" | line_format "{{.n}}!"'
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    async with serving() as url, tailing(url, query, headers) as socket:
        await push(url, "n=3", service="mail", user="ann")
        await push(url, "n=1", "other", "level=warn n=2", user="ann")
        told = await message(socket)

    assert told["encodingFlags"] == ["categorize-labels"]
    [stream] = told["streams"]
    assert stream["stream"] == {"service_name": "orders"}
    [[_, text, kinds]] = stream["values"]
    assert text == "2!"
    assert kinds == {
        "structuredMetadata": {"user": "ann", "detected_level": "warn"},
        "parsed": {"level": "warn", "n": "2"},
    }


async def test_tenants_see_their_own_lines_only(serving):
    async with serving() as url, tailing(url, headers={"X-Scope-OrgID": "blue"}) as socket:
        await push(url, "red line", tenant="red")
        await push(url, "blue line", tenant="blue")
        assert await lines(socket, 1) == ["blue line"]


WRONG = (
    ({"query": ""}, "parse error"),
    ({"query": "{a="}, "parse error"),
    ({"query": 'count_over_time({a="b"}[1m])'}, "only log queries"),
    ({"query": '{a="b"} |~ "("'}, "regexp"),
    ({"delay_for": "6"}, "delay_for can't be greater than 5"),
    ({"limit": "0"}, "limit must be a positive value"),
    ({"limit": "5001"}, "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"),
    ({"start": "yesterday"}, "start"),
)


async def test_what_is_wrong_is_told_before_the_socket_opens(serving, subtests):
    async with serving() as url:
        for parameters, words in WRONG:
            with subtests.test(parameters=parameters):
                with pytest.raises(InvalidStatus) as refused:
                    async with tailing(url, **{"query": ALL, **parameters}):
                        pass
                answer = refused.value.response
                assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
                assert words in answer.body.decode()


async def test_the_start_of_a_tail_is_a_bound(serving):
    async with serving() as url:
        now_ns = time.time_ns()
        await push(url, "long ago", at_ns=now_ns - 7200 * 10**9)
        async with tailing(url) as socket:
            await push(url, "older than an hour", at_ns=now_ns - 7000 * 10**9)
            await push(url, "now", at_ns=now_ns)
            assert await lines(socket, 1) == ["now"]


async def test_a_stop_of_the_server_closes_tails_at_once(serving):
    async with serving() as url:
        sockets = [tailing(url) for _ in range(5)]
        opened = [await each.__aenter__() for each in sockets]
    for socket in opened:
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1012


async def test_pages_ask_for_labels_by_kind_in_the_address(serving):
    async with serving() as url, tailing(url, encoding="categorize-labels") as socket:
        await push(url, "one", user="ann")
        [stream] = (await message(socket))["streams"]
    assert stream["stream"] == {"service_name": "orders"}
    assert stream["values"][0][2]["structuredMetadata"]["user"] == "ann"


async def test_who_is_no_websocket_learns_why_it_would_not_open(serving):
    async with serving(log_tails={"max_tails": 0}) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get("/loki/api/v1/tail", params={"query": ALL})
        assert (answer.status_code, "max_tails" in answer.headers["x-holdfast-hint"]) == (429, True)
        answer = await client.get("/loki/api/v1/tail", params={"query": "{"})
        assert (answer.status_code, "parse error" in answer.text) == (400, True)
    async with serving() as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get("/loki/api/v1/tail", params={"query": ALL})
        assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


async def test_a_tail_gives_what_another_process_takes_in(serving, server_url):
    shared = {"telemetry": {"url": server_url}}
    async with (
        serving(server={"data": "one"}, **shared) as one,
        serving(server={"data": "other"}, **shared) as other,
        tailing(one, limit=10) as socket,
    ):
        await push(one, "here")
        await push(other, "there")
        assert sorted(await lines(socket, 2)) == ["here", "there"]
