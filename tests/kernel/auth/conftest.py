"""The room of people and tokens behind the real HTTP front, on each database, with a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import APIRouter, Depends
from prometheus_client import CollectorRegistry

from holdfast import web
from holdfast.kernel import auth
from holdfast.kernel.auth import Identity, Permission, Role, requires
from holdfast.kernel.auth.passwords import Passwords
from holdfast.kernel.blobs import Blobs, MemoryStore
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.http import OutboundHttp
from holdfast.kernel.http.settings import OutboundSettings
from holdfast.kernel.secrets import Secret, Secrets
from holdfast.kernel.settings import Settings
from holdfast.kernel.wiring import Ground, Wiring

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "another good passphrase"


@dataclass
class House:
    """A running room, and browsers to visit it with."""

    auth: auth.Auth
    app: web.WebApp
    ground: Ground
    clock: FakeClock
    clients: list[httpx.AsyncClient]

    def visit(self, address: str = "10.0.0.1", **headers: str) -> httpx.AsyncClient:
        """Give a browser, or a program when it brings a token."""
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        client = httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=headers)
        self.clients.append(client)
        return client

    async def set_up(self, name: str = "ada") -> httpx.AsyncClient:
        """Make the first administrator; give their browser."""
        link = await self.auth.issue_setup_link()
        assert link is not None
        browser = self.visit()
        body = {"token": link.reveal(), "name": name, "password": PASSWORD}
        answer = await browser.post("/setup", json=body)
        assert answer.status_code == 201, answer.text
        browser.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return browser

    async def log_in(self, name: str, password: str = PASSWORD, address: str = "10.0.0.1") -> httpx.AsyncClient:
        """Log somebody in; give their browser."""
        browser = self.visit(address)
        answer = await browser.post("/session", json={"name": name, "password": password})
        assert answer.status_code == 201, answer.text
        browser.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return browser

    async def events(self, tenant: str = "default") -> list:
        """Give the audit trail, oldest first."""
        return await self.ground.events.read(tenant, after=0, limit=1000)


def thing_routes() -> APIRouter:
    """A room for the permissions to guard."""
    router = APIRouter()

    @router.get("/thing", operation_id="seeThing")
    async def see(identity: Annotated[Identity, Depends(requires("thing.see"))]) -> dict[str, str]:
        return {"actor": identity.actor, "tenant": identity.tenant, "role": identity.role}

    @router.post("/thing", operation_id="turnThing")
    async def turn(identity: Annotated[Identity, Depends(requires("thing.turn"))]) -> dict[str, str]:
        return {"actor": identity.actor}

    return router


THING = Wiring(
    "thing",
    routers=(thing_routes(),),
    permissions=(
        Permission("thing.see", Role.VIEWER, "See the thing."),
        Permission("thing.turn", Role.OPERATOR, "Turn the thing."),
    ),
)


@pytest.fixture
def migrations():
    """The tables of people and of the audit trail."""
    return ("holdfast.kernel.events.migrations", "holdfast.kernel.auth.migrations")


@pytest.fixture
def other_rooms():
    """More rooms to guard, which a test brings along."""
    return ()


@pytest.fixture
async def build_house(db, other_rooms):
    """Build a house; `mode="off"` for one that nobody logs in to."""
    houses = []

    async def build(mode="on", **settings):
        clock, registry = FakeClock(), CollectorRegistry()
        secrets = Secrets.standard({}, clock)
        ground = Ground(
            settings=Settings({"auth": auth.AuthSettings(**settings)}),
            clock=clock,
            db=db,
            events=EventLog(db, clock),
            secrets=secrets,
            http=OutboundHttp(OutboundSettings(), secrets.redactor),
            metrics=registry,
            blobs=Blobs(MemoryStore()),
        )
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        room = auth.wire(ground, mode=mode, passwords=passwords)
        app = web.build_app([room.wiring, THING, *other_rooms], gate=room.gate, registry=registry)
        house = House(room, app, ground, clock, [])
        houses.append(house)
        return house

    yield build
    for house in houses:
        for client in house.clients:
            await client.aclose()
        async with house.auth.wiring.lifespan():
            pass


@pytest.fixture
async def house(build_house):
    """A house that people log in to."""
    return await build_house()


def secret(text: str) -> Secret:
    """Wrap a text."""
    return Secret(text)
