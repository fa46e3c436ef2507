"""`/dashboards` over a real database: made, changed, found again as they were, told in the event log."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from holdfast.kernel import auth
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.http import problems
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.dashboards.checking import read_document
from holdfast.telemetry.dashboards.routes import routes
from holdfast.telemetry.dashboards.shelf import Shelf

PANEL: dict[str, Any] = {"id": "p1", "kind": "timeseries", "title": "Requests", "queries": [{"expr": "up"}]}


def document(title: str = "Shop", **more: Any) -> dict[str, Any]:
    return {"title": title, "rows": [{"panels": [PANEL]}], **more}


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.telemetry.dashboards.migrations")


@pytest.fixture
async def log(db):
    return EventLog(db, SystemClock())


@pytest.fixture
async def shelf(db, log):
    return Shelf(db, log, SystemClock())


@pytest.fixture
async def api(shelf):
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(routes(shelf))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_a_dashboard_is_made_and_read_as_it_was_made(api):
    made = (await api.post("/dashboards", json={"document": document(tags=["shop"]), "message": "first"})).json()
    detail = (await api.get(f"/dashboards/{made['id']}")).json()
    assert (detail["dashboard"]["version"], detail["dashboard"]["source"]) == (1, "console")
    assert detail["document"]["rows"][0]["panels"][0]["queries"][0]["expr"] == "up"
    assert detail["document"]["time"] == {"from": "1h"}
    assert [item["title"] for item in (await api.get("/dashboards", params={"q": "shop"})).json()["items"]] == ["Shop"]


async def test_a_change_makes_a_version_and_the_one_before_is_still_there(api, log):
    name = (await api.post("/dashboards", json={"document": document()})).json()["id"]
    change = {"document": document("Shop 2"), "version": 1, "message": "renamed"}
    assert (await api.put(f"/dashboards/{name}", json=change)).json()["version"] == 2
    versions = (await api.get(f"/dashboards/{name}/versions")).json()["items"]
    assert [(each["version"], each["message"]) for each in versions] == [(2, "renamed"), (1, "")]
    assert (await api.get(f"/dashboards/{name}/versions/1")).json()["title"] == "Shop"
    kinds = [event.kind for event in await log.read(DEFAULT_TENANT, after=0)]
    assert kinds == ["dashboard.saved", "dashboard.saved"]


async def test_two_people_do_not_overwrite_each_other(api):
    name = (await api.post("/dashboards", json={"document": document()})).json()["id"]
    await api.put(f"/dashboards/{name}", json={"document": document("one"), "version": 1})
    refused = await api.put(f"/dashboards/{name}", json={"document": document("other"), "version": 1})
    assert (refused.status_code, "saved version 2" in refused.json()["detail"]) == (409, True)
    assert (await api.get(f"/dashboards/{name}")).json()["document"]["title"] == "one"


async def test_a_deleted_dashboard_is_gone_and_cannot_be_changed(api):
    name = (await api.post("/dashboards", json={"document": document()})).json()["id"]
    assert (await api.delete(f"/dashboards/{name}")).status_code == 204
    assert (await api.get(f"/dashboards/{name}")).status_code == 404
    assert (await api.put(f"/dashboards/{name}", json={"document": document(), "version": 1})).status_code == 404
    assert (await api.get("/dashboards")).json()["items"] == []


async def test_a_wrong_document_is_refused_with_every_fault(api):
    twice = {**document(), "rows": [{"panels": [PANEL, PANEL]}]}
    refused = (await api.post("/dashboards", json={"document": twice})).json()
    assert "2 panels have the id 'p1'" in refused["detail"]
    unknown = (await api.post("/dashboards", json={"document": {**document(), "colour": "red"}})).json()
    assert "colour" in unknown["detail"]


async def test_a_number_that_no_store_keeps_is_refused_with_its_panel(api):
    panel = {"id": "a", "kind": "text", "options": {"deep": [{"text": 10**30}]}}
    answer = await api.post("/dashboards", json={"document": document(rows=[{"panels": [panel]}])})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["place"] == {"field": "rows[0].panels[0].options"}


async def test_a_dashboard_of_a_file_is_shown_and_not_changed(api, shelf):
    shelf.take_files({"shop": read_document(document("From a file"))})
    assert (await api.get("/dashboards/shop")).json()["dashboard"]["source"] == "file"
    refused = await api.put("/dashboards/shop", json={"document": document(), "version": 1})
    assert (refused.status_code, refused.json()["hint"]) == (409, "change its file there")
    others = await api.get("/dashboards", headers={"X-Scope-OrgID": "other"})
    assert others.json()["items"] == []


async def test_an_import_shows_what_is_lost_and_saves_only_when_asked(api):
    grafana = {"schemaVersion": 39, "title": "Node", "panels": [{"type": "nodeGraph", "title": "Map"}]}
    shown = (await api.post("/dashboards/import", json=grafana)).json()
    assert shown["dashboard"] is None
    assert shown["problems"] == [{"path": "panels[0]", "what": "a panel of kind 'nodeGraph' (Map)"}]
    saved = (await api.post("/dashboards/import", params={"save": True}, json=grafana)).json()
    assert (await api.get(f"/dashboards/{saved['dashboard']['id']}")).json()["document"]["title"] == "Node"
