"""The real app counts what came in through each door and what was left out, by signal, service, team and reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from fixtures.otlp import attributes, counter, point, request
from fixtures.remote_write import NOW_MS, pack
from holdfast import app
from holdfast.telemetry.metrics.remote import Protocol

V1 = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
JSON = {"content-type": "application/json"}
SERVICE = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
"""


def traces(service: str, count: int, *, id_bytes: int = 16) -> dict[str, Any]:
    now = time.time_ns()
    spans = [
        {
            "traceId": (number + 1).to_bytes(id_bytes, "big").hex(),
            "spanId": (number + 1).to_bytes(8, "big").hex(),
            "name": "GET /",
            "startTimeUnixNano": str(now),
            "endTimeUnixNano": str(now + 10**6),
        }
        for number in range(count)
    ]
    resource = {"attributes": attributes(service__name=service)}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}


async def push(client: Any, service: str, *lines: str, **headers: str) -> int:
    now = time.time_ns()
    values = [[str(now + number), line] for number, line in enumerate(lines)]
    document = {"streams": [{"stream": {"service_name": service}, "values": values}]}
    return int((await client.post("/loki/api/v1/push", json=document, headers=headers)).status_code)


async def intake(client: Any, **query: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/usage/intake", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def stored(report: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Give records that were stored, of what does not measure Holdfast itself."""
    return {
        (each["signal"], each["service"]): each["stored"]["records"]
        for each in report["services"]
        if each["service"] in {"shop", "mail"} and each["stored"]["records"]
    }


def left_out(report: dict[str, Any]) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {
        (each["signal"], each["service"], each["reason"]): (each["amount"]["records"], each["amount"]["requests"])
        for each in report["drops"]
    }


async def test_what_is_sent_through_each_door_adds_up_by_service_team_and_hour(running: Any, ops: Path) -> None:
    (ops / "services").mkdir()
    (ops / "services" / "shop.yaml").write_text(SERVICE)
    async with running() as client:
        assert await push(client, "shop", "one", "four") == 204
        assert (await client.post("/api/v1/logs/lines?service=mail", content="a\nbc")).status_code == 200
        assert (await client.post("/v1/traces", json=traces("shop", 3))).status_code == 200
        zipkin = [{"traceId": "1" * 16, "id": "2" * 16, "localEndpoint": {"serviceName": "mail"}}]
        assert (await client.post("/api/v2/spans", json=zipkin)).status_code == 202
        rows = [({"__name__": name, "job": "shop"}, [(NOW_MS, 1.0), (NOW_MS + 1, 1.0)]) for name in ("up", "down")]
        body = pack(Protocol.V1, rows)
        assert (await client.post("/prometheus/api/v1/write", content=body, headers=V1)).status_code == 204
        otlp = request(counter("hits", point(5.0)), service__name="mail").SerializeToString()
        headers = {"content-type": "application/x-protobuf"}
        assert (await client.post("/v1/metrics", content=otlp, headers=headers)).status_code == 200
        report = await intake(client)
        of_team = await intake(client, team="Payments", signal="logs")
        of_service = await intake(client, service="mail", since="7d")

    assert stored(report) == {
        ("logs", "shop"): 2,
        ("logs", "mail"): 2,
        ("traces", "shop"): 3,
        ("traces", "mail"): 1,
        ("metrics", "shop"): 4,
        ("metrics", "mail"): 1,
    }
    by_name = {(each["signal"], each["service"]): each for each in report["services"]}
    assert by_name["logs", "shop"]["stored"] == {"records": 2, "bytes": 7, "requests": 1}
    assert by_name["metrics", "shop"]["stored"]["bytes"] == 4 * 16
    assert by_name["traces", "shop"]["stored"]["bytes"] > 3 * 50
    assert (by_name["traces", "shop"]["team"], by_name["traces", "mail"]["team"]) == ("payments", "")
    assert {(each["team"], each["stored"]["records"]) for each in report["teams"] if each["signal"] == "logs"} == {
        ("payments", 2),
        ("", 2),
    }
    hours = [each for each in report["hours"] if each["signal"] == "logs"]
    assert sum(each["stored"]["records"] for each in hours) == 4
    assert report["start"] < hours[0]["hour"] < report["end"]
    assert stored(of_team) == {("logs", "shop"): 2}
    assert stored(of_service) == {("logs", "mail"): 2, ("traces", "mail"): 1, ("metrics", "mail"): 1}


async def test_what_is_left_out_is_told_with_its_reason(running: Any) -> None:
    sections = {
        "log_limits": {
            "sampling": [{"match": '{service_name="chatty"}', "keep_one_in": 1_000_000_000}],
            "tenants": {"slow": {"lines_per_s": 1}},
        },
        "logs": {"max_line": "100B", "max_streams": 4},
        "metrics": {"max_series_per_metric": 1},
    }
    async with running(**sections) as client:
        assert await push(client, "chatty", "x", "y") == 204
        await push(client, "shop", "short", "l" * 101)
        for service in ("one", "two", "three"):
            await push(client, service, "hello")
        for _ in range(2):
            slow = await push(client, "shop", *(f"line {number}" for number in range(100)), **{"x-scope-orgid": "slow"})
        assert slow == 429
        rows = [({"__name__": "floods", "job": "shop", "at": str(at)}, [(NOW_MS, 1.0)]) for at in range(5)]
        rows.append(({"job": "nameless"}, [(NOW_MS, 1.0)]))
        await client.post("/prometheus/api/v1/write", content=pack(Protocol.V1, rows), headers=V1)
        assert (await client.post("/v1/traces", json=traces("shop", 2, id_bytes=4))).status_code == 200
        assert (await client.post("/v1/logs", content=b"no json", headers=JSON)).status_code == 400
        named = [{"traceId": "1", "id": f"{at}", "localEndpoint": {"serviceName": "front"}} for at in (1, 2)]
        assert (await client.post("/api/v2/spans", json=[*named, {"id": "3"}])).status_code == 400
        report = await intake(client)
        of_reason = await intake(client, reason="labels", signal="metrics")
        of_nobody = await intake(client, service="(not told)")
        of_other_case = await intake(client, service="SHOP", signal="traces")
        of_slow = (await client.get("/api/v1/usage/intake", headers={"x-scope-orgid": "slow"})).json()

    found = left_out(report)
    assert found["logs", "chatty", "sampled"] == (2, 1)
    assert found["logs", "shop", "line_too_long"] == (1, 1)
    assert found["logs", "three", "stream_limit"] == (1, 1)
    assert found["metrics", "shop", "series_limit"] == (4, 1)
    assert found["metrics", "nameless", "labels"] == (1, 1)
    assert found["traces", "shop", "invalid_ids"] == (2, 1)
    assert found["logs", "", "malformed"] == (0, 1)
    assert (found["traces", "front", "malformed"], found["traces", "", "malformed"]) == ((2, 1), (1, 1))
    assert left_out(of_slow) == {("logs", "shop", "put_off"): (100, 1)}
    assert left_out(of_reason) == {("metrics", "nameless", "labels"): (1, 1)}
    assert [each["service"] for each in of_reason["services"]] == ["nameless"]
    assert left_out(of_nobody) == {("logs", "", "malformed"): (0, 1), ("traces", "", "malformed"): (1, 1)}
    assert left_out(of_other_case) == {("traces", "shop", "invalid_ids"): (2, 1)}
    fixes = {each["reason"]: (each["settings"], each["comes_again"]) for each in report["drops"] + of_slow["drops"]}
    assert fixes["sampled"] == (["log_limits.sampling"], False)
    assert fixes["put_off"][1] is True


async def test_refusals_at_the_doors_are_counted_for_the_tenant_that_was_let_in(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[app.Holdfast] = []
    start = app.Holdfast.start

    async def note(holdfast: app.Holdfast) -> None:
        started.append(holdfast)
        await start(holdfast)

    monkeypatch.setattr(app.Holdfast, "start", note)
    async with running(server={"auth": "on"}, web={"max_body": "1MB"}) as client:
        link = await started[0].people.issue_setup_link()
        person = {"token": link.reveal(), "name": "ada", "password": "correct horse battery staple"}
        csrf = {"x-csrf-token": (await client.post("/api/v1/setup", json=person)).json()["csrf_token"]}
        sent = {"headers": {**JSON, **csrf}}
        assert (await client.post("/v1/logs", content=b"x" * 1_000_001, **sent)).status_code == 413
        assert (await client.post("/v1/traces", content=b"{", **sent)).status_code == 400
        cookies = dict(client.cookies)
        client.cookies.clear()
        unknown = {"x-scope-orgid": "nobody", **JSON}
        for path in ("/v1/metrics", "/prometheus/api/v1/write", "/prometheus/metrics/job/x"):
            assert (await client.post(path, content=b"{}", headers=unknown)).status_code == 401
        assert (await client.post("/v1/nothing", content=b"{}", headers=JSON)).status_code in {404, 405}
        client.cookies.update(cookies)
        report = await intake(client)

    assert left_out(report) == {
        ("logs", "", "body_too_large"): (0, 1),
        ("traces", "", "malformed"): (0, 1),
        ("metrics", "", "unauthenticated"): (0, 3),
    }
    sizes = {each["reason"]: each["amount"]["bytes"] for each in report["drops"]}
    assert sizes["body_too_large"] == 1_000_001


async def test_a_restart_keeps_what_was_counted(running: Any) -> None:
    chatty = {"log_limits": {"sampling": [{"match": '{service_name="chatty"}', "keep_one_in": 1_000_000_000}]}}
    for _ in range(2):
        async with running(**chatty) as client:
            assert await push(client, "shop", f"at {time.time_ns()}") == 204
            assert await push(client, "chatty", "x") == 204
    async with running() as client:
        assert stored(await intake(client, signal="logs")) == {("logs", "shop"): 2}
        assert (await client.get("/api/v1/usage")).json()["dropped"] == {"sampled": 2}
        assert (await client.get("/api/v1/usage?start=2020-01-01&end=2020-01-02")).json()["dropped"] == {}


async def test_what_cannot_be_asked_for_is_refused(running: Any, subtests: pytest.Subtests) -> None:
    wrong = ({"signal": "profiles"}, {"reason": "boredom"}, {"since": "soon"}, {"since": "0s"}, {"since": "401d"})
    async with running() as client:
        for query in wrong:
            with subtests.test(query=query):
                answer = await client.get("/api/v1/usage/intake", params=query)
                assert answer.status_code == 422
                assert answer.json()["hint"]
