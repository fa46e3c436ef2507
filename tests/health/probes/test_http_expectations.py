"""What the http kind expects of an answer, and how it says what it found instead."""

from __future__ import annotations

import pytest

from fixtures import peers
from fixtures.peers import answers, http
from health.probes.conftest import build
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import ConfigError, InvalidError

BODY = '{"status": "degraded", "checks": [{"ms": 12, "ok": true}, {"ms": 950, "ok": true}], "null": null}'


async def judge(ask, expect, *, answer=None):
    raw = answer or http(BODY, Content_Type="application/json", Server="nginx")
    async with peers.peer(answers(raw)) as port:
        return await ask("http", url=f"http://127.0.0.1:{port}/", expect=expect)


@pytest.mark.parametrize(
    "expect",
    [
        {"status": 200},
        {"status": ["3xx", "2xx"]},
        {"status": "199-201"},
        {"headers": [{"name": "server"}, {"name": "content-type", "matches": "json$"}]},
        {"headers": [{"name": "Server", "equals": "nginx"}, {"name": "X-Powered-By", "absent": True}]},
        {"body": {"contains": ["degraded", "checks"], "excludes": "error", "matches": r"\"ms\": \d+"}},
        {"json": [{"path": "$.status", "equals": "degraded"}, {"path": "$.checks[*].ok", "equals": True}]},
        {"json": [{"path": "$.checks[*].ms", "min": 12, "max": 950}, {"path": "$.gone", "exists": False}]},
        {"json": [{"path": "$['null']", "equals": None}, {"path": "$.checks[?@.ms > 900].ok"}]},
        {"json_schema": {"type": "object", "required": ["status"]}},
        {"json_schema": True},
        {"latency": {"warn": "10s", "crit": "20s"}},
    ],
)
async def test_an_answer_as_expected_is_up(ask, expect):
    seen = await judge(ask, expect)
    assert (seen.verdict, seen.message[:6]) == (Verdict.UP, "200 OK")


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"status": 204}, "expected status 204 No Content, found 200 OK"),
        ({"status": ["3xx", 404]}, "expected status 3xx or 404 Not Found, found 200 OK"),
        ({"headers": [{"name": "ETag"}]}, "expected a header ETag, found none"),
        (
            {"headers": [{"name": "Server", "equals": "caddy"}]},
            'expected header Server to be "caddy", found "nginx"',
        ),
        (
            {"headers": [{"name": "server", "matches": "^c"}]},
            'expected header server to match /^c/, found "nginx"',
        ),
        ({"headers": [{"name": "Server", "absent": True}]}, 'expected no header Server, found "nginx"'),
        (
            {"body": {"contains": "healthy"}},
            'expected the body to contain "healthy", found "{"status": "degraded", "checks"',
        ),
        (
            {"body": {"excludes": "degraded"}},
            'expected the body not to contain "degraded", found "{"status": "degraded", "checks"',
        ),
        ({"body": {"matches": "^ok$"}}, "expected the body to match /^ok$/, found"),
        (
            {"json": [{"path": "$.status", "equals": "ok"}]},
            'expected $.status to be "ok", found "degraded"',
        ),
        ({"json": [{"path": "$.checks[0].ok", "equals": 1}]}, "expected $.checks[0].ok to be 1, found true"),
        (
            {"json": [{"path": "$.checks[*].ms", "max": 500}]},
            "expected $.checks[*].ms to be at most 500, found 12, 950",
        ),
        ({"json": [{"path": "$.status", "min": 1}]}, 'expected $.status to be at least 1, found "degraded"'),
        (
            {"json": [{"path": "$.status", "matches": "^ok"}]},
            'expected $.status to be text that matches /^ok/, found "degraded"',
        ),
        ({"json": [{"path": "$.version"}]}, "expected a value at $.version, found none"),
        (
            {"json": [{"path": "$.status", "exists": False}]},
            'expected nothing at $.status, found "degraded"',
        ),
        (
            {"json_schema": {"properties": {"status": {"const": "ok"}}}},
            "expected JSON that obeys the schema, found at $.status: 'ok' was expected",
        ),
    ],
)
async def test_an_answer_not_as_expected_is_down_and_says_both(ask, expect, message):
    seen = await judge(ask, expect)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith(message)


