"""Templates of routes that call an ASGI app of their own, and of mounts of one; those that an app says itself."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from holdfast.instrument import AsgiMiddleware, metrics_endpoint

TEMPLATES = {
    "/metrics": "/metrics",
    "/of/shop": "/of/{service}",
    "/mounted/": "/mounted/{path}",
    "/mounted/a/b": "/mounted/{path}",
    "/nowhere": "unmatched",
}


@pytest.mark.parametrize("framework", [Starlette, FastAPI])
@pytest.mark.parametrize("path", TEMPLATES)
async def test_the_template(registry, figures, framework, path):
    app = framework()
    app.router.add_route("/metrics", metrics_endpoint(registry))
    app.router.add_route("/of/{service}", metrics_endpoint(registry))
    app.mount("/mounted", metrics_endpoint(registry))
    watched = AsgiMiddleware(app, service="shop", registry=registry)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url="http://x") as client:
        await client.get(path)
    assert figures.values("http_server_requests_total", "route") == {TEMPLATES[path]}


@pytest.mark.parametrize("key", ["holdfast.route", "path_template"])  # the latter is Litestar's
async def test_an_app_may_say_its_route_itself(registry, figures, key):
    async def app(scope, _receive, send):
        scope[key] = "/orders/{order}"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"paid"})

    watched = AsgiMiddleware(app, service="shop", registry=registry)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url="http://x") as client:
        await client.get("/orders/7")
    assert figures.values("http_server_requests_total", "route") == {"/orders/{order}"}
