"""The real app tells what many traces say together: latencies, groups, comparisons, how the map drifts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fixtures.traces import NOW_NS, Row, otlp, trace_id
from holdfast.telemetry.traces import SpanKind, SpanStatus

NOW = datetime.fromtimestamp(NOW_NS / 1e9, UTC)
TIME = {"start": (NOW - timedelta(minutes=1)).isoformat(), "end": (NOW + timedelta(minutes=30)).isoformat()}
WEEK_MS = 7 * 24 * 3600 * 1000


def order(trace: int, start_ms: int, length: int, **more: Any) -> list[Row]:
    base = trace * 10
    failed = SpanStatus.ERROR if length > 100 else SpanStatus.UNSET
    version = {"service.version": "2" if length > 100 else "1"}
    method = {"http.request.method": "GET"}
    return [
        Row(trace, base, 0, "shop", "GET /cart", start_ms, length),
        Row(trace, base + 1, base, "shop", "GET", start_ms + 1, length - 5, SpanKind.CLIENT),
        Row(
            trace, base + 2, base + 1, "cart", "load", start_ms + 2, length - 8, SpanKind.SERVER, failed, method
        )._replace(resource=version, **more),
    ]


NOW_ROWS = [row for n in range(1, 31) for row in order(n, n * 1000, 300 if n <= 10 else 30)]
BEFORE_ROWS = [row for n in range(101, 131) for row in order(n, (n - 100) * 1000 - WEEK_MS, 30)]
GONE = Row(101, 5555, 1010, "bank", "charge", 2000 - WEEK_MS, 9)
ABROAD = Row(1, 7777, 10, "shop", "GET", 1001, 9, SpanKind.CLIENT, attributes={"server.address": "api.bank.example"})


async def ask(client: Any, path: str, **query: Any) -> Any:
    answer = await client.get(f"/api/v1/traces{path}", params={**TIME, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_latencies_groups_and_comparisons_are_told(running) -> None:
    async with running() as client:
        assert (await client.post("/v1/traces", json=otlp(NOW_ROWS))).status_code == 200
        latency = await ask(client, "/latency", roots=True, columns=30)
        assert (latency["total"], sum(latency["spans"]), sum(latency["failed"])) == (30, 30, 0)
        assert {len(latency[name]) for name in ("times", "rows", "spans", "failed")} == {len(latency["rows"])}
        assert latency["p99_ms"] == 300
        (group,) = (await ask(client, "/groups", of="failed"))["items"]
        assert (group["service"], group["operation"], group["spans"], group["calls"]) == ("cart", "load", 10, 30)
        assert group["examples"][0]["trace_id"] == trace_id(10)
        slow = (await ask(client, "/groups", of="slow", min_duration="200ms", roots=True))["items"]
        assert [(each["service"], each["spans"], each["usual_ms"]) for each in slow] == [("shop", 10, 30)]
        wanted = {"chosen": {**TIME, "service": "shop", "operation": "GET /cart", "min_duration": "200ms"}}
        answer = await client.post("/api/v1/traces/compare", json=wanted)
        found = answer.json()
        assert answer.status_code == 200, found
        assert (found["chosen"]["traces"], found["others"]["traces"]) == (10, 20)
        told = {(each["name"], each["value"]): each["is_significant"] for each in found["contrasts"]}
        assert told == {("service.version", "2"): True, ("failed operation", "cart: load"): True}
        assert found["growths"][0]["operation"] == "load"
        wanted["others"] = {**TIME, "service": "cart", "status": "error"}
        assert (await client.post("/api/v1/traces/compare", json=wanted)).json()["others"]["traces"] == 0
        assert len((await ask(client, "", roots=True, service="cart"))["items"]) == 0


async def test_the_map_tells_what_has_changed_since_last_week(running) -> None:
    rows = [*NOW_ROWS, *BEFORE_ROWS, GONE, ABROAD]
    async with running() as client:
        assert (await client.post("/v1/traces", json=otlp(rows))).status_code == 200
        found = await ask(client, "/map", against="7d")
        edges = {(each["source"], each["target"]): each for each in found["edges"]}
        assert sorted(edges) == [("shop", "api.bank.example"), ("shop", "bank"), ("shop", "cart")]
        cart = edges["shop", "cart"]
        assert (cart["changes"], cart["state"], cart["protocol"]) == (["more_errors", "slower"], "failing", "http")
        assert (cart["rates"]["errors"], cart["before"]["errors"]) == (10, 0)
        assert edges["shop", "bank"]["changes"] == ["gone"]
        assert edges["shop", "api.bank.example"]["changes"] == ["new"]
        assert {node["name"]: node["type"] for node in found["nodes"]}["api.bank.example"] == "external"
        assert (found["is_compared"], found["seconds"]) == (True, 31 * 60)
        alone = await ask(client, "/map")
        assert (alone["before_at"], alone["is_compared"]) == (None, False)
        assert {change for each in alone["edges"] for change in each["changes"]} == set()


async def test_bad_questions_are_told_what_is_wrong(running) -> None:
    async with running() as client:
        for path, query in (
            ("/map", {"against": "soon"}),
            ("/map", {"against": "90000d"}),
            ("/groups", {"of": "odd"}),
            ("/groups", {}),
            ("/latency", {"columns": 0}),
        ):
            answer = await client.get(f"/api/v1/traces{path}", params=query)
            assert answer.status_code == 422, answer.text
        for body in ({}, {"chosen": {"min_duration": "soon"}}, {"chosen": {}, "sample": 9}, {"chosen": {"x": 1}}):
            assert (await client.post("/api/v1/traces/compare", json=body)).status_code == 422
        assert (await client.post("/api/v1/traces/compare", json={"chosen": {}})).json()["contrasts"] == []
