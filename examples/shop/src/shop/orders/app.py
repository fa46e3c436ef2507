"""Puts orders together."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from shop.api import new_api
from shop.chassis import Dependency, Loop, Service, now_ms
from shop.orders import ledger
from shop.orders.bus import Bus, HttpBus
from shop.orders.checkout import Checkout
from shop.orders.outbox import Relay
from shop.orders.poison import poison
from shop.orders.routes import cart_routes, order_routes
from shop.orders.stock import Stock
from shop.peers import Peer
from shop.settings import Settings
from shop.storage import Database

MIGRATIONS = Path(__file__).parent / "migrations"
KEPT_MS = 24 * 3600 * 1000


def build(settings: Settings) -> ASGIApp:
    """Return orders, ready to serve; it connects when its lifespan begins."""
    service = Service("orders", settings)
    database = Database.open(settings, "orders", service.faults)
    catalog = Peer("catalog", settings.url("catalog"), service.faults)
    payments = Peer("payments", settings.url("payments"), service.faults)
    stock = Stock(settings.inventory_address, service.faults)
    bus = _open_bus(settings, service)
    checkout = Checkout(database, catalog, stock, payments)
    relay = Relay(database, bus.publish)
    outbox = Loop("outbox", relay.work, pause_s=1.0)
    for dependency in (
        Dependency("database", database.ping),
        catalog.dependency(),
        stock.dependency(),
        payments.dependency(),
        bus.dependency(),
        Dependency("outbox", relay.probe, is_required=False),
    ):
        service.health.add(dependency)
    service.faults.add_effect("poison", lambda _plan: poison(database))

    async def tidy() -> bool:
        return await database.write(ledger.forget_old_orders, now_ms() - KEPT_MS) > 0

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.migrate(MIGRATIONS)
        async with contextlib.AsyncExitStack() as running:
            running.push_async_callback(database.close)
            running.push_async_callback(catalog.close)
            running.push_async_callback(payments.close)
            await running.enter_async_context(stock.connected())
            await running.enter_async_context(bus.connected())
            for loop in (outbox, Loop("resume", checkout.resume_abandoned, pause_s=5), Loop("tidy", tidy, pause_s=600)):
                await running.enter_async_context(loop.running())
            yield

    app = new_api("Shop orders", settings.release, lifespan)
    app.include_router(cart_routes(database, catalog))
    app.include_router(order_routes(database, checkout, outbox.wake))
    return service.dress(app)


def _open_bus(settings: Settings, service: Service) -> Bus:
    if settings.nats_url is None:
        return HttpBus(Peer("notifier", settings.url("notifier"), service.faults))
    # Without NATS its client is never imported.
    from shop.orders.nats_bus import NatsBus  # noqa: PLC0415 -- see above

    return NatsBus(settings.nats_url, settings, service.faults)
