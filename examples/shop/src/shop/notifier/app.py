"""Puts the notifier together."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp

from shop.chassis import Dependency, Loop, Service, now_ms
from shop.notifier.inbox import forget_old_letters
from shop.notifier.mailer import Mailer
from shop.notifier.poison import poison
from shop.notifier.routes import routes
from shop.notifier.worker import Worker
from shop.settings import Settings
from shop.storage import Database

MIGRATIONS = Path(__file__).parent / "migrations"
KEPT_MS = 24 * 3600 * 1000


def build(settings: Settings) -> ASGIApp:
    """Return the notifier, ready to serve; events come over HTTP, and from NATS where there is one."""
    service = Service("notifier", settings)
    database = Database.open(settings, "notifier", service.faults)
    worker = Worker(database, Mailer(service.faults))
    loop = Loop("inbox", worker.work, pause_s=0.5)
    service.health.add(Dependency("database", database.ping))
    service.health.add(Dependency("mailer", worker.probe_mailer))
    service.health.add(Dependency("dead-letters", worker.probe_dead_letters, is_required=False))
    service.faults.add_effect("poison", lambda _plan: poison(database))

    async def tidy() -> bool:
        return await database.write(forget_old_letters, now_ms() - KEPT_MS) > 0

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await database.migrate(MIGRATIONS)
        async with contextlib.AsyncExitStack() as running:
            running.push_async_callback(database.close)
            await running.enter_async_context(loop.running())
            await running.enter_async_context(Loop("tidy", tidy, pause_s=600).running())
            if settings.nats_url is not None:
                # Without NATS its client is never imported.
                from shop.notifier.subscription import subscribe  # noqa: PLC0415 -- see above

                await running.enter_async_context(subscribe(settings.nats_url, service, database, loop.wake))
            yield

    app = Starlette(routes=routes(database, loop.wake), lifespan=lifespan)
    # Latency and errors on command strike the mail provider, not the door where events come in.
    return service.dress(app, strikes_requests=False)
