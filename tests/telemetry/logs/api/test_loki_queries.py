"""Queries over HTTP as Grafana's Loki data source asks them."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import Line, arrival
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.api import surface
from holdfast.telemetry.logs.api.parameters import parse_time_ns
from holdfast.telemetry.logs.api.queries import QueryRoutes
from holdfast.telemetry.logs.api.series import SeriesRoutes
from holdfast.telemetry.logs.querying import LogEngine
from holdfast.web.assembly import build_app

S = 10**9
T0 = 1_780_000_000
RANGE = {"start": str(T0), "end": str(T0 + 100)}
SHOP = {"app": "shop", "service_name": "shop"}


@pytest.fixture
async def client():
    source = MemoryLogSource()
    sink = MemoryLogSink(source)
    lines = [Line((T0 + number) * S, f"level=info n={number}", SHOP, {"user": f"u{number % 2}"}) for number in range(4)]
    await sink.append("default", arrival(sink, [*lines, Line((T0 + 9) * S, "mail", {"service_name": "mail"})]))
    routes = surface((QueryRoutes(LogEngine(source)), SeriesRoutes(source)))
    permissions = (Permission("logs.read", Role.VIEWER, "Read."),)
    app = build_app(
        [Wiring("logs", surfaces=(routes,), permissions=permissions)], gate=OpenGate(), registry=CollectorRegistry()
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/loki/api/v1") as client:
        yield client


async def data(client, path, headers=None, **parameters):
    answer = await client.get(path, params=RANGE | parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_lines_come_by_stream_newest_first(client):
    found = await data(client, "/query_range", query='{app="shop"}', limit=3)

    assert found["resultType"] == "streams"
    assert found["stats"]["summary"]["totalLinesProcessed"] == found["stats"]["store"]["decompressedLines"] == 3
    assert found["result"] == [
        {
            "stream": {**SHOP, "user": "u0", "detected_level": "info"},
            "values": [[str((T0 + 2) * S), "level=info n=2"]],
        },
        {
            "stream": {**SHOP, "user": "u1", "detected_level": "info"},
            "values": [[str((T0 + 3) * S), "level=info n=3"], [str((T0 + 1) * S), "level=info n=1"]],
        },
    ]


async def test_grafana_gets_labels_by_kind(client):
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    found = await data(client, "/query_range", headers, query='{app="shop"} |= "n=1" | logfmt', direction="forward")

    assert found["encodingFlags"] == ["categorize-labels"]
    kinds = {
        "structuredMetadata": {"user": "u1", "detected_level": "info"},
        "parsed": {"level": "info", "n": "1"},
    }
    assert found["result"] == [{"stream": SHOP, "values": [[str((T0 + 1) * S), "level=info n=1", kinds]]}]


async def test_a_renamed_label_is_one_that_a_stage_has_made(client):
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    query = (
        '{app="shop"} |= "n=1" | logfmt n | label_format place=app, who=user, number=n, new="x" | drop detected_level'
    )
    found = await data(client, "/query_range", headers, query=query)

    kinds = {"parsed": {"place": "shop", "who": "u1", "number": "1", "new": "x"}}
    stream = {"service_name": "shop"}
    assert found["result"] == [{"stream": stream, "values": [[str((T0 + 1) * S), "level=info n=1", kinds]]}]


async def test_numbers_over_a_range_are_a_matrix(client):
    found = await data(client, "/query_range", query='count_over_time({app="shop"}[10s])', step="50", end=str(T0 + 50))

    assert (found["resultType"], found["result"][0]["values"]) == ("matrix", [[T0, "1"]])


@pytest.mark.parametrize("step", ["20", "20s", "20.0", "20000ms"])
async def test_the_moments_of_a_range_are_multiples_of_the_step(client, step):
    asked = {"start": str(T0 + 1), "end": str(T0 + 41), "step": step, "query": "vector(1)"}
    found = await data(client, "/query_range", **asked)

    assert [at for at, _ in found["result"][0]["values"]] == [T0, T0 + 20, T0 + 40, T0 + 60]


async def test_a_time_to_come_is_not_looked_back_from(client):
    ahead = {"start": "", "end": "2100-01-01T00:00:00Z", "since": "100y"}
    found = await data(client, "/query_range", query='{app="shop"}', **ahead)

    assert sum(len(each["values"]) for each in found["result"]) == 4


async def test_numbers_at_a_moment_are_a_vector(client):
    query = 'sum by (user) (count_over_time({app="shop"}[1m]))'
    found = await data(client, "/query", query=query, time=str(T0 + 10))

    assert found["resultType"] == "vector"
    assert found["result"] == [
        {"metric": {"user": "u0"}, "value": [T0 + 10, "2"]},
        {"metric": {"user": "u1"}, "value": [T0 + 10, "2"]},
    ]


async def test_the_health_check_of_grafana_is_answered(client):
    found = await data(client, "/query", query="vector(1)+vector(1)", time=str(T0))

    assert found["result"] == [{"metric": {}, "value": [T0, "2"]}]


async def test_lines_may_be_thinned_out(client):
    found = await data(client, "/query_range", query='{app="shop"} | user!="" | drop user', interval="2s", limit=2)
    assert [line for each in found["result"] for _, line in each["values"]] == ["level=info n=3", "level=info n=1"]


async def test_a_query_is_formatted(client):
    query = '{app = "shop"}|="a"   | json'
    for answer in (
        await client.get("/format_query", params={"query": query}),
        await client.post("/format_query", data={"query": query}),
    ):
        assert answer.json() == {"status": "success", "data": '{app="shop"} |= "a" | json'}


async def test_what_is_no_query_cannot_be_formatted(client):
    answer = await client.get("/format_query", params={"query": "{app="})
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid-query")
    assert "parse error" in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("1e-9 * 1", "0.000000001"),
        ("1e22 * 1", "1" + "0" * 22),
        ("1 / 0", "NaN"),
        ("1 / 4", "0.25"),
        ("2 ^ 2000", "+Inf"),
    ],
)
async def test_values_are_written_without_exponents_and_times_to_the_millisecond(client, query, value):
    found = await data(client, "/query", query=query, time=f"{T0}.123456")

    assert found["result"] == [T0 + 0.123, value]


async def test_what_there_is_is_told(client):
    assert await data(client, "/labels") == ["app", "service_name"]
    assert await data(client, "/label/service_name/values") == ["mail", "shop"]
    assert await data(client, "/label/service_name/values", query='{app="shop"}') == ["shop"]
    assert await data(client, "/series", **{"match[]": '{app="shop"}'}) == [SHOP]


async def test_a_form_is_read_like_a_query_string(client):
    answer = await client.post("/query_range", data={"query": '{app="shop"}', **RANGE})

    assert len(answer.json()["data"]["result"]) == 2


@pytest.mark.parametrize(
    ("path", "parameters", "told"),
    [
        ("/query_range", {"query": '{app="shop"'}, "parse error at line 1, col 12"),
        ("/query_range", {}, "parse error"),
        ("/query", {"query": '{app="shop"}'}, "log queries are not supported as an instant query type"),
        ("/query_range", {"query": '{a="b"}', "start": "yesterday"}, "could not parse 'start' parameter"),
        ("/query_range", {"query": '{a="b"}', "end": "1"}, "end timestamp must not be before"),
        ("/query_range", {"query": '{a="b"}', "limit": "-1"}, "limit must be a positive value"),
        ("/query_range", {"query": '{a="b"}', "limit": "0"}, "limit must be a positive value"),
        ("/query_range", {"query": '{a="b"} | line_format "{{"'}, "template: line:1: unclosed action"),
        ("/query_range", {"query": '{a="b"}', "limit": "999999"}, "max entries limit"),
        ("/query_range", {"query": '{a="b"}', "direction": "Up"}, "invalid direction 'Up'"),
        ("/query_range", {"query": 'rate({a="b"}[1m])', "step": "0"}, "zero or negative"),
        ("/query_range", {"query": 'rate({a="b"}[1m])', "step": "x"}, "duration"),
        ("/query_range", {"query": '{a="b"} |~ "("'}, "("),
        ("/query_range", {"query": '{a="b"}', "interval": "-1"}, "interval must be >= 0"),
        ("/query_range", {"query": 'rate({a="b"}[1m])', "step": "1ms"}, "exceeded maximum resolution of 11,000 points"),
        ("/query", {"query": '{a="b"}'}, "log queries are not supported as an instant query type"),
        ("/series", {"match[]": '{a="b"} |= "c"'}, "only label matchers is supported"),
        ("/series", {"match[]": 'rate({a="b"}[1m])'}, "only label matchers is supported"),
        ("/query_range", {"query": '{a="b"}', "limit": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("/query_range", {"query": '{a="b"}', "step": "x"}, 'cannot parse "x" to a valid duration'),
        ("/query_range", {"query": '{a="b"}', "since": "x"}, "could not parse 'since' parameter: not a valid duration"),
        ("/query_range", {"query": "{", "end": "1"}, "end timestamp must not be before"),
        ("/query", {"query": "1", "limit": "0"}, "limit must be a positive value"),
        ("/query", {"query": "1", "direction": "x"}, "invalid direction 'x'"),
        ("/query", {"query": "1", "time": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("/labels", {"query": '{a="b"} |= '}, "parse error at line 1, col 12: syntax error: unexpected $end"),
        ("/label/a/values", {"query": "nonsense"}, "parse error"),
    ],
)
async def test_a_wrong_request_is_refused_in_words(client, path, parameters, told):
    answer = await client.get(path, params=RANGE | parameters)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert told in answer.text


async def test_without_a_selector_all_streams_are_given(client):
    assert (await client.get("/series", params=RANGE)).json()["data"] == [SHOP, {"service_name": "mail"}]


async def test_the_body_of_an_error_is_lokis_and_our_hint_is_in_a_header(client):
    answer = await client.get("/query_range", params=RANGE | {"query": '{a="b"}', "limit": "5001"})

    assert answer.text == "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"
    assert answer.headers["x-holdfast-hint"] == "ask for fewer lines at once, or raise log_queries.max_entries"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1780000000", 1_780_000_000 * S),
        ("1780000000.5", 1_780_000_000 * S + S // 2),
        ("1780000000123456789", 1_780_000_000_123_456_789),
        ("2026-05-28T20:26:40Z", 1_780_000_000 * S),
        ("2026-05-28T20:26:40.123456789Z", 1_780_000_000_123_456_789),
        ("2026-05-28T22:26:40+02:00", 1_780_000_000 * S),
        ("2026-05-28T20:26:40", None),
        ("NaN", None),
        ("1e30", None),
        ("", None),
    ],
)
def test_times_are_read_in_every_form(text, expected):
    assert parse_time_ns(text) == expected
