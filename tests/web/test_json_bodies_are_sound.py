"""JSON that nothing can keep is refused before a route has it, with where it stands and how it is mended."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi import Request

from holdfast.kernel.errors import InvalidError
from holdfast.web.json_bodies import MOST_DEPTH, demand_sound


def routes(router):
    @router.post("/echo", operation_id="echo")
    async def echo(given: dict[str, Any]) -> dict[str, Any]:
        return given

    @router.post("/raw", operation_id="raw")
    async def raw(request: Request) -> int:
        return len(await request.body())


@pytest.fixture
def client(build_front, visit):
    return visit(build_front(routes))


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "levels"),
        (nested(MOST_DEPTH + 1), f"nested deeper than {MOST_DEPTH} levels"),
        (b'{"a": NaN}', "NaN is no number in JSON"),
        (b'{"a": -Infinity}', "Infinity is no number in JSON"),
        (b'{"a": 1e999}', "line 1 column"),
        (b'{"a": ' + b"9" * 5000 + b"}", "infinity"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": 1', "line 1 column"),
        ('{"a": "😀", "b": NaN}'.encode(), "line 1 column"),
    ],
)
async def test_what_is_no_sound_json_is_refused_with_its_place(client, body, words):
    for media_type in ("application/json", "application/vnd.shop+json; charset=utf-8"):
        answer = await client.post("/api/v1/echo", content=body, headers={"content-type": media_type})
        told = answer.json()
        assert (answer.status_code, told["code"], told["place"]) == (422, "invalid", {"field": "body"})
        assert words.lower() in told["detail"].lower()
        assert told["hint"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"a": "b\\u0000"}', "body.a"),
        ('{"a": [1, {"b": ["\\u0000"]}]}', "body.a.1.b.0"),
        ('{"a": {"b\\u0000": 1}}', "body.a"),
        ('"\\u0000"', "body"),
        ('{"%s": "\\u0000"}' % ("k" * 5000), f"body.{'k' * 100}..."),
    ],
)
async def test_a_text_that_no_database_keeps_is_named(client, body, field):
    answer = await client.post("/api/v1/echo", content=body, headers={"content-type": "application/json"})
    told = answer.json()
    assert (answer.status_code, told["place"]) == (422, {"field": field})
    assert "NUL" in told["detail"]
    assert told["hint"]


@pytest.mark.parametrize("start", [b'{"a": "', b""])
def test_a_text_without_an_end_is_gone_through_once(start):
    begun_s = time.process_time()
    with pytest.raises(InvalidError):
        demand_sound(start + b'\\"' * 20_000)
    assert time.process_time() - begun_s < 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\\\u0000"}',
        nested(MOST_DEPTH),
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "' + b"[" * 200 + b'\\"NaN"}',
        b'{"a": "' + b"7" * 400 + b'"}',
        b'{"a": 18446744073709551615, "b": 1e300}',
        b'{"a": "\\ud83d\\ude00"}',
    ],
)
async def test_what_is_sound_is_left_as_it_is(client, body):
    demand_sound(body)
    answer = await client.post("/api/v1/echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text


async def test_other_bodies_are_the_routes_own(client):
    for media_type in ("text/plain", "application/x-protobuf", "application/jsonp"):
        answer = await client.post("/api/v1/raw", content=b"{NaN", headers={"content-type": media_type})
        assert answer.json() == 4
    assert (await client.post("/api/v1/raw", headers={"content-type": "application/json"})).json() == 0


async def test_a_body_that_is_declared_as_something_else_says_how_to_send_it(client):
    for headers in ({"content-type": "text/plain"}, {}):
        told = (await client.post("/api/v1/echo", content=b'{"a": 1}', headers=headers)).json()
        assert (told["status"], told["problems"][0]["place"]) == (422, {"field": "body"})
        assert told["hint"] == "send JSON, with Content-Type: application/json"
