"""`/services` and `/teams` as callers see them."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from fixtures.checkstates import FakeChecks, check_state
from fixtures.ops import component
from holdfast.health.services.board import Board
from holdfast.health.services.chronicle import Chronicle
from holdfast.health.services.routes import routes
from holdfast.health.services.views import Views
from holdfast.kernel import auth
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.events import EventLog
from holdfast.kernel.http import problems

GROUP = """---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: platform, title: Platform}
spec:
  type: team
  profile: {email: platform@shop.example}
  children: []
  members: [ada]
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ada}
spec: {profile: {displayName: Ada L}, memberOf: []}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: prices}
spec: {type: openapi, lifecycle: production, owner: platform, definition: x}
"""


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.health.services.migrations")


@pytest.fixture
async def api(db, fake_clock, ops_folder):
    """A client of the routes over a small shop: web needs orders (an API away) and db, which is down."""
    web = component("web", "system: shop", "consumesApis: [prices]", "dependsOn: [resource:db]").replace(
        "name: web\n", "name: web\n  title: Web shop\n  annotations: {holdfast.dev/tier: '1'}\n"
    )
    entities = ops_folder.read(
        web=web,
        orders=component("orders", "system: shop", "providesApis: [prices]"),
        db=component("db", kind="Resource").replace("owner: platform", "owner: dba"),
        billing=component("invoices", namespace="billing"),
        team=GROUP,
    )
    checks = FakeChecks(
        lambda: entities,
        [
            check_state("web-ready", service="web"),
            check_state("orders-ready", service="orders"),
            check_state("db-ready", "down", "db", message="connection refused"),
        ],
    )
    chronicle = Chronicle(db, EventLog(db, fake_clock), fake_clock)
    board = Board(lambda: entities, checks, chronicle, fake_clock, EventLog(db, fake_clock).wake)
    await chronicle.open()
    await board.settle()
    await fake_clock.advance(3600)
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(routes(Views(board, lambda: entities, checks), lambda: entities, fake_clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def names(api, **query) -> list[str]:
    return [item["name"] for item in (await api.get("/services", params=query)).json()["items"]]


async def test_the_list_tells_health_reasons_uptime_and_neighbours(api):
    answer = (await api.get("/services")).json()
    assert answer["next"] is None
    by_name = {item["name"]: item for item in answer["items"]}
    assert list(by_name) == ["billing/invoices", "db", "orders", "web"]
    web = by_name["web"]
    assert (web["title"], web["kind"], web["owner"], web["system"], web["tier"]) == (
        "Web shop",
        "Component",
        "platform",
        "shop",
        "1",
    )
    assert web["health"] == "degraded"
    assert web["health_since"] == "2026-01-01T00:00:00Z"
    assert web["reasons"] == [
        {
            "check": None,
            "service": "db",
            "verdict": "down",
            "message": "needs db, which is down: connection refused",
        }
    ]
    assert web["checks"] == {"up": 1, "degraded": 0, "down": 0, "unknown": 0}
    assert (web["depends_on"], by_name["db"]["dependents"]) == (["db", "orders"], ["web"])
    assert web["uptime"]["d1"] == {"ratio": 1.0, "coverage": pytest.approx(1 / 24, abs=1e-6)}
    assert by_name["db"]["uptime"]["d1"]["ratio"] == 0.0
    assert by_name["billing/invoices"]["uptime"]["d90"] == {"ratio": None, "coverage": 0.0}
    assert len(web["recent"]) == 30  # an hour in parts of two minutes; nothing of the time before it was known
    assert {moment["verdict"] for moment in web["recent"][-30:]} == {"degraded"}
    assert web["recent"][0] == {"at": "2026-01-01T00:00:00Z", "verdict": "degraded"}


async def test_the_list_can_be_narrowed(api):
    assert await names(api, q="SHOP") == ["web"]
    assert await names(api, owner="dba") == ["db"]
    assert await names(api, system="shop") == ["orders", "web"]
    assert await names(api, tier="1") == ["web"]
    assert await names(api, health="down") == ["db"]
    assert (await api.get("/services", params={"health": "red"})).status_code == 422


async def test_one_service_tells_its_checks_relations_and_what_an_outage_touches(api):
    detail = (await api.get("/services/db")).json()
    assert detail["checks"][0]["name"] == "db-ready"
    assert detail["check_counts"]["down"] == 1
    assert {"type": "dependencyOf", "target": "component:default/web", "service": "web"} in detail["relations"]
    assert detail["impact"] == ["web"]
    assert detail["defined_at"] == "services/db.yaml:5"
    assert (await api.get("/services/orders")).json()["apis"] == ["prices"]


async def test_a_service_in_a_namespace_is_found_with_its_slash_written_or_escaped(api):
    for path in ("/services/billing/invoices", "/services/billing%2Finvoices"):
        assert (await api.get(path)).json()["namespace"] == "billing"


async def test_a_service_that_is_not_there_is_a_problem_with_a_suggestion(api):
    answer = await api.get("/services/ordrs")
    assert answer.status_code == 404
    assert answer.json()["hint"] == "did you mean 'orders'?"


async def test_the_graph_has_who_needs_whom_and_how(api):
    graph = (await api.get("/services/graph")).json()
    assert {(node["name"], node["health"]) for node in graph["nodes"]} == {
        ("billing/invoices", "unknown"),
        ("db", "down"),
        ("orders", "up"),
        ("web", "degraded"),
    }
    assert graph["edges"] == [
        {"from": "web", "to": "db", "type": "dependsOn"},
        {"from": "web", "to": "orders", "type": "consumesApi"},
    ]


async def test_the_graph_around_one_service_leaves_the_rest_out(api):
    graph = (await api.get("/services/graph", params={"service": "db"})).json()
    assert [node["name"] for node in graph["nodes"]] == ["db", "web"]
    assert len(graph["edges"]) == 1


async def test_teams_have_people_services_and_health_even_if_nobody_describes_them(api):
    teams = (await api.get("/teams")).json()["items"]
    told = [(team["name"], team["is_catalogued"]) for team in teams]
    assert told == [("billing/platform", False), ("dba", False), ("platform", True)]
    platform = teams[2]
    assert platform["members"] == [{"name": "ada", "title": "Ada L"}]
    assert (platform["email"], platform["services"]) == ("platform@shop.example", ["orders", "web"])
    assert platform["health"] == {"up": 1, "degraded": 1, "down": 0, "unknown": 0}
