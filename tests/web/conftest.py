"""The HTTP front around routes that a test brings along."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, Depends
from prometheus_client import CollectorRegistry

from holdfast import web
from holdfast.kernel.auth import OpenGate, public
from holdfast.kernel.wiring import Wiring

OPEN = [Depends(public("a test's own route"))]


@pytest.fixture
def build_front():
    """Build the front; `routes(router)` adds routes below `/api/v1`, and options go to `build_app`."""

    def build(routes=None, *, wiring=None, **options):
        router = APIRouter(dependencies=OPEN)
        if routes:
            routes(router)
        wirings = [Wiring("test", routers=(router,)), *([wiring] if wiring else [])]
        options = {"gate": OpenGate(), "registry": CollectorRegistry(), **options}
        return web.build_app(wirings, **options)

    return build


@pytest.fixture
async def visit():
    """Open a client to a front."""
    clients = []

    def open_client(front, **options):
        transport = httpx.ASGITransport(front, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://localhost", **options)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        await client.aclose()
