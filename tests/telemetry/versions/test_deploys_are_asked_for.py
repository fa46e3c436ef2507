"""`/deploys` over a real database: who may record, what is refused, what is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI, Request

from holdfast.kernel import auth
from holdfast.kernel.auth import Identity, OpenGate
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import DeniedError
from holdfast.kernel.events import EventLog
from holdfast.kernel.http import problems
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.permissions import Role
from holdfast.telemetry.versions import VersionBook, VersionsSettings
from holdfast.telemetry.versions.permissions import READ, RECORD
from holdfast.telemetry.versions.routes import routes
from holdfast.telemetry.versions.telling import Teller

SAID = {"service": "orders", "version": "1.2.0", "environment": "production", "commit": "4f2a9c1", "by": "ci"}
NEEDED = {permission.name: permission.role for permission in (READ, RECORD)}


class NamedGate(OpenGate):
    """Believes which role the header names."""

    async def admit(self, request: Request, permission: str) -> Identity:
        role = Role(request.headers.get("X-Role", "responder"))
        if not role.covers(NEEDED[permission]):
            raise DeniedError(f"this needs the permission {permission}")
        return Identity("session-1", "ada", role, DEFAULT_TENANT, user_id="ada")


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.telemetry.versions.migrations")


@pytest.fixture
async def api(db):
    app, clock = FastAPI(), SystemClock()
    problems.install(app, lambda: None)
    auth.install(app, NamedGate())
    app.include_router(routes(VersionBook(db, Teller(EventLog(db, clock)), clock, VersionsSettings())))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_a_record_is_listed_with_all_that_was_said(api):
    at = (datetime.now(UTC) - timedelta(minutes=1)).replace(microsecond=0)
    said = {**SAID, "url": "https://ci.example/builds/7", "at": at.isoformat()}
    answer = await api.post("/deploys", json=said)
    assert answer.status_code == 201, answer.text
    (item,) = (await api.get("/deploys", params={"service": "orders"})).json()["items"]
    assert item == answer.json()["deploy"]
    assert {name: item[name] for name in SAID} == SAID
    assert datetime.fromisoformat(item["began_at"]) == at
    assert (item["url"], item["state"], item["first_seen"]) == (said["url"], "running", None)
    assert (await api.get("/deploys", params={"service": "bank"})).json()["items"] == []
    later = {"since": datetime.now(UTC).isoformat()}
    assert (await api.get("/deploys", params=later)).json()["items"] == []


async def test_a_viewer_reads_and_does_not_record(api):
    viewer = {"X-Role": "viewer"}
    assert (await api.get("/deploys", headers=viewer)).status_code == 200
    refused = await api.post("/deploys", json=SAID, headers=viewer)
    assert (refused.status_code, "deploys.record" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"service": ""}, "service"),
        ({"version": "x" * 201}, "version"),
        ({"version": "a\nb"}, "version"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"at": "2026-01-31T12:00:00"}, "at"),
        ({"at": "2999-01-31T12:00:00Z"}, "at"),
        ({"at": 0}, "at"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(api, wrong, place):
    refused = await api.post("/deploys", json={**SAID, **wrong})
    assert (refused.status_code, place in refused.text) == (422, True)
    assert (await api.get("/deploys")).json()["items"] == []
