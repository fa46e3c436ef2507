"""Answers are compressed as the client asks, except those that must flow or are too small to gain."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from backports import zstd
from fastapi import Response
from fastapi.responses import StreamingResponse

from holdfast.web.compression import choose_encoding

TEXT = "all is well " * 500
UNPACKERS = {"gzip": gzip.decompress, "zstd": zstd.decompress}


def routes(router):
    @router.get("/text", operation_id="text")
    async def text() -> list[str]:
        return [TEXT]

    @router.get("/long", operation_id="long")
    async def long() -> list[str]:
        return [TEXT] * 100

    @router.get("/small", operation_id="small")
    async def small() -> str:
        return "ok"

    @router.get("/picture", operation_id="picture")
    async def picture() -> Response:
        return Response(TEXT, media_type="image/png")

    @router.get("/packed", operation_id="packed")
    async def packed() -> Response:
        return Response(gzip.compress(TEXT.encode()), media_type="text/plain", headers={"content-encoding": "gzip"})

    @router.get("/pieces", operation_id="pieces")
    async def pieces() -> StreamingResponse:
        return StreamingResponse((TEXT for _ in range(3)), media_type="text/plain")

    @router.get("/events", operation_id="events")
    async def events() -> StreamingResponse:
        return StreamingResponse((f"data: {TEXT}\n\n" for _ in range(3)), media_type="text/event-stream")


@pytest.fixture
async def fetch(build_front, visit):
    client = visit(build_front(routes))

    async def fetch_raw(path, accepted):
        async with client.stream("GET", f"/api/v1{path}", headers={"accept-encoding": accepted}) as answer:
            return answer, b"".join([piece async for piece in answer.aiter_raw()])

    return fetch_raw


@pytest.mark.parametrize("encoding", UNPACKERS)
async def test_a_whole_answer_is_compressed_in_one_go(fetch, encoding):
    answer, body = await fetch("/text", encoding)
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["content-length"] == str(len(body))
    assert "accept-encoding" in answer.headers["vary"]
    assert UNPACKERS[encoding](body).decode() == f'["{TEXT}"]'
    assert len(body) < 200


@pytest.mark.parametrize("encoding", UNPACKERS)
async def test_so_is_a_large_one_which_others_need_not_wait_for(fetch, encoding):
    answers = await asyncio.gather(*(fetch("/long", encoding) for _ in range(3)))
    for answer, body in answers:
        assert answer.headers["content-length"] == str(len(body))
        assert json.loads(UNPACKERS[encoding](body)) == [TEXT] * 100


@pytest.mark.parametrize("encoding", UNPACKERS)
async def test_an_answer_in_pieces_is_compressed_as_it_comes(fetch, encoding):
    answer, body = await fetch("/pieces", encoding)
    assert answer.headers["content-encoding"] == encoding
    assert "content-length" not in answer.headers
    assert UNPACKERS[encoding](body).decode() == TEXT * 3


@pytest.mark.parametrize("path", ["/small", "/picture", "/events"])
async def test_these_are_left_alone(fetch, path):
    answer, _ = await fetch(path, "gzip, zstd")
    assert "content-encoding" not in answer.headers


async def test_what_is_compressed_already_is_not_compressed_again(fetch):
    answer, body = await fetch("/packed", "zstd")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).decode() == TEXT


async def test_nothing_is_compressed_for_who_does_not_ask(fetch):
    for accepted in ("identity", "br", "gzip;q=0"):
        answer, _ = await fetch("/text", accepted)
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (None, ""),
        (b"gzip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"zstd;q=0.5, gzip;q=0.9", "gzip"),
        (b"*", "zstd"),
        (b"*;q=0", ""),
        (b"zstd;q=0, *", "gzip"),
        (b"GZIP ; q=1", "gzip"),
        (b"gzip;q=nonsense", ""),
    ],
)
def test_the_client_is_asked_what_it_takes(accepted, chosen):
    assert choose_encoding(accepted) == chosen
