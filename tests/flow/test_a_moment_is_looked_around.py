"""The real app tells what moved for a service around a moment: signals come in over HTTP, findings go out ranked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

STEP_S = 15


def pairs(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]


def counter(name: str, start: datetime, rates: list[float], labels: dict[str, str]) -> dict[str, Any]:
    """Give a counter that grows by so much a second in each step."""
    begun, total, points = str(int(start.timestamp() * 1e9)), 0.0, []
    for number, rate in enumerate(rates):
        total += rate * STEP_S
        at = start + timedelta(seconds=STEP_S * (number + 1))
        points.append(
            {
                "startTimeUnixNano": begun,
                "timeUnixNano": str(int(at.timestamp() * 1e9)),
                "asDouble": total,
                "attributes": pairs(labels),
            }
        )
    return {"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points}}


def gauge(name: str, start: datetime, values: list[float]) -> dict[str, Any]:
    times = (start + timedelta(seconds=STEP_S * (number + 1)) for number in range(len(values)))
    points = [
        {"timeUnixNano": str(int(at.timestamp() * 1e9)), "asDouble": value}
        for at, value in zip(times, values, strict=True)
    ]
    return {"name": name, "gauge": {"dataPoints": points}}


def lines(start: datetime, count: int, every_s: float, level: str, text: str) -> list[dict[str, Any]]:
    return [
        {
            "timeUnixNano": str(int((start + timedelta(seconds=every_s * number)).timestamp() * 1e9)),
            "severityText": level,
            "body": {"stringValue": text.format(number)},
        }
        for number in range(count)
    ]


async def send(client: Any, signal: str, service: str, *things: dict[str, Any]) -> None:
    group, scope, what = {
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
        "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    }[signal]
    resource = {"attributes": pairs({"service.name": service})}
    answer = await client.post(f"/v1/{signal}", json={group: [{"resource": resource, scope: [{what: list(things)}]}]})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def broke_at() -> datetime:
    """The moment at which the service of these tests breaks, long enough ago for a window after it."""
    now = datetime.now(UTC)
    return datetime.fromtimestamp(now.timestamp() // STEP_S * STEP_S, UTC) - timedelta(minutes=10)


async def break_orders(client: Any, broke_at: datetime) -> None:
    """Send half an hour of a service whose calls fail from a moment on, and whose queue grows two minutes later."""
    start = broke_at - timedelta(minutes=25)
    before, after = 100, 36
    spans = {"service_name": "orders", "span_name": "POST /order", "span_kind": "SPAN_KIND_SERVER"}
    calm, wild = [5.0] * (before + after), [0.0] * before + [2.0] * after
    await send(
        client,
        "metrics",
        "orders",
        counter("traces_span_metrics_calls_total", start, calm, {**spans, "status_code": "STATUS_CODE_UNSET"}),
        counter("traces_span_metrics_calls_total", start, wild, {**spans, "status_code": "STATUS_CODE_ERROR"}),
        counter("payments_refused_total", start, [0.1] * before + [3.0] * after, {"bank": "north"}),
        gauge("queue_length", start, [4.0] * (before + 8) + [90.0] * (after - 8)),
        gauge("worker_threads", start, [8.0] * (before + after)),
    )
    await send(
        client,
        "logs",
        "orders",
        *lines(start, 200, 8, "INFO", "order {} was placed"),
        *lines(broke_at, 100, 4, "ERROR", "the bank refused order {}"),
    )


async def test_what_moved_is_told_in_its_order(running, broke_at) -> None:
    async with running() as client:
        await break_orders(client, broke_at)
        query = {"service": "orders", "at": (broke_at + timedelta(minutes=2)).isoformat(), "window": "15m"}
        answer = await client.get("/api/v1/around", params=query)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert [part["message"] for part in found["parts"] if part["state"] != "whole"] == []
        by_title = {each["title"]: each for each in found["findings"]}
        failed = by_title["POST /order: failed calls"]
        assert failed["lane"] == "operations"
        assert (failed["direction"], failed["before"]) == ("up", 0)
        assert failed["now"] == pytest.approx(2 / 7, abs=0.02)
        assert failed["reason"].startswith("Failed calls of POST /order rose from 0% to 28.6%")
        refused, errors = by_title['payments_refused_total{bank="north"}'], by_title["error lines"]
        assert refused["now"] == pytest.approx(3, abs=0.1)
        queue = by_title["queue_length"]
        assert "worker_threads" not in by_title
        assert found["findings"][0]["lane"] in {"operations", "logs"}
        moved = {name: datetime.fromisoformat(each["moved_at"]) for name, each in by_title.items()}
        for each in (failed, refused, errors):
            off = datetime.fromisoformat(each["moved_at"]) - broke_at
            assert abs(off) <= timedelta(seconds=2 * STEP_S), each["title"]
        assert moved["queue_length"] - moved["error lines"] >= timedelta(minutes=1)
        assert queue["unit"] == ""
        assert len(queue["curve"]) == 120

        evidence = refused["evidence"]
        span = {"start": evidence["start"], "end": evidence["end"], "step": "15s"}
        asked = await client.get("/prometheus/api/v1/query_range", params={"query": evidence["query"], **span})
        assert asked.json()["data"]["result"][0]["metric"]["bank"] == "north"
        span.pop("step")
        asked = await client.get("/loki/api/v1/query_range", params={"query": errors["evidence"]["query"], **span})
        (stream,) = asked.json()["data"]["result"]
        assert len(stream["values"]) == 100


async def test_a_quiet_moment_and_an_unknown_service_have_no_findings(running, broke_at) -> None:
    async with running() as client:
        await break_orders(client, broke_at)
        early = {"service": "orders", "at": (broke_at - timedelta(minutes=8)).isoformat(), "window": "10m"}
        found = (await client.get("/api/v1/around", params=early)).json()
        assert [each["title"] for each in found["findings"] if each["lane"] != "events"] == []
        nobody = (await client.get("/api/v1/around", params={"service": "nobody"})).json()
        assert [each["lane"] for each in nobody["findings"] if each["lane"] != "events"] == []
        other = await client.get(
            "/api/v1/around",
            params={"service": "orders", "at": broke_at.isoformat()},
            headers={"X-Scope-OrgID": "other"},
        )
        assert other.json()["findings"] == []


async def test_labels_may_be_asked_about_instead(running, broke_at) -> None:
    async with running() as client:
        await break_orders(client, broke_at)
        query = {"selector": '{bank="north"}', "at": broke_at.isoformat()}
        found = (await client.get("/api/v1/around", params=query)).json()
        titles = [each["title"] for each in found["findings"] if each["lane"] == "metrics"]
        assert titles == ["payments_refused_total"]


async def test_a_limit_cuts_the_answer_and_says_so(running, broke_at) -> None:
    async with running(around={"max_samples": 10, "max_metrics": 1}) as client:
        await break_orders(client, broke_at)
        query = {"service": "orders", "at": broke_at.isoformat()}
        found = (await client.get("/api/v1/around", params=query)).json()
        assert found["is_partial"]
        told = {part["lane"]: part for part in found["parts"]}
        assert told["metrics"]["state"] == "failed"
        assert "samples" in told["metrics"]["message"]
        assert told["logs"]["state"] == "whole"
        assert told["logs"]["found"] > 0


async def test_bad_questions_are_told_what_is_wrong(running) -> None:
    async with running() as client:
        for query, told in (
            ({}, "nothing is asked about"),
            ({"service": "x", "window": "soon"}, "window"),
            ({"service": "x", "window": "1s"}, "window"),
            ({"service": "x", "window": "30d"}, "window"),
            ({"service": "x", "at": "1960-01-01T00:00:00Z"}, "1970"),
            ({"selector": "{"}, "selector"),
            ({"trace_id": "ab"}, "no trace"),
        ):
            answer = await client.get("/api/v1/around", params=query)
            assert answer.status_code in {404, 422}, answer.text
            assert told in answer.text, query


async def test_events_are_told_by_what_their_rooms_say_of_them(running) -> None:
    async with running() as client:
        now = datetime.now(UTC)
        plan = {"name": "disk swap", "selector": {"services": ["orders"]}, "ends_at": str(now + timedelta(hours=1))}
        assert (await client.post("/api/v1/maintenance", json=plan)).status_code == 201
        found = (await client.get("/api/v1/around", params={"service": "orders", "window": "5m"})).json()["findings"]
        told = {each["title"].partition(" ")[0]: each["reason"] for each in found}
        assert told["maintenance.added"].startswith("Somebody (")
        assert ") planned maintenance: id " in told["maintenance.added"]
        assert "name disk swap" in told["maintenance.added"]
