"""Routes at the root that speak others' protocols are guarded like the API's."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Depends
from prometheus_client import CollectorRegistry

from holdfast.kernel.auth import OpenGate, requires
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.web.assembly import build_app


async def answer() -> str:
    return "here"


def wiring(*dependencies: object) -> Wiring:
    inner = APIRouter(prefix="/theirs")
    inner.add_api_route("/thing", answer, dependencies=list(dependencies))
    outer = APIRouter()
    outer.include_router(inner)
    seen = Permission("things.read", Role.VIEWER, "See things")
    return Wiring(name="things", surfaces=(outer,), permissions=(seen,))


def test_a_surface_without_a_permission_stops_the_start():
    with pytest.raises(RuntimeError, match="/theirs/thing asks for no permission"):
        build_app([wiring()], gate=OpenGate(), registry=CollectorRegistry())


def test_a_guarded_surface_is_served():
    app = build_app([wiring(Depends(requires("things.read")))], gate=OpenGate(), registry=CollectorRegistry())
    assert "/theirs/thing" in app.openapi()["paths"]
