"""Puts the catalog together."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from shop.api import new_api
from shop.catalog.cache import CatalogCache
from shop.catalog.routes import routes
from shop.catalog.seed import seed
from shop.chassis import Dependency, Service
from shop.settings import Settings
from shop.storage import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def build(settings: Settings) -> ASGIApp:
    """Return the catalog, ready to serve; it connects when its lifespan begins."""
    service = Service("catalog", settings)
    database = Database.open(settings, "catalog", service.faults)
    cache = _open_cache(settings, service)
    service.health.add(Dependency("database", database.ping))
    service.health.add(Dependency("cache", cache.ping, is_required=False))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.migrate(MIGRATIONS, seed)
        cache.watch()
        yield
        await cache.close()
        await database.close()

    app = new_api("Shop catalog", settings.release, lifespan)
    app.include_router(routes(database, cache))
    return service.dress(app)


def _open_cache(settings: Settings, service: Service) -> CatalogCache:
    if settings.redis_url is None:
        return CatalogCache()
    # Redis' client costs 30 MB and 0.4 s to import: only who uses it pays.
    from shop.catalog.redis_cache import ShopStore  # noqa: PLC0415 -- see above

    return CatalogCache(ShopStore(settings.redis_url, service.faults))
