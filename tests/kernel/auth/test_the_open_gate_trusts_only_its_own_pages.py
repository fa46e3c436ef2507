"""With authentication off everybody is an administrator, but other sites cannot use a visitor's browser."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI

from holdfast.kernel.auth import Identity, OpenGate, install, requires
from holdfast.kernel.http import problems


@pytest.fixture
def client():
    app = FastAPI()
    problems.install(app, str)
    install(app, OpenGate())

    @app.api_route("/thing", methods=["GET", "POST"])
    async def thing(identity: Annotated[Identity, Depends(requires("thing.do"))]) -> list[str]:
        return [identity.name, identity.role, identity.tenant, identity.actor]

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:4653")


async def test_everybody_is_an_administrator(client):
    assert (await client.post("/thing")).json() == ["anonymous", "admin", "default", "anonymous"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:4653"}, 200),
        ({"origin": "http://localhost:4654"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_another_site_cannot_change_anything(client, headers, status):
    assert (await client.post("/thing", headers=headers)).status_code == status
    assert (await client.get("/thing", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("header", "tenant"), [("team-a", "team-a"), ("a" * 150, "a" * 150), ("a(b)'!._*-", "a(b)'!._*-")]
)
async def test_a_request_names_its_tenant(client, header, tenant):
    assert (await client.get("/thing", headers={"X-Scope-OrgID": header})).json()[2] == tenant


@pytest.mark.parametrize("header", ["", "a/b", "..", ".", "*", "a" * 151, "a|b", "a b"])
async def test_what_is_no_tenant_is_refused(client, header):
    answer = await client.get("/thing", headers={"X-Scope-OrgID": header})
    assert answer.status_code == 422
    assert answer.json()["place"] == {"field": "header.X-Scope-OrgID"}
