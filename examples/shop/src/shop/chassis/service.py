"""What every service process has: faults, health, metrics, correlation, admin door; a service adds its own routes.

`Service` is made first, the service's parts register with it, and `dress` turns the bare app into the one to serve.
"""

import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

from prometheus_client import Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

from holdfast import instrument
from shop.chassis.admin import admin_routes
from shop.chassis.effects import burn_cpu, leak_memory
from shop.chassis.faults import Faults
from shop.chassis.health import Dependency, Health, Status, livez
from shop.chassis.ids import shared_secret
from shop.chassis.outcomes import OutcomeWindow
from shop.chassis.problems import Problem, answer_problem
from shop.chassis.releases import running
from shop.chassis.requests import RequestMiddleware
from shop.settings import ADMIN_TOKEN_FILE, Settings

_build_info = Gauge("shop_build_info", "1, for the release that runs", ["service", "release"])


class Service:
    """One service process in the making."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.faults = Faults(
            {"cpu": burn_cpu, "leak_bytes_per_s": leak_memory, "bad_release": lambda _plan: self._run_bad_release()}
        )
        self.health = Health()
        self.outcomes = OutcomeWindow("requests failed")
        self.health.add(Dependency("requests", self.outcomes.probe))

        _build_info.labels(name, self.release).set(1)

    @property
    def release(self) -> str:
        """The version that runs now; a bad release says so."""
        return f"{self.settings.release}+bad" if self.faults.plan.bad_release else self.settings.release

    async def strike(self) -> None:
        """Suffer what is broken on command: call it where a request's work begins.

        Raises:
            InjectedError: For the fault's share of calls.
            KeyError: The bug of a bad release.
        """
        await self.faults.strike()
        self.run_release()

    def run_release(self) -> None:
        """Run the code that is new in a bad release.

        Raises:
            KeyError: Its bug.
        """
        if self.faults.plan.bad_release:
            _price_of_next_release()

    def dress(self, app: Starlette, *, strikes_requests: bool = True) -> ASGIApp:
        """Add the operational routes and what surrounds every request.

        Args:
            app: The bare service.
            strikes_requests: Whether latency and errors hit its requests; a service whose work is done elsewhere
                (behind a provider, in a worker) calls `faults.strike` there instead.
        """
        app.router.routes.extend(
            [
                Route("/livez", livez),
                Route("/readyz", self._readyz),
                Route("/metrics", instrument.metrics_endpoint()),
                *admin_routes(self.faults, shared_secret(self.settings.data / ADMIN_TOKEN_FILE)),
            ]
        )
        app.add_exception_handler(Problem, answer_problem)
        app.router.lifespan_context = _watched(app.router.lifespan_context)
        app.add_middleware(RequestMiddleware, service=self, strikes_requests=strikes_requests)
        return instrument.AsgiMiddleware(app, service=self.name)

    @contextlib.asynccontextmanager
    async def _run_bad_release(self) -> AsyncIterator[None]:
        self._tell(self.release)
        yield
        self._tell(self.settings.release)

    def _tell(self, release: str) -> None:
        running.name = release
        _build_info.clear()
        _build_info.labels(self.name, release).set(1)

    async def _readyz(self, _request: Request) -> Response:
        status, findings = await self.health.probe()
        body = {
            "status": status.value,
            "service": self.name,
            "release": self.release,
            "checks": {name: finding.as_json() for name, finding in findings.items()},
        }
        return JSONResponse(body, 503 if status is Status.FAILING else 200)


def _watched(lifespan: Lifespan[Any]) -> Lifespan[Any]:
    """Watch the process and its event loop for as long as the service lives."""

    @contextlib.asynccontextmanager
    async def watched(app: Any) -> AsyncIterator[Any]:
        stops = (instrument.watch_process(), instrument.watch_event_loop(), instrument.watch_policies(is_logging=False))
        try:
            async with lifespan(app) as state:
                yield state
        finally:
            for stop in stops:
                stop()

    return watched


def _price_of_next_release() -> str:
    """The bug of the bad release: it reads a field that not every product has."""
    price = {"amount": "19.90"} if random.random() < 0.4 else {"amount": "19.90", "currency": "EUR"}
    return price["currency"]
