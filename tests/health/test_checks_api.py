"""The API of checks over the real engine, database and store."""

from __future__ import annotations

import pytest

from fixtures.healthrooms import open_room
from holdfast.kernel.errors import ConfigError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry import SCHEMA as METRICS


def one_check(port: int, *more: str, name: str = "shop-port") -> str:
    lines = "".join(f"    {line}\n" for line in more)
    return (
        f"checks:\n  - name: {name}\n    kind: tcp\n    service: shop\n    every: 1s\n    labels: {{env: demo}}\n"
        f"    tcp: {{host: 127.0.0.1, port: {port}}}\n{lines}"
    )


async def up(room, name="shop-port"):
    return await room.until(f"/checks/{name}", lambda check: check["verdict"] == "up")


async def test_a_check_is_listed_with_all_that_the_console_shows(room, listener):
    await room.load(one_check(listener.port))
    await up(room)
    page = await room.get("/checks")
    (check,) = page["items"]
    assert page["next"] is None
    assert (check["name"], check["kind"], check["services"]) == ("shop-port", "tcp", ["shop"])
    assert check["target"] == f"127.0.0.1:{listener.port}"
    assert (check["paused"], check["maintenance"], check["flapping"]) == (False, False, False)
    assert set(check["uptime"]) == {"d1", "d7", "d30", "d90"}
    assert check["recent"][-1]["verdict"] == "up"
    assert check["next_at"] > check["last_at"]


async def test_a_check_shows_its_configuration_and_phases(room, listener):
    await room.load(one_check(listener.port))
    detail = await up(room)
    assert detail["config"]["tcp"]["port"] == listener.port
    assert detail["config"]["file"] == "checks/test.yaml"
    assert detail["phases"]["connect_s"] > 0
    assert (detail["breaker"], detail["blocked_by"], detail["ping_path"]) == ("closed", None, None)


async def test_lists_are_narrowed_and_paged(room, listener):
    texts = [one_check(listener.port, name=f"check-{letter}").removeprefix("checks:\n") for letter in "abc"]
    await room.load("checks:\n" + "".join(texts))
    await room.until("/checks", lambda page: all(item["verdict"] == "up" for item in page["items"]))
    assert len((await room.get("/checks", service="shop"))["items"]) == 3
    assert (await room.get("/checks", service="bank"))["items"] == []
    assert (await room.get("/checks", verdict=["down", "unknown"]))["items"] == []
    assert [item["name"] for item in (await room.get("/checks", q="CK-B"))["items"]] == ["check-b"]
    first = await room.get("/checks", limit=2)
    assert first["next"] == "check-b"
    rest = await room.get("/checks", limit=2, after=first["next"])
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["check-c"], None)


async def test_a_failure_is_seen_told_and_kept(room, listener):
    await room.load(one_check(listener.port))
    await up(room)
    listener.close()
    await listener.wait_closed()
    run = await room.post("/checks/shop-port/run")
    assert (run["verdict"], run["attempts"]) == ("down", 2)
    assert "connection refused" in run["message"]
    events = await room.ground.events.read(DEFAULT_TENANT, kinds=["check."])
    assert (events[0].data["from"], events[0].data["to"], events[0].service) == ("up", "down", "shop")
    await room.checking.recorder.flush()
    page = await room.get("/checks/shop-port/history", verdict="down")
    assert page["items"][0]["message"] == run["message"]
    latency = await room.get("/checks/shop-port/latency", step_s=60)
    assert latency["overall"]["p50_s"] > 0
    assert sum(point["down"] for point in latency["points"]) >= 1
    uptime = await room.get("/checks/shop-port/uptime", buckets=4)
    assert len(uptime["buckets"]) == 4


async def test_the_results_are_metrics_too(room, listener):
    from holdfast.telemetry import MetricSource  # noqa: PLC0415

    await room.load(one_check(listener.port))
    await up(room)
    await room.checking.recorder.flush()
    source = MetricSource(room.store)
    (series,) = await source.latest(DEFAULT_TENANT, "holdfast_check_up")
    assert series.labels == {"check": "shop-port", "kind": "tcp", "service": "shop", "env": "demo"}
    assert series.last.value == 1.0
    phases = await source.latest(DEFAULT_TENANT, "holdfast_check_phase_seconds")
    assert "connect" in {one.labels["phase"] for one in phases}


async def test_a_check_is_paused_and_resumed(room, listener):
    await room.load(one_check(listener.port))
    await up(room)
    paused = await room.post("/checks/shop-port/pause")
    assert (paused["paused"], paused["verdict"], paused["paused_by"]) == (True, "unknown", "anonymous")
    conflict = await room.post("/checks/shop-port/run", status=409)
    assert "resume it first" in conflict["hint"]
    assert (await room.post("/checks/shop-port/resume"))["paused"] is False
    await up(room)


