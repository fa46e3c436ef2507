"""The exporter as a process: one port with `/metrics`, `/livez`, `/readyz`, and a page on how the sources are."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from holdfast import instrument
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.http import OutboundHttp
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.exporter.book import ExporterBook
from holdfast.telemetry.metrics.exporter.families import ExporterFamilies
from holdfast.telemetry.metrics.exporter.polling import After, Poller
from holdfast.telemetry.metrics.exporter.sources import World

SHUTDOWN_S = 5


@dataclass(frozen=True, slots=True)
class Exporter:
    """A file's sources at work, and the registry that shows them."""

    poller: Poller
    registry: CollectorRegistry
    http: OutboundHttp

    def render(self) -> str:
        """Write what the sources gave, and how they are, as text; nothing of the exporter's own process."""
        registry = CollectorRegistry()
        registry.register(ExporterFamilies(self.poller))
        return instrument.encode_metrics(registry)[0].decode()


def open_exporter(
    book: ExporterBook, secrets: Secrets, clock: Clock | None = None, *, after: After | None = None
) -> Exporter:
    """Make an exporter; it reads nothing before its poller is told to. `after` hears of each look."""
    registry = CollectorRegistry()
    client = OutboundHttp(book.outbound, secrets.redactor, registry=registry)
    poller = Poller(book, World(client, secrets), clock or SystemClock(), after)
    registry.register(ExporterFamilies(poller))
    return Exporter(poller, registry, client)


def build_app(exporter: Exporter) -> Starlette:
    """Give the ASGI app; its lifespan is that of the sources' reading."""

    async def livez(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> PlainTextResponse:
        waiting = [name for name, state in exporter.poller.states.items() if not state.looks]
        if waiting:
            return PlainTextResponse(f"not read yet: {', '.join(waiting)}\n", 503)
        return PlainTextResponse("ok\n")

    async def show(_request: Request) -> HTMLResponse:
        return HTMLResponse(render_page(exporter))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        stop = instrument.watch_process(exporter.registry)
        task = asyncio.create_task(exporter.poller.run(), name="exporter")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await exporter.http.aclose()
            stop()

    routes = [
        Route("/metrics", instrument.metrics_endpoint(exporter.registry)),
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/", show),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def render_page(exporter: Exporter) -> str:
    """Write the page for people."""
    rows = []
    for name, state in sorted(exporter.poller.states.items()):
        word = "up" if state.is_up else state.error_kind or "not read yet"
        series = state.reading.series if state.reading is not None else 0
        cells = (name, word, state.error, str(series), f"{state.duration_s * 1000:.0f} ms")
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "<tr><th>source</th><th>state</th><th>error</th><th>series</th><th>took</th></tr>"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>holdfast exporter</title>"
        f"<h1>holdfast exporter</h1><p><a href=/metrics>metrics</a></p><table>{head}{''.join(rows)}</table></html>"
    )


async def serve(exporter: Exporter, host: str, port: int) -> None:
    """Serve until the process is told to stop."""
    config = uvicorn.Config(
        build_app(exporter),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    await uvicorn.Server(config).serve()