async def test_all_that_is_wrong_is_said_in_one_line(ask):
    seen = await judge(
        ask,
        {"status": 200, "headers": [{"name": "a"}], "body": {"contains": "b"}, "latency": {"warn": "0s"}},
    )
    assert seen.verdict is Verdict.DOWN
    first, second, third = seen.message.split("; ")
    assert first == "expected a header a, found none"
    assert second.startswith('expected the body to contain "b"')
    assert third.startswith("expected a response time of at most 0 ms, found ")


async def test_slow_is_degraded_and_very_slow_is_down(ask):
    slow = await judge(ask, {"latency": {"warn": "0s", "crit": "10s"}})
    very_slow = await judge(ask, {"latency": {"crit": "0s"}})
    assert (slow.verdict, very_slow.verdict) == (Verdict.DEGRADED, Verdict.DOWN)


@pytest.mark.parametrize("body", ["<html>oops</html>", "", '{"a":', "NaN", "[" * 100_000])
async def test_a_body_that_is_not_json_is_said_once(ask, body):
    seen = await judge(
        ask,
        {"json": [{"path": "$.a"}, {"path": "$.b"}], "json_schema": {}},
        answer=http(body, "502 Bad Gateway"),
    )
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("expected status 2xx, found 502 Bad Gateway; expected JSON, found ")
    assert seen.message.count("expected JSON") == 1
    assert len(seen.message) < 200


async def test_text_is_decoded_in_the_charset_that_the_answer_names(ask):
    latin = http("grün".encode("latin-1"), Content_Type="text/plain; charset=ISO-8859-1")
    unknown = http("grün", Content_Type="text/plain; charset=klingon")
    for answer in (latin, unknown):
        assert (await judge(ask, {"body": {"contains": "grün"}}, answer=answer)).verdict is Verdict.UP


async def test_a_schema_cannot_make_us_fetch_another_document(ask):
    seen = await judge(ask, {"json_schema": {"$ref": "http://127.0.0.1:1/schema.json"}})
    assert seen.verdict is Verdict.UNKNOWN
    assert "refers to what it does not hold" in seen.message


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"url": "ftp://a/"}, "url", "expected a URL such as https://example.org/health"),
        ({"url": "/health"}, "url", "expected a URL such as https://example.org/health"),
        ({"url": "http://me:pw@a/"}, "url", "a URL must not carry credentials"),
        ({"url": "http://a/b c"}, "url", "a URL has no spaces"),
        ({"url": "http://a:99999/"}, "url", "Port out of range"),
        ({"url": "http://a/", "method": "get"}, "method", "a method is written in capital letters"),
        ({"url": "http://a/", "expect": {"status": ["2x"]}}, "expect.status[0]", "'2x' is not a status"),
        ({"url": "http://a/", "expect": {"latency": {"warn": 5}}}, "expect.latency.warn", "not a duration"),
        ({"url": "http://a/", "expect": {"sttus": 200}}, "expect.sttus", "unknown key 'sttus'"),
        ({"url": "http://a/", "auth": {}}, "auth", "write either basic or bearer"),
        ({"url": "http://a/", "expect": {"body": {"matches": "("}}}, "expect.body.matches[0]", "regular exp"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_field(fields, field, message):
    with pytest.raises(ConfigError) as caught:
        build("http", **fields)
    (problem,) = caught.value.problems
    assert problem.place.field == field
    assert message in str(problem)


@pytest.mark.parametrize(
    ("expect", "field", "message"),
    [
        ({"json": [{"path": "$.a"}, {"path": "status"}]}, "expect.json[1].path", "'status' is not a JSON path"),
        ({"json": [{"path": "$["}]}, "expect.json[0].path", "'$[' is not a JSON path"),
        ({"json_schema": {"type": "objekt"}}, "expect.json_schema", "not a JSON Schema"),
    ],
)
def test_a_malformed_expectation_is_refused_when_the_probe_is_built(expect, field, message):
    with pytest.raises(InvalidError) as caught:
        build("http", url="http://a/", expect=expect)
    assert caught.value.place.field == field
    assert message in str(caught.value)
