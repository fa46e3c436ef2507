"""A door of remote write over a sink that keeps rows, called over HTTP through the real app assembly."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fixtures.arrivals import KeepingSink
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.metrics.remote import RemoteWriter, write_routes
from holdfast.web.assembly import build_app


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


@pytest.fixture
def door(sink: KeepingSink) -> RemoteWriter:
    return RemoteWriter(sink)


@pytest.fixture
async def client(door: RemoteWriter) -> Any:
    permissions = (Permission("metrics.write", Role.OPERATOR, "Write."),)
    wiring = Wiring("telemetry", surfaces=(write_routes(door),), permissions=permissions)
    app = build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client
