"""Whatever stands in any field of a body, the API refuses it by the field's name or keeps it, and can show it again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

import httpx
import pytest

from fixtures.servers import journal_elsewhere

PANEL: Final = {
    "id": "a", "kind": "stat", "queries": [{"expr": "up"}], "thresholds": [{"value": 1, "status": "up"}],
    "options": {"text": "x"},
}  # fmt: skip
DASHBOARD: Final = {
    "title": "t",
    "tags": ["x"],
    "rows": [{"title": "r", "panels": [PANEL]}],
    "variables": [{"name": "v", "kind": "custom", "options": ["a"]}],
}
GRAFANA: Final = {
    "title": "t",
    "tags": ["a"],
    "annotations": {"list": [{"builtIn": 1, "name": "x"}]},
    "panels": [
        {
            "type": "gauge",
            "id": 1,
            "targets": [{"expr": "up", "datasource": {"type": "prometheus"}, "legendFormat": "x"}],
            "gridPos": {"x": 0, "y": 0, "w": 6, "h": 6},
            "fieldConfig": {
                "defaults": {"unit": "s", "max": 1, "thresholds": {"steps": [{"value": 1, "color": "red"}]}}
            },
        },
        {"type": "row", "panels": [{"type": "text", "options": {"content": "x"}}]},
    ],
    "templating": {"list": [{"name": "v", "type": "custom", "query": "a,b", "current": {"value": ["a"]}}]},
}
FINDING: Final = {
    "service": "s", "lane": "l", "reason": "r", "moved_at": "2026-01-01T00:00:00Z", "sure": 0.5, "curve": [1.0],
}  # fmt: skip
NOTE: Final = {"title": "t", "text": "x", "line": {"ns": "1", "text": "x", "labels": {"a": "b"}}, "finding": FINDING}
SEARCH: Final = {"kind": "logs", "name": "n", "query": "{}", "view": "a=1", "folder": "f", "tags": ["a"]}
DEPLOY: Final = {"service": "s", "version": "v", "commit": "c", "url": "https://x", "at": "2026-01-01T00:00:00Z"}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/v1/dashboards": {"document": DASHBOARD, "message": "m"},
    "PUT /api/v1/dashboards/{dashboard}": {"document": DASHBOARD, "version": 1},
    "POST /api/v1/dashboards/import?save=true": GRAFANA,
    "POST /api/v1/searches": SEARCH,
    "PUT /api/v1/searches/{search}": SEARCH,
    "POST /api/v1/investigations": {"title": "t"},
    "POST /api/v1/investigations/{investigation}/cells": {"kind": "finding", "content": NOTE, "is_first": False},
    "PUT /api/v1/investigations/{investigation}/cells/{cell}": {"content": NOTE, "version": 1},
    "POST /api/v1/investigations/{investigation}/cells/{cell}/move": {"after": "x"},
    "POST /api/v1/scrub/try": {"lines": ["a b c"]},
    "POST /api/v1/deploys": DEPLOY,
    "POST /api/v1/traces/compare": {"left": {}, "right": {}},
}
# What a field may hold instead, as it stands in JSON.
ODD: Final = (
    "null", "true", "-1", "1.5", "1e17", "9" * 30, "[]", "[{}]", "{}", '{"a":{}}', '"a\\u0000b"', '"😀"',
    '"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:00"', '{"' + "k" * 2000 + '":1}', f"[{'{},' * 2000}1]",
)  # fmt: skip
# What a database may see otherwise than another one.
STORED: Final = ("1e17", "9" * 30, '"a\\u0000b"', '"😀"', '"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:00"')
BROKEN: Final = ("NaN", "-Infinity", "1e400", '"\\ud800"', "[" * 100_000, "9" * 5000)
READ: Final = (
    "/api/v1/dashboards",
    "/api/v1/dashboards/{dashboard}",
    "/api/v1/searches",
    "/api/v1/investigations/{investigation}",
    "/api/v1/investigations/{investigation}/export",
    "/api/v1/deploys",
    "/api/v1/events",
)
JSON: Final = {"content-type": "application/json"}
MARK: Final = "@mark@"


def variants(value: Any) -> Iterator[Any]:
    """Give a body again and again, each time with the mark in place of another part of it."""
    yield MARK
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        for other in variants(part):
            copy = value.copy()
            copy[key] = other
            yield copy


def judge(answer: Any) -> str:
    """Say what is wrong with an answer; nothing if it is fine."""
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500 or answer.headers["content-type"] != "application/problem+json":
        return f"{answer.status_code} {answer.text[:200]}"
    told = answer.json()
    has_field = bool(told.get("place", {}).get("field")) or "problems" in told or answer.status_code in {404, 409}
    is_of_database = told["hint"] == "is there a NUL byte in it?" if "hint" in told else False  # PostgreSQL keeps none
    return (
        ""
        if (has_field or is_of_database) and len(answer.content) < 100_000
        else f"{len(answer.content)} {answer.text[:200]}"
    )


async def begin(client: httpx.AsyncClient) -> dict[str, str]:
    """Make one of each thing that has a name; give the names."""
    names = {
        "dashboard": (await client.post("/api/v1/dashboards", json={"document": DASHBOARD})).json()["id"],
        "search": (await client.post("/api/v1/searches", json=SEARCH)).json()["id"],
        "investigation": (await client.post("/api/v1/investigations", json={"title": "t"})).json()["id"],
    }
    cells = f"/api/v1/investigations/{names['investigation']}/cells"
    names["cell"] = (await client.post(cells, json={"kind": "note", "content": {"text": "x"}})).json()["id"]
    return names


async def send_odd(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], odds: Sequence[str]
) -> AsyncIterator[str]:
    """Send a body with each part of it replaced; give what is wrong with answers."""
    for number, variant in enumerate(variants(body)):
        text = json.dumps(variant)
        for odd in (*odds, *(BROKEN if number < 3 else ())):
            content = text.replace(json.dumps(MARK), odd).encode()
            answer = await client.request(method, path, content=content, headers=JSON)
            said = judge(answer)
            if said or (odd in BROKEN and answer.status_code != 422):
                yield f"{method} {path} {text[:300]} with {odd[:40]}: {answer.status_code} {said}"


async def send_undeclared(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]
) -> AsyncIterator[str]:
    """Send a body that is empty, or not declared as JSON; give what is wrong with answers."""
    whole = json.dumps(body).encode()
    for content, headers in ((b"", JSON), (whole, {}), (whole, {"content-type": "text/plain"})):
        answer = await client.request(method, path, content=content, headers=headers)
        if (answer.status_code, answer.json().get("hint")) != (422, "send JSON, with Content-Type: application/json"):
            yield f"{method} {path} {headers}: {answer.text[:200]}"


async def read_all(client: httpx.AsyncClient, names: dict[str, str]) -> AsyncIterator[str]:
    """Read what was kept; give what cannot be shown."""
    listed = (await client.get("/api/v1/dashboards")).json()["items"]
    for path in (*READ, *(f"/api/v1/dashboards/{each['id']}" for each in listed)):
        answer = await client.get(path.format(**names))
        if answer.status_code != 200:
            yield f"{path}: {answer.text[:200]}"


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
async def test_no_field_of_a_body_breaks_the_server(
    running: Any, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue("postgres_database_url") if database == "postgres" else ""
    faults: list[str] = []
    with journal_elsewhere():
        async with running(database={"url": url}) as client:
            names = await begin(client)
            for operation, body in BODIES.items():
                method, path = operation.format(**names).split()
                faults += [each async for each in send_odd(client, method, path, body, STORED if url else ODD)]
                faults += [each async for each in send_undeclared(client, method, path, body)]
            faults += [each async for each in read_all(client, names)]
    assert faults == []
