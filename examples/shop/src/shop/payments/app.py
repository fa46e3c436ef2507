"""Puts payments together."""

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from shop.api import new_api
from shop.chassis import Dependency, Loop, Service, now_ms
from shop.payments.charges import forget_old_charges
from shop.payments.processor import Processor
from shop.payments.provider import Provider, Temper
from shop.payments.routes import routes
from shop.settings import Settings
from shop.storage import Database

MIGRATIONS = Path(__file__).parent / "migrations"
KEPT_MS = 24 * 3600 * 1000
CANARY_S = 0.5


def build(settings: Settings, temper: Temper | None = None, rng: random.Random | None = None) -> ASGIApp:
    """Return payments, ready to serve; `temper` and `rng` tune its provider."""
    service = Service("payments", settings)
    database = Database.open(settings, "payments", service.faults)
    provider = Provider(service.faults, temper or Temper(), rng or random.Random())
    processor = Processor(provider)
    service.health.add(Dependency("database", database.ping))
    service.health.add(Dependency("provider", processor.probe))

    async def tidy() -> bool:
        return await database.write(forget_old_charges, now_ms() - KEPT_MS) > 0

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.migrate(MIGRATIONS)
        canary = Loop("canary", processor.canary, pause_s=CANARY_S)
        async with canary.running(), Loop("tidy", tidy, pause_s=600).running():
            yield
        await database.close()

    app = new_api("Shop payments", settings.release, lifespan)
    app.include_router(routes(database, processor))
    # Latency and errors on command strike the provider, as they would in life; the service itself stays honest.
    return service.dress(app, strikes_requests=False)
