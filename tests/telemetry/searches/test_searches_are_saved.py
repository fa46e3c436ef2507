"""`/searches` over a real database: saved, found, shared or private, told in the event log without secrets."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from holdfast.kernel import auth
from holdfast.kernel.auth import Identity, OpenGate
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.http import problems
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.permissions import Role
from holdfast.telemetry.searches import SearchShelf
from holdfast.telemetry.searches import shelf as shelves
from holdfast.telemetry.searches.routes import routes

ROLES = {"ada": Role.RESPONDER, "bob": Role.RESPONDER, "vic": Role.VIEWER, "root": Role.ADMIN}


class NamedGate(OpenGate):
    """Believes whom the header names."""

    async def admit(self, request: Request, permission: str) -> Identity:
        name = request.headers["X-Name"]
        tenant = TenantId(request.headers.get("X-Scope-OrgID", DEFAULT_TENANT))
        return Identity(f"session-{name}", name, ROLES[name], tenant, user_id=name)


def search(name: str = "Refusals", **more: Any) -> dict[str, Any]:
    return {"kind": "logs", "name": name, "query": '{service_name="orders"} |= "refused"', **more}


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.telemetry.searches.migrations")


@pytest.fixture
async def log(db):
    return EventLog(db, SystemClock())


@pytest.fixture
async def api(db, log):
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, NamedGate())
    app.include_router(routes(SearchShelf(db, log, SystemClock())))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers={"X-Name": "ada"}) as client:
        yield client


def of(name: str, **more: str) -> dict[str, Any]:
    return {"headers": {"X-Name": name, **more}}


async def names(api, who: str, **query: str) -> list[str]:
    return [item["name"] for item in (await api.get("/searches", params=query, **of(who))).json()["items"]]


async def test_a_search_is_saved_and_found_again(api):
    answer = await api.post("/searches", json=search(folder="shop", tags=["bank"], view="cols=level"))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    read = (await api.get(f"/searches/{made['id']}")).json()
    assert read == made
    assert (read["owner"], read["is_own"], read["view"], read["tags"]) == ("user/ada", True, "cols=level", ["bank"])
    assert await names(api, "ada", q="bank") == ["Refusals"]
    assert await names(api, "ada", q="REFUSED", kind="logs") == ["Refusals"]
    assert await names(api, "ada", kind="traces") == []


async def test_a_private_search_is_nobody_elses(api, log):
    name = (await api.post("/searches", json=search("my secret"))).json()["id"]
    assert await names(api, "bob") == []
    for method in ("get", "delete"):
        assert (await getattr(api, method)(f"/searches/{name}", **of("root"))).status_code == 404
    assert (await api.put(f"/searches/{name}", json=search(), **of("root"))).status_code == 404
    (event,) = await log.read(DEFAULT_TENANT, after=0)
    assert (event.kind, event.data) == ("search.saved", {"kind": "logs", "is_shared": False})


async def test_a_shared_search_is_seen_by_all_and_changed_by_its_owner(api, log):
    name = (await api.post("/searches", json=search(is_shared=True))).json()["id"]
    assert await names(api, "vic") == ["Refusals"]
    other = (await api.get(f"/searches/{name}", **of("bob"))).json()
    assert not other["is_own"]
    refused = await api.put(f"/searches/{name}", json=search("Mine", is_shared=True), **of("bob"))
    assert (refused.status_code, "somebody else's" in refused.json()["detail"]) == (403, True)
    assert (await api.delete(f"/searches/{name}", **of("bob"))).status_code == 403
    changed = await api.put(f"/searches/{name}", json=search("Better", is_shared=True))
    assert changed.json()["name"] == "Better"
    assert (await api.delete(f"/searches/{name}", **of("root"))).status_code == 204
    assert [(event.kind, event.data["name"]) for event in await log.read(DEFAULT_TENANT, after=0)] == [
        ("search.saved", "Refusals"),
        ("search.changed", "Better"),
        ("search.deleted", "Better"),
    ]


async def test_a_viewer_saves_and_does_not_share(api):
    assert (await api.post("/searches", json=search(), **of("vic"))).status_code == 201
    refused = await api.post("/searches", json=search(is_shared=True), **of("vic"))
    assert (refused.status_code, "searches.share" in refused.json()["detail"]) == (403, True)


async def test_other_tenants_see_nothing(api):
    await api.post("/searches", json=search(is_shared=True))
    other = await api.get("/searches", **of("ada", **{"X-Scope-OrgID": "other"}))
    assert other.json()["items"] == []


async def test_there_is_a_limit_for_each(api, monkeypatch):
    monkeypatch.setattr(shelves, "MOST_OWN", 1)
    await api.post("/searches", json=search())
    refused = await api.post("/searches", json=search("second"))
    assert (refused.status_code, refused.json()["detail"]) == (429, "you have 1 saved searches")
    assert (await api.post("/searches", json=search(), **of("bob"))).status_code == 201


@pytest.mark.parametrize(
    "wrong", [{"kind": "songs"}, {"name": ""}, {"query": "x" * 20_000}, {"view": "a b"}, {"colour": "red"}]
)
async def test_what_makes_no_sense_is_refused(api, wrong):
    assert (await api.post("/searches", json={**search(), **wrong})).status_code == 422
