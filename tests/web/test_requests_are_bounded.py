"""Request bodies are bounded before and after decompression, and routes see plain bytes."""

from __future__ import annotations

import gzip
import zlib

import pytest
from backports import zstd
from fastapi import Request

from holdfast import web

LIMIT = 10_000
PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}


def routes(router):
    @router.post("/size", operation_id="size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @router.post("/sum", operation_id="sum")
    async def add(numbers: list[int]) -> int:
        return sum(numbers)


@pytest.fixture
def client(build_front, visit):
    return visit(build_front(routes, settings=web.WebSettings(max_body=LIMIT)))


async def pieces(*parts):
    for part in parts:
        yield part


async def test_a_body_up_to_the_limit_is_taken(client):
    assert (await client.post("/api/v1/size", content=b"x" * LIMIT)).json() == LIMIT


async def test_a_declared_body_above_it_is_refused_unread(client):
    answer = await client.post("/api/v1/size", content=b"x" * (LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["hint"] == "send less at once, or raise web.max_body"


@pytest.mark.parametrize("path", ["/api/v1/size", "/api/v1/sum"])
async def test_a_chunked_body_above_it_is_refused(client, path):
    answer = await client.post(path, content=pieces(*[b"x" * 1000] * 11))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("encoding", PACKERS)
async def test_a_compressed_body_is_unpacked(client, encoding):
    packed = PACKERS[encoding](b"[1, 2, 39]")
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    assert (await client.post("/api/v1/sum", content=packed, headers=headers)).json() == 42
    assert (await client.post("/api/v1/sum", content=pieces(packed[:5], packed[5:]), headers=headers)).json() == 42


@pytest.mark.parametrize("encoding", PACKERS)
async def test_a_bomb_is_refused(client, encoding):
    bomb = PACKERS[encoding](bytes(5_000_000))
    assert len(bomb) < LIMIT
    answer = await client.post("/api/v1/size", content=bomb, headers={"content-encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("encoding", PACKERS)
async def test_rubbish_is_refused_as_such(client, encoding):
    answer = await client.post("/api/v1/sum", content=b"[1]", headers={"content-encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_an_unknown_encoding_lists_the_known_ones(client):
    answer = await client.post("/api/v1/size", content=b"x", headers={"content-encoding": "br"})
    assert answer.status_code == 415
    assert "gzip" in answer.json()["hint"]


async def test_a_length_that_is_no_number_is_refused(client):
    assert (await client.post("/api/v1/size", content=b"x", headers={"content-length": "-1"})).status_code == 422


async def test_malformed_json_says_where(client):
    answer = await client.post("/api/v1/sum", content=b"[1,", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["place"]) == (422, {"field": "body"})
    assert "line 1 column 4" in answer.json()["detail"]
