"""Volumes, detected labels and fields, the version: what Grafana asks of Loki around a query."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import Line, arrival
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.api import surface
from holdfast.telemetry.logs.api.detected import DetectedRoutes, type_of
from holdfast.telemetry.logs.api.index import IndexRoutes
from holdfast.telemetry.logs.api.status import StatusRoutes
from holdfast.telemetry.logs.querying import LogEngine
from holdfast.web.assembly import build_app

S = 10**9
T0 = 1_780_000_000
RANGE = {"start": str(T0), "end": str(T0 + 100)}
SHOP = {"app": "shop", "service_name": "shop"}
MAIL = {"app": "mail", "service_name": "mail"}


@pytest.fixture
async def client():
    source = MemoryLogSource()
    sink = MemoryLogSink(source)
    lines = [
        Line((T0 + number) * S, f'{{"took":"{number}ms","n":{number},"ok":true,"user":{{"id":"u{number % 2}"}}}}', SHOP)
        for number in range(4)
    ]
    lines += [Line((T0 + 50) * S, "size=5KB ratio=0.5", MAIL, {"order": "o1"})]
    await sink.append(DEFAULT_TENANT, arrival(sink, lines))
    engine = LogEngine(source)
    routes = surface((IndexRoutes(source), DetectedRoutes(source, engine), StatusRoutes()))
    permissions = (Permission("logs.read", Role.VIEWER, "Read."),)
    wiring = Wiring("logs", surfaces=(routes,), permissions=permissions)
    app = build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/loki/api/v1") as client:
        yield client


async def ask(client, path, **parameters):
    answer = await client.get(path, params=RANGE | parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_stats_count_streams_lines_and_bytes(client):
    found = await ask(client, "/index/stats", query='{app="shop"}')
    assert (found["streams"], found["entries"]) == (1, 4)
    assert found["bytes"] == 4 * len('{"took":"0ms","n":0,"ok":true,"user":{"id":"u0"}}')
    assert (await ask(client, "/index/stats", query='{app="none"}'))["entries"] == 0


async def test_volumes_are_by_the_labels_asked_for(client):
    found = (await ask(client, "/index/volume", query='{app=~".+"}'))["data"]
    assert [row["metric"] for row in found["result"]] == [{"app": "shop"}, {"app": "mail"}]
    assert found["result"][1]["value"] == [T0 + 100, "18"]
    found = (await ask(client, "/index/volume", query='{app=~".+"}', targetLabels="service_name", limit=1))["data"]
    assert [row["metric"] for row in found["result"]] == [{"service_name": "shop"}]
    assert len((await ask(client, "/index/volume", query='{app=~".+"}', limit=0))["data"]["result"]) == 2
    refused = await client.get("/index/volume", params={**RANGE, "query": '{app=~".+"}', "aggregateBy": "hosts"})
    assert (refused.status_code, refused.text[:26]) == (400, "invalid aggregation option")
    found = (await ask(client, "/index/volume", query='{app=~".+"}', aggregateBy="labels"))["data"]
    assert [row["metric"] for row in found["result"]] == [{"app": ""}]


async def test_volumes_come_in_steps_too(client):
    found = (await ask(client, "/index/volume_range", query='{app="mail"}', step="10s"))["data"]
    last = {"metric": {"app": "mail"}, "values": [[T0 + 59.999, "18"]]}
    assert found == {"resultType": "matrix", "result": [last]}


async def test_steps_of_volumes_are_cut_at_their_multiples_and_bear_their_end(client):
    span = {"start": str(T0 + 1), "end": str(T0 + 55), "query": '{app=~".+"}', "step": "2s"}
    found = (await ask(client, "/index/volume_range", **span))["data"]["result"]
    size = len('{"took":"0ms","n":0,"ok":true,"user":{"id":"u0"}}')
    assert found[0]["values"] == [[T0 + 1.999, str(size)], [T0 + 3.999, str(2 * size)]]
    assert found[1]["values"] == [[T0 + 51.999, "18"]]
    found = (await ask(client, "/index/volume_range", **span | {"step": "1m"}))["data"]["result"]
    assert [row["values"][0][0] for row in found] == [T0 + 19.999, T0 + 55]


async def test_volumes_of_all_streams_are_by_all_their_labels(client):
    found = (await ask(client, "/index/volume", query="{}"))["data"]["result"]
    assert [row["metric"] for row in found] == [SHOP, MAIL]


async def test_streams_without_a_label_that_is_asked_for_have_no_volume(client):
    found = (await ask(client, "/index/volume", query='{app=~".+"}', targetLabels="host"))["data"]["result"]
    assert found == []
    found = (await ask(client, "/index/volume", query="{}", targetLabels="app"))["data"]["result"]
    assert [row["metric"] for row in found] == [{"app": "shop"}, {"app": "mail"}]


async def test_labels_are_told_with_their_cardinality(client):
    found = await ask(client, "/detected_labels")
    assert found["detectedLabels"] == [
        {"label": "app", "cardinality": 2},
        {"label": "service_name", "cardinality": 2},
    ]
    found = await ask(client, "/detected_labels", query='{app="shop"}')
    assert {row["cardinality"] for row in found["detectedLabels"]} == {1}


async def test_fields_are_found_in_lines_and_metadata(client):
    found = await ask(client, "/detected_fields", query='{app=~".+"}')
    fields = {row["label"]: (row["type"], row["cardinality"], row["parsers"]) for row in found["fields"]}
    assert fields.pop("detected_level")[0] == "string"
    assert fields == {
        "took": ("duration", 4, ["json"]),
        "n": ("int", 4, ["json"]),
        "ok": ("boolean", 1, ["json"]),
        "user_id": ("string", 2, ["json"]),
        "size": ("bytes", 1, ["logfmt"]),
        "ratio": ("float", 1, ["logfmt"]),
        "order": ("string", 1, None),
    }
    paths = {row["label"]: row["jsonPath"] for row in found["fields"] if "jsonPath" in row}
    assert paths == {"took": ["took"], "n": ["n"], "ok": ["ok"], "user_id": ["user", "id"]}
    found = await ask(client, "/detected_field/user_id/values", query='{app="shop"}')
    assert found["values"] == ["u0", "u1"]


async def test_errors_of_parsers_are_no_fields(client):
    found = await ask(client, "/detected_fields", query='{app="mail"} | json')
    assert {row["label"] for row in found["fields"]} == {"size", "ratio", "order", "detected_level"}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"query": '{app="shop"}', "line_limit": "0"}, "limit must be a positive value"),
        ({"query": 'rate({app="shop"}[1m])'}, "only log selector is supported"),
    ],
)
async def test_fields_are_those_of_lines(client, parameters, told):
    answer = await client.get("/detected_fields", params=RANGE | parameters)
    assert (answer.status_code, answer.text) == (400, told)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("5", "int"),
        ("-5", "int"),
        ("5.0", "float"),
        ("1e3", "float"),
        ("true", "boolean"),
        ("F", "boolean"),
        ("1_000", "string"),
        ("5m", "duration"),
        ("5KB", "bytes"),
        ("x", "string"),
        ("", "string"),
        ("b", "string"),
    ],
)
def test_types_are_the_narrowest(text, kind):
    assert type_of(text) == kind


async def test_the_version_is_told(client):
    assert (await ask(client, "/status/buildinfo"))["version"].startswith("3.")


async def test_a_missing_query_is_named(client):
    answer = await client.get("/index/stats", params=RANGE)
    assert (answer.status_code, "query" in answer.text) == (400, True)


async def test_the_limits_that_drilldown_asks_for_are_told(client):
    found = await ask(client, "/drilldown-limits")
    assert found["pattern_ingester_enabled"]
    assert found["limits"]["volume_enabled"]
    assert found["limits"]["max_entries_limit_per_query"] == 5000
    assert found["limits"]["query_timeout"] == "1m"


async def test_there_are_no_rules_over_logs(client):
    answer = await client.get("/rules")
    assert (answer.status_code, answer.text) == (200, "{}\n")
