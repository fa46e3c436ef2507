"""The real app gives traces at `/api/v1/traces`: searched page by page, whole as columns, services, map."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fixtures.traces import MS, NOW_NS, Row, otlp, span_id, trace_id
from holdfast.telemetry.traces import SpanKind, SpanStatus

START = datetime.fromtimestamp(NOW_NS / 1e9 - 60, UTC).isoformat()
END = datetime.fromtimestamp(NOW_NS / 1e9 + 3000, UTC).isoformat()
TIME = {"start": START, "end": END}
KINDS = {SpanKind.SERVER: 2, SpanKind.CLIENT: 3, SpanKind.PRODUCER: 4, SpanKind.CONSUMER: 5}
ROWS = [
    Row(1, 11, name="GET /cart", length_ms=120, attributes={"http.route": "/cart"}, resource={"host.name": "a"}),
    Row(1, 12, 11, "shop", "call", 10, 90, SpanKind.CLIENT, resource={"host.name": "a"}),
    Row(1, 13, 12, "cart", "load", -400, 50, SpanKind.SERVER, SpanStatus.ERROR, resource={"host.name": "b"}),
    Row(1, 14, 13, "cart", "SELECT", -390, 20, SpanKind.CLIENT, attributes={"db.system": "mysql", "db.name": "carts"}),
    Row(2, 21, name="POST /order", start_ms=1000, length_ms=30),
    Row(2, 22, 21, "shop", "send", 1001, 5, SpanKind.PRODUCER, attributes={"messaging.destination.name": "orders"}),
    Row(2, 23, 22, "mail", "take", 1100, 9, SpanKind.CONSUMER, attributes={"messaging.destination.name": "orders"}),
    *(Row(number, number * 10, start_ms=number * 1000) for number in range(3, 8)),
]


async def get(client: Any, path: str, expected: int = 200, /, **query: Any) -> Any:
    answer = await client.get(f"/api/v1/traces{path}", params=query)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_traces_are_searched_and_read(running) -> None:
    async with running() as client:
        assert (await client.post("/v1/traces", json=otlp(ROWS))).status_code == 200
        seen, cursor = [], ""
        while True:
            page = await get(client, "", limit=3, cursor=cursor, **TIME)
            seen += [int(line["trace_id"], 16) for line in page["items"]]
            if not (cursor := page["next"] or ""):
                break
        assert seen == [7, 6, 5, 4, 3, 2, 1]
        (line,) = (await get(client, "", service="cart", status="error", kind="server", **TIME))["items"]
        assert (line["root_service"], line["root_name"], line["spans"], line["errors"]) == ("shop", "GET /cart", 4, 1)
        assert line["services"] == [{"name": "cart", "spans": 2}, {"name": "shop", "spans": 2}]
        for query in ({"attribute": "http.route=/cart"}, {"min_duration": "100ms"}, {"operation": "load"}):
            assert [int(line["trace_id"], 16) for line in (await get(client, "", **query, **TIME))["items"]] == [1]
        assert (await get(client, "", max_duration="1us", **TIME))["items"] == []

        trace = await get(client, f"/{trace_id(1)}")
        columns = trace["spans"]
        assert [trace["names"][place] for place in columns["names"]] == ["GET /cart", "call", "load", "SELECT"]
        assert columns["parents"] == [-1, 0, 1, 2]
        assert [start // MS for start in columns["starts_ns"]] == [0, 10, 30, 40]
        assert [skew // MS for skew in columns["skews_ns"]] == [0, 0, 430, 430]
        assert [own // MS for own in columns["self_ns"]] == [30, 40, 30, 20]
        assert columns["self_ns"] == columns["critical_ns"]
        assert columns["events"] == [1, 1, 1, 1]
        assert trace["marks"]["rows"] == [0, 1, 2, 3]
        assert [at // MS for at in trace["marks"]["offsets_ns"]] == [0, 10, 30, 40]
        assert (trace["count"], trace["errors"], trace["duration_ns"], trace["root"]) == (4, 1, 120 * MS, 0)
        assert [warning["code"] for warning in trace["warnings"]] == ["clock_skew"]
        assert len({len(column) for column in columns.values()}) == 1

        (span,) = await get(client, f"/{trace_id(1)}/spans/{span_id(11)}")
        assert span["attributes"] == {"http.route": "/cart"}
        assert span["resource"]["host.name"] == "a"
        assert span["events"] == [{"name": "retry", "offset_ns": 7, "attributes": {"attempt": "2"}}]


async def test_services_operations_and_the_map_tell_calls_errors_and_durations(running) -> None:
    async with running() as client:
        assert (await client.post("/v1/traces", json=otlp(ROWS))).status_code == 200
        services = {each["name"]: each for each in (await get(client, "/services", **TIME))["items"]}
        assert sorted(services) == ["cart", "mail", "shop"]
        assert services["cart"]["spans"] == 2
        assert services["cart"]["rates"] == {"calls": 1, "errors": 1, "p50_ms": 50, "p95_ms": 50, "p99_ms": 50}
        operations = (await get(client, "/operations", service="cart", **TIME))["items"]
        assert [(each["name"], each["kind"]) for each in operations] == [("SELECT", "client"), ("load", "server")]
        found = await get(client, "/map", **TIME)
        edges = {(each["source"], each["target"], each["connection"]): each["rates"] for each in found["edges"]}
        assert sorted(edges) == [
            ("cart", "mysql/carts", "database"),
            ("orders", "mail", "from_topic"),
            ("shop", "cart", "call"),
            ("shop", "orders", "to_topic"),
        ]
        assert edges["shop", "cart", "call"] == {"calls": 1, "errors": 1, "p50_ms": 50, "p95_ms": 50, "p99_ms": 50}
        nodes = {each["name"]: each["type"] for each in found["nodes"]}
        assert nodes["orders"] == "messaging"
        assert nodes["mysql/carts"] == "database"
        assert found["share"] == 1


async def test_bad_questions_are_told_what_is_wrong(running) -> None:
    async with running() as client:
        for query, told in (
            ({"attribute": "x"}, "attribute"),
            ({"min_duration": "soon"}, "min_duration"),
            ({"start": END, "end": START}, "start"),
            ({"start": "1960-01-01T00:00:00Z"}, "1970"),
            ({"cursor": "x"}, "cursor"),
            ({"limit": 0}, "limit"),
        ):
            assert told in str(await get(client, "", 422, **query))
        await get(client, f"/{trace_id(9)}", 404)
        await get(client, "/xyz", 422)
        await get(client, f"/{trace_id(9)}/spans/{span_id(1)}", 404)
        assert (await get(client, "/map"))["edges"] == []


async def test_spans_are_metrics_too(running) -> None:
    async with running() as client:
        assert (await client.post("/v1/traces", json=otlp(ROWS))).status_code == 200
    async with running() as client:  # what was counted is written when the app stops
        query = {"query": 'sum by (server) (traces_service_graph_request_total{client="shop"})'}
        answer = (await client.get("/prometheus/api/v1/query", params=query)).json()
        told = {each["metric"]["server"]: each["value"][1] for each in answer["data"]["result"]}
        assert told == {"cart": "1", "mail": "1"}


async def test_zipkin_is_taken_and_told_what_is_wrong(running) -> None:
    ids = {"traceId": trace_id(9), "id": span_id(91)}
    call = {**ids, "kind": "CLIENT", "name": "get", "timestamp": NOW_NS // 1000, "duration": 900}
    serve = {**ids, "kind": "SERVER", "name": "get", "timestamp": NOW_NS // 1000 + 9, "duration": 700, "shared": True}
    call["localEndpoint"], serve["localEndpoint"] = {"serviceName": "front"}, {"serviceName": "back"}
    inner = {**ids, "id": span_id(92), "parentId": span_id(91), "localEndpoint": {"serviceName": "back"}}
    inner["timestamp"] = NOW_NS // 1000 + 20
    async with running() as client:
        for path, spans in (("/api/v2/spans", [serve, inner]), ("/zipkin/api/v2/spans", [call])):
            answer = await client.post(path, json=spans)
            assert (answer.status_code, answer.content) == (202, b"")
        trace = await get(client, f"/{trace_id(9)}")
        assert trace["spans"]["parents"] == [-1, 0, 1]
        assert [trace["services"][place]["name"] for place in trace["spans"]["services"]] == ["front", "back", "back"]
        (edge,) = (await get(client, "/map", **TIME))["edges"]
        assert (edge["source"], edge["target"], edge["rates"]["calls"]) == ("front", "back", 1)
        answer = await client.post("/api/v2/spans", json=[{"traceId": "x"}])
        assert (answer.status_code, answer.text.partition(":")[0]) == (400, "span 0")
        answer = await client.post("/api/v2/spans", content=b"x", headers={"content-type": "application/x-protobuf"})
        assert answer.status_code == 415


async def test_recent_traces_are_there_and_counted_with_sampling_on(running) -> None:
    async with running(traces={"sampling": {"enabled": True, "policies": [{"name": "none", "share": 0}]}}) as client:
        assert (await client.post("/v1/traces", json=otlp(ROWS))).status_code == 200
        assert (await get(client, f"/{trace_id(1)}"))["count"] == 4
        services = {each["name"]: each["spans"] for each in (await get(client, "/services", **TIME))["items"]}
        assert services == {"cart": 2, "mail": 1, "shop": 9}