async def test_what_is_not_there_is_not_found_with_a_suggestion(room, listener):
    await room.load(one_check(listener.port))
    answer = await room.client.get("/checks/shop-prot")
    assert answer.status_code == 404
    assert "did you mean 'shop-port'" in answer.json()["hint"]


async def test_another_tenant_sees_nothing(room, listener):
    await room.load(one_check(listener.port))
    other = {"X-Scope-OrgID": "other"}
    assert (await room.client.get("/checks", headers=other)).json()["items"] == []
    for path in ("/checks/shop-port", "/checks/shop-port/history"):
        assert (await room.client.get(path, headers=other)).status_code == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("history", {"start": "2026-01-01T00:00:00"}),
        ("history", {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}),
        ("latency", {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z", "step_s": 1}),
        ("uptime", {"start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}),
        ("uptime", {"start": "0001-01-01T00:00:00+14:00"}),
        ("uptime", {"buckets": 0}),
    ],
)
async def test_a_time_that_makes_no_sense_is_refused(room, path, query):
    answer = await room.client.get(f"/checks/a/{path}", params=query)
    assert answer.status_code == 422, answer.text


async def test_maintenance_is_planned_shown_and_called_off(room, listener):
    await room.load(one_check(listener.port))
    await up(room)
    window = {"name": "move", "selector": {"services": ["shop"]}, "ends_at": "2099-01-01T00:00:00Z", "reason": "racks"}
    refused = await room.post("/maintenance", window, status=422)
    assert "within 92 days" in refused["detail"]
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    planned = await room.post("/maintenance", {**window, "ends_at": ends}, status=201)
    assert planned["from_file"] is False
    await room.until("/checks/shop-port", lambda check: check["maintenance"])
    (shown,) = (await room.get("/maintenance"))["items"]
    assert (shown["open"], shown["reason"], shown["selector"]["services"]) == (True, "racks", ["shop"])
    assert (await room.client.delete(f"/maintenance/{planned['id']}")).status_code == 204
    await room.until("/checks/shop-port", lambda check: not check["maintenance"])
    kinds = await room.until_told("maintenance.ended")
    assert [kind.partition(".")[2] for kind in kinds if kind.startswith("maintenance.")] == [
        "added",
        "started",
        "removed",
        "ended",
    ]


async def test_a_job_calls_its_heartbeat(room):
    await room.load("checks: [{name: backup, kind: heartbeat, heartbeat: {every: 1h, key: '${env:KEY}'}}]")
    detail = await room.until("/checks/backup", lambda check: check["ping_path"])
    assert detail["ping_path"] == "/api/v1/heartbeats/0123456789abcdef"
    assert "0123456789abcdef" not in str(detail["config"])
    answer = await room.client.post(
        "/heartbeats/0123456789abcdef", content=b"42 files\nand more", headers={"Origin": "x"}
    )
    assert answer.json() == {"status": "ok"}
    shown = await up(room, "backup")
    assert shown["message"].endswith("ago: 42 files")
    assert (await room.client.get("/heartbeats/0123456789abcdef/fail")).status_code == 200
    await room.until("/checks/backup", lambda check: check["verdict"] == "down")
    assert (await room.client.post("/heartbeats/wrong")).status_code == 404


async def test_a_faulty_file_changes_nothing(room, listener):
    await room.load(one_check(listener.port))
    with pytest.raises(ConfigError, match=r"checks/test\.yaml:2"):
        await room.load("checks:\n  - {name: x, kind: nope}")
    assert [item["name"] for item in (await room.get("/checks"))["items"]] == ["shop-port"]


async def test_a_selector_that_services_cannot_have_is_refused(room):
    with pytest.raises(ConfigError, match="services cannot be selected by 'sytem'"):
        await room.load("checks: [{name: x, kind: tcp, selector: {sytem: shop}, tcp: {host: a, port: 1}}]")


async def test_a_restart_goes_on_where_the_last_process_stopped(store, tmp_path, listener):
    await store.register(METRICS)
    async with open_room(store, tmp_path) as first:
        await first.load(one_check(listener.port))
        before = await first.until("/checks/shop-port", lambda check: len(check["recent"]) >= 3)
    async with open_room(Resumed(store), tmp_path) as second:
        await second.load(one_check(listener.port))
        assert second.engine.state("shop-port").verdict == "up"
        after = await second.until("/checks/shop-port", lambda check: len(check["recent"]) > len(before["recent"]))
        assert after["since"] == before["since"]
        kept = {point["at"][:23] for point in after["recent"]}  # the store keeps milliseconds
        assert {point["at"][:23] for point in before["recent"]} <= kept
        events = await second.ground.events.read(DEFAULT_TENANT, kinds=["check."])
    assert [(event.data["from"], event.data["to"]) for event in events] == [("unknown", "up")]


class Resumed:
    """The same store for a second room, whose tables are registered already."""

    def __init__(self, store) -> None:
        self.store = store

    def __getattr__(self, name):
        return getattr(self.store, name)

    async def register(self, *schemas):
        return None
