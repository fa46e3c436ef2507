"""`/catalog/...` as callers see it."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from fixtures.ops import component
from holdfast.catalog.routes import routes
from holdfast.kernel import auth
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.http import problems


@pytest.fixture
async def api(ops_folder):
    entities = ops_folder.read(
        a=component("web", "system: shop", "dependsOn: [resource:db]"), b=component("db", kind="Resource")
    )
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(routes(lambda: entities))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_entities_are_listed_by_kind_and_name(api):
    items = (await api.get("/catalog/entities")).json()["items"]
    assert [(item["ref"], item["service"]) for item in items] == [
        ("component:default/web", "web"),
        ("resource:default/db", "db"),
    ]
    assert len((await api.get("/catalog/entities", params={"kind": "RESOURCE"})).json()["items"]) == 1
    assert len((await api.get("/catalog/entities", params={"q": "WE"})).json()["items"]) == 1


async def test_one_entity_tells_its_relations_and_its_line(api):
    detail = (await api.get("/catalog/entities/component/default/web")).json()
    assert {"type": "dependsOn", "target": "resource:default/db", "is_defined": True} in detail["relations"]
    assert {"type": "partOf", "target": "system:default/shop", "is_defined": False} in detail["relations"]
    assert (detail["defined_at"], detail["spec"]["type"]) == ("services/a.yaml:5", "service")


async def test_an_entity_that_is_not_there_is_a_problem(api):
    answer = await api.get("/catalog/entities/component/default/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_loose_ends_are_listed(api):
    items = (await api.get("/catalog/warnings")).json()["items"]
    assert any("system:default/shop is named here and not in the catalog" in item for item in items)
