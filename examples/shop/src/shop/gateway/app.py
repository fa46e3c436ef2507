"""Puts the gateway together."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from shop.api import new_api
from shop.chassis import Faults, Service, shared_secret
from shop.gateway.access import Access
from shop.gateway.limits import Limits
from shop.gateway.routes import cart_routes, order_routes, pass_failure, product_routes, session_routes
from shop.gateway.tokens import Tokens
from shop.peers import Peer, PeerUnavailable
from shop.settings import Settings

SECRET_FILE = "gateway.secret"  # noqa: S105 -- the name of a file, not a secret
DEADLINE_S = 5.0


def build(settings: Settings, limits: Limits | None = None) -> ASGIApp:
    """Return the gateway, ready to serve; `limits` are its rates."""
    service = Service("gateway", settings)
    catalog = Peer("catalog", settings.url("catalog"), service.faults)
    # A checkout waits for stock and money: its deadline is the sum of theirs.
    orders = Peer("orders", settings.url("orders"), service.faults, deadline_s=DEADLINE_S)
    service.health.add(catalog.dependency())
    service.health.add(orders.dependency())
    tokens = Tokens(shared_secret(settings.data / SECRET_FILE))
    access = Access(tokens, limits or Limits())
    return service.dress(_assemble(settings.release, access, tokens, catalog, orders))


def describe(release: str) -> dict[str, Any]:
    """Return the OpenAPI document of the public API, without opening or reading anything."""
    tokens = Tokens("")
    nowhere = Peer("nowhere", "http://127.0.0.1:1", Faults())
    return _assemble(release, Access(tokens, Limits()), tokens, nowhere, nowhere).openapi()


def _assemble(release: str, access: Access, tokens: Tokens, catalog: Peer, orders: Peer) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await catalog.close()
        await orders.close()

    app = new_api("Shop", release, lifespan)
    app.include_router(session_routes(access, tokens))
    app.include_router(product_routes(access, catalog))
    app.include_router(cart_routes(access, orders))
    app.include_router(order_routes(access, orders))
    app.add_exception_handler(PeerUnavailable, pass_failure)
    return app
