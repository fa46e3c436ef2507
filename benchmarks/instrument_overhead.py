"""What watching a request costs, beside the middlewares that people use for the same: one FastAPI route, in process.

No sockets: what is measured is the app and what surrounds it. Rounds take turns, so that a busy machine hits all alike;
the cost is the median round less the bare app. The ratio is ours to each peer: under 1 is cheaper. Metrics alone, and
metrics with a sampled span of the SDK; the import of the library and a scrape are measured too.
Run: make bench BENCH=benchmarks/instrument_overhead.py
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from starlette_exporter import PrometheusMiddleware

from holdfast import instrument, journal

ROUNDS = 25
REQUESTS = 600
IMPORTS = 7
OURS = "holdfast"
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/orders/7",
    "raw_path": b"/orders/7",
    "query_string": b"",
    "root_path": "",
    "client": ("127.0.0.1", 40000),
    "server": ("127.0.0.1", 8000),
    "headers": [(b"host", b"shop"), (b"user-agent", b"bench"), (b"accept", b"*/*")],
}

App = Callable[..., Any]


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/orders/{order_id}")
    async def order(order_id: str) -> dict[str, str]:
        return {"id": order_id}

    return app


def with_ours(tracer: Any = None) -> App:
    return instrument.AsgiMiddleware(make_app(), service="shop", registry=CollectorRegistry(), tracer=tracer)


def with_instrumentator() -> App:
    app = make_app()
    Instrumentator(registry=CollectorRegistry()).instrument(app)
    return app


def with_exporter() -> App:
    app = make_app()
    app.add_middleware(PrometheusMiddleware, app_name="shop", group_paths=True)
    return app


def with_opentelemetry(tracers: TracerProvider | None = None) -> App:
    meters = MeterProvider([InMemoryMetricReader()])
    return OpenTelemetryMiddleware(make_app(), tracer_provider=tracers, meter_provider=meters)


def contenders() -> dict[str, dict[str, App]]:
    """Give the apps of each group by name; the first is bare."""
    tracers = TracerProvider(shutdown_on_exit=False)
    return {
        "metrics": {
            "bare": make_app(),
            OURS: with_ours(),
            "prometheus-fastapi-instrumentator": with_instrumentator(),
            "starlette-exporter": with_exporter(),
            "opentelemetry-instrumentation-asgi": with_opentelemetry(),
        },
        "metrics and a sampled span": {
            "bare": make_app(),
            OURS: with_ours(tracers.get_tracer("bench")),
            "opentelemetry-instrumentation-asgi": with_opentelemetry(tracers),
        },
    }


async def run_round(app: App) -> float:
    """Give the microseconds of one request, the mean of a round."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise SystemExit(f"the app answered {message['status']}")

    started = time.perf_counter()
    for _ in range(REQUESTS):
        await app(dict(SCOPE), receive, send)
    return (time.perf_counter() - started) / REQUESTS * 1e6


async def measure(apps: dict[str, App]) -> dict[str, float]:
    rounds: dict[str, list[float]] = {name: [] for name in apps}
    for app in apps.values():
        await run_round(app)
    for _ in range(ROUNDS):
        for name, app in apps.items():
            gc.collect()
            rounds[name].append(await run_round(app))
    return {name: statistics.median(times) for name, times in rounds.items()}


def report(title: str, medians: dict[str, float]) -> None:
    bare = medians.pop("bare")
    ours = medians[OURS] - bare
    print(f"\n{title}: the bare app takes {bare:.0f} us a request")
    for name, median in sorted(medians.items(), key=lambda pair: pair[1]):
        cost = median - bare
        ratio = "" if name == OURS else f"   ours/theirs {ours / cost:.2f}"
        print(f"  {name:<36} +{cost:6.1f} us{ratio}")


def measure_import() -> float:
    """Give the milliseconds that importing the room takes, the median of some fresh interpreters."""
    code = (
        "import time, json; t = time.perf_counter(); import holdfast.instrument; "
        "print(json.dumps((time.perf_counter() - t) * 1000))"
    )
    found = [json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)]
    found += [
        json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(IMPORTS)
    ]
    return statistics.median(found)


def measure_scrape() -> float:
    """Give the milliseconds of a scrape of everything that a program usually watches."""
    registry = CollectorRegistry()
    stop = instrument.watch_process(registry)
    instrument.policy_metrics(registry)
    times = []
    for _ in range(50):
        started = time.perf_counter()
        instrument.encode_metrics(registry, "application/openmetrics-text; version=1.0.0")
        times.append((time.perf_counter() - started) * 1000)
    stop()
    return statistics.median(times)


def main() -> None:
    journal.configure(service="bench", level="error")
    for title, apps in contenders().items():
        report(title, asyncio.run(measure(apps)))
    print(
        f"\nimport holdfast.instrument: {measure_import():.1f} ms; a scrape of the process: {measure_scrape():.1f} ms"
    )


if __name__ == "__main__":
    main()
