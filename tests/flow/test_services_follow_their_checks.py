"""Catalog, checks and host together in the real app: a target goes away, and what needs it shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.ops import component

CHECKS = """\
defaults: {every: 1s, retries: {attempts: 0}}
checks:
  - {name: db-port, kind: tcp, service: db, tcp: {host: 127.0.0.1, port: %d}}
  - {name: everything, kind: tcp, selector: {owner: platform, type: service}, tcp: {host: 127.0.0.1, port: %d}}
"""


@pytest.fixture
async def listener() -> AsyncIterator[asyncio.Server]:
    """A port that answers until it is closed."""

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    yield server
    server.close()


@pytest.fixture
def shop(ops: Path, listener: asyncio.Server) -> Path:
    """An ops folder: `web` needs `db`, a port that can be closed; everybody else is watched at a port that stays."""
    (ops / "services").mkdir()
    (ops / "checks").mkdir()
    database = component("db", kind="Resource").replace("type: service", "type: database")
    (ops / "services/shop.yaml").write_text(component("web", "dependsOn: [resource:db]") + database)
    return ops


async def wait_until(client: httpx.AsyncClient, path: str, is_met: Callable[[Any], Any]) -> Any:
    """Ask until the answer fits; the server offers nothing to wait on but its event stream, which is not the point."""
    async with asyncio.timeout(60):
        while not is_met(found := (await client.get(path)).json()):  # noqa: ASYNC110 - it is what callers do
            await asyncio.sleep(0.05)
    return found


async def wait_for(client: httpx.AsyncClient, service: str, health: str) -> Any:
    return await wait_until(client, f"/api/v1/services/{service}", lambda found: found.get("health") == health)


async def first_event(client: httpx.AsyncClient, kind: str, subject: str, to: str) -> datetime:
    events = (await client.get("/api/v1/events", params={"kind": kind, "subject": subject})).json()["items"]
    return datetime.fromisoformat(next(event["at"] for event in reversed(events) if event["data"]["to"] == to))


async def test_a_target_goes_away_and_what_needs_it_shows_it_within_a_second(
    running: Any, shop: Path, listener: asyncio.Server
) -> None:
    async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0) as steady:
        ports = (listener.sockets[0].getsockname()[1], steady.sockets[0].getsockname()[1])
        (shop / "checks/shop.yaml").write_text(CHECKS % ports)
        async with running() as client:
            await wait_for(client, "web", "up")
            await wait_for(client, "db", "up")
            listener.close()
            await wait_for(client, "db", "down")
            web = await wait_for(client, "web", "degraded")
            checked = await first_event(client, "check.changed", "check/db-port", "down")
            for service, health in (("db", "down"), ("web", "degraded")):
                turned = await first_event(client, "service.changed", f"service/{service}", health)
                assert (turned - checked).total_seconds() < 1
            assert web["reasons"][0]["message"].startswith("needs db, which is down: ")
            assert [check["name"] for check in web["checks"]] == ["everything"]
        turns = {"kind": "service.changed"}
        async with running() as client:
            before = (await client.get("/api/v1/events", params=turns)).json()["items"]
            await wait_for(client, "web", "degraded")
            await asyncio.sleep(1.5)
            after = (await client.get("/api/v1/events", params=turns)).json()["items"]
            assert after == before, "a restart turns nothing"


async def test_the_host_is_measured_and_stored_from_the_first_seconds_on(running: Any) -> None:
    async with running(host={"every": "1s"}) as client:
        await wait_until(client, "/api/v1/host", lambda host: "hostname" in host)
        chart = await wait_until(client, "/api/v1/host/series?metric=memory", lambda chart: chart.get("series"))
        assert {curve["label"] for curve in chart["series"]} == {"used", "available", "swap used"}


async def test_the_catalog_is_reloaded_with_the_checks_that_need_it(running: Any, shop: Path) -> None:
    async with running() as client:
        (shop / "services/new.yaml").write_text(component("new"))
        (shop / "checks/new.yaml").write_text(
            "checks:\n  - {name: n, kind: tcp, service: new, every: 1h, tcp: {host: 127.0.0.1, port: 1}}\n"
        )
        answer = await client.post("/api/v1/reload")
        assert answer.status_code == 200
        assert (await client.get("/api/v1/services/new")).json()["is_catalogued"] is True
        (event,) = (await client.get("/api/v1/events", params={"kind": "catalog.changed", "limit": 1})).json()["items"]
        assert event["data"]["added"] == ["component:default/new"]
        warnings = (await client.get("/api/v1/catalog/warnings")).json()["items"]
        assert any("group:default/platform" in warning for warning in warnings)
