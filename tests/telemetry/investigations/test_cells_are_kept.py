"""`/investigations` over a real database: cells stay in their order, nobody's change is lost, all of it is told."""

from __future__ import annotations

import asyncio
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
from holdfast.telemetry.investigations import Notebook
from holdfast.telemetry.investigations import notebook as notebooks
from holdfast.telemetry.investigations.cells import Evidence
from holdfast.telemetry.investigations.routes import routes


class Blind:
    """A witness of cells that need none, with a trace of what logs may hold."""

    async def take(self, *_asked: Any) -> Evidence:
        return Evidence(data={"streams": [{"text": "a\0b"}]})


def note(text: str = "Looked at the bank.", **more: Any) -> dict[str, Any]:
    return {"kind": "note", "content": {"text": text}, **more}


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.telemetry.investigations.migrations")


@pytest.fixture
async def log(db):
    return EventLog(db, SystemClock())


@pytest.fixture
async def api(db, log):
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(routes(Notebook(db, log, SystemClock()), Blind()))  # type: ignore[arg-type] # a stand-in
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
async def page(api) -> str:
    answer = await api.post("/investigations", json={"title": "Refused payments"})
    assert answer.status_code == 201, answer.text
    path: str = f"/investigations/{answer.json()['id']}"
    return path


async def add(api, page: str, text: str, **more: Any) -> str:
    answer = await api.post(f"{page}/cells", json=note(text, **more))
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    return name


async def texts(api, page: str) -> list[str]:
    return [cell["content"]["text"] for cell in (await api.get(page)).json()["cells"]]


async def test_cells_stand_where_they_were_put(api, page):
    first, last = await add(api, page, "first"), await add(api, page, "last")
    await add(api, page, "middle", after=first)
    await add(api, page, "top", is_first=True)
    assert await texts(api, page) == ["top", "first", "middle", "last"]
    assert (await api.post(f"{page}/cells/{last}/move", json={"after": None})).status_code == 204
    assert (await api.post(f"{page}/cells/{first}/move", json={"after": last})).status_code == 204
    assert await texts(api, page) == ["last", "first", "top", "middle"]
    assert (await api.delete(f"{page}/cells/{first}")).status_code == 204
    assert await texts(api, page) == ["last", "top", "middle"]
    assert (await api.get("/investigations", params={"q": "REFUSED"})).json()["items"][0]["cells"] == 3


async def test_what_no_database_keeps_is_marked(api, page):
    await add(api, page, "binary")
    [cell] = (await api.get(page)).json()["cells"]
    assert cell["evidence"]["data"] == {"streams": [{"text": "a\ufffdb"}]}


async def test_there_is_always_room_between_two_cells(api, page):
    first = await add(api, page, "0")
    await add(api, page, "end")
    for number in range(1, 30):
        await add(api, page, str(number), after=first)
    assert await texts(api, page) == ["0", *(str(number) for number in range(29, 0, -1)), "end"]


async def test_two_people_at_one_cell_do_not_overwrite_each_other(api, page):
    cell = await add(api, page, "draft")
    mine = {"content": {"text": "mine"}, "version": 1}
    assert (await api.put(f"{page}/cells/{cell}", json=mine)).json()["version"] == 2
    refused = await api.put(f"{page}/cells/{cell}", json={"content": {"text": "theirs"}, "version": 1})
    assert (refused.status_code, "to version 2" in refused.json()["detail"]) == (409, True)
    assert await texts(api, page) == ["mine"]
    await api.delete(f"{page}/cells/{cell}")
    gone = await api.put(f"{page}/cells/{cell}", json={"content": {"text": "late"}, "version": 2})
    assert (gone.status_code, "removed it" in gone.json()["hint"]) == (404, True)


async def test_people_who_add_at_once_lose_nothing(api, page):
    await asyncio.gather(*(add(api, page, str(number)) for number in range(20)))
    assert sorted(await texts(api, page), key=int) == [str(number) for number in range(20)]


async def test_what_is_done_is_told_without_its_content(api, page, log):
    cell = await add(api, page, "a secret")
    await api.put(f"{page}/cells/{cell}", json={"content": {"text": "another"}, "version": 1})
    await api.delete(f"{page}/cells/{cell}")
    await api.put(page, json={"title": "Bank"})
    await api.delete(page)
    events = await log.read(DEFAULT_TENANT, after=0)
    assert [event.kind.removeprefix("investigation.") for event in events] == [
        *("opened", "cell_added", "cell_changed", "cell_removed", "renamed", "deleted")
    ]
    assert "secret" not in repr(events)
    assert (await api.get(page)).status_code == 404
    assert (await api.post(f"{page}/cells", json=note())).status_code == 404


async def test_there_are_limits(api, page, monkeypatch):
    monkeypatch.setattr(notebooks, "MOST_CELLS", 1)
    monkeypatch.setattr(notebooks, "MOST", 1)
    await add(api, page, "one")
    refused = await api.post(f"{page}/cells", json=note())
    assert (refused.status_code, "1 cells" in refused.json()["detail"]) == (429, True)
    assert (await api.post("/investigations", json={"title": "more"})).status_code == 429


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ({"kind": "metrics", "content": {}}, "queries"),
        ({"kind": "metrics", "content": {"queries": ["up"], "start": "2026-01-01T00:00:00Z"}}, "end"),
        ({"kind": "trace", "content": {}}, "trace_id"),
        ({"kind": "trace", "content": {"trace_id": "xyz"}}, "trace_id"),
        ({"kind": "line", "content": {}}, "line"),
        ({"kind": "song", "content": {}}, "kind"),
        ({"kind": "note", "content": {"text": "x" * 70_000}}, "text"),
        ({"kind": "note", "content": {"colour": "red"}}, "colour"),
    ],
)
async def test_what_makes_no_cell_is_refused(api, page, cell, told):
    refused = await api.post(f"{page}/cells", json=cell)
    assert (refused.status_code, told in refused.text) == (422, True), refused.text


async def test_other_tenants_see_nothing(api, page):
    other = {"headers": {"X-Scope-OrgID": "other"}}
    assert (await api.get(page, **other)).status_code == 404
    assert (await api.get("/investigations", **other)).json()["items"] == []
    assert (await api.post(f"{page}/cells", json=note(), **other)).status_code == 404


async def test_markdown_of_people_cannot_break_the_page(api, page):
    await add(api, page, "**bold** <script>alert(1)</script>")
    line = {"ns": "1700000000000000000", "text": "```\n# no heading", "labels": {"a": "b`c"}}
    assert (await api.post(f"{page}/cells", json={"kind": "line", "content": {"line": line}})).status_code == 201
    text = (await api.get(f"{page}/export")).text
    assert text.startswith("# Refused payments\n")
    assert "````\n2023-11-14T22:13:20.000Z ```\n# no heading\n````" in text
    assert '`{a="b\'c"}`' in text
