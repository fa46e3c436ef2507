"""OpenTelemetry's own SDK sends with another `service.version`, and Holdfast tells of the deploy by itself, once."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop" / "src"


@contextmanager
def orders(url: str, version: str, name: str = "orders") -> Iterator[dict[str, Any]]:
    """A process of the service: what sends each of its signals, by name."""
    attributes = {"service.version": version, "service.instance.id": f"{name}-{version}"}
    resource = Resource.create({"service.name": name, "deployment.environment.name": "production", **attributes})
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics"), float("inf"))
    metrics = MeterProvider([reader], resource)
    count = metrics.get_meter("orders").create_counter("orders")

    def log() -> None:
        logs.get_logger("orders").emit(
            timestamp=time.time_ns(), severity_number=SeverityNumber.INFO, body="an order was placed"
        )

    def measure() -> None:
        count.add(1)
        metrics.force_flush()

    def trace() -> None:
        traces.get_tracer("orders").start_span("POST /order").end()

    try:
        yield {"traces": trace, "logs": log, "metrics": measure}
    finally:
        for provider in (metrics, logs, traces):
            provider.shutdown()


async def versions(client: httpx.AsyncClient, count: int, service: str = "orders") -> list[dict[str, Any]]:
    """Wait until so many versions of a service are known, and the newest runs."""
    while True:
        answer = await client.get("/api/v1/deploys", params={"service": service})
        items: list[dict[str, Any]] = answer.json()["items"]
        if len(items) >= count and items[0]["state"] == "running":
            return items
        await asyncio.sleep(0.05)


async def told(client: httpx.AsyncClient, service: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/v1/events", params={"kind": "deploy."})).json()["items"]
    return [item for item in items if service in {"", item["service"]}]


async def test_another_version_makes_one_event_whatever_tells_it(serving) -> None:
    async with serving() as url, httpx.AsyncClient(base_url=url) as client:
        for signal in ("traces", "logs", "metrics"):
            await see_another_version(url, client, signal, f"orders-{signal}")


async def see_another_version(url: str, client: httpx.AsyncClient, signal: str, name: str) -> None:
    with orders(url, "1.0.0", name) as old, orders(url, "1.1.0", name) as new:
        await asyncio.to_thread(old[signal])
        (baseline,) = await versions(client, 1, name)
        assert (baseline["version"], baseline["is_baseline"], baseline["state"]) == ("1.0.0", True, "running")
        assert await told(client, name) == []
        for _ in range(3):
            await asyncio.to_thread(new[signal])
            await asyncio.to_thread(old[signal])
        now, _ = await versions(client, 2, name)
        for other in old.keys() - {signal}:
            await asyncio.to_thread(new[other])
    assert (now["version"], now["from_version"], now["state"]) == ("1.1.0", "1.0.0", "running")
    (event,) = await told(client, name)
    data = event["data"]
    assert (event["kind"], event["service"], event["subject"]) == ("deploy.seen", name, f"service/{name}")
    assert (data["from"], data["version"], data["environment"]) == ("1.0.0", "1.1.0", "production")
    assert (data["signal"], data["instance"]) == (signal, f"{name}-1.1.0")
    assert ("trace_id" in data) == (signal == "traces")

    answer = await client.get("/api/v1/around", params={"service": name})
    (found,) = (each for each in answer.json()["findings"] if each["title"].startswith("deploy.seen"))
    assert found["lane"] == "events"
    assert found["reason"] == f"{name} runs 1.1.0 in production now, after 1.0.0."


async def test_a_start_does_not_tell_again_and_a_deploy_in_between_is_seen(serving) -> None:
    for version, others in (("1", 0), ("2", 1), ("2", 1)):
        async with serving() as url, httpx.AsyncClient(base_url=url) as client:
            with orders(url, version) as service:
                await asyncio.to_thread(service["traces"])
                await versions(client, 1 + others)
            events = await told(client)
            assert [event["data"]["version"] for event in events] == ["2"] * others


async def test_what_ci_records_and_telemetry_sees_is_one_deploy(serving) -> None:
    said = {"service": "orders", "version": "2", "environment": "production", "commit": "4f2a", "by": "ci"}
    async with serving() as url, httpx.AsyncClient(base_url=url) as client:
        with orders(url, "1") as old, orders(url, "2") as new:
            await asyncio.to_thread(old["traces"])
            await versions(client, 1)
            made = await client.post("/api/v1/deploys", json=said)
            assert made.status_code == 201, made.text
            assert (made.json()["is_new"], made.json()["deploy"]["state"]) == (True, "awaited")
            await asyncio.to_thread(new["traces"])
            await versions(client, 2)
            again = await client.post("/api/v1/deploys", json={**said, "url": "https://ci.example/7"})
            assert (again.json()["is_new"], again.json()["deploy"]["url"]) == (False, "https://ci.example/7")
        (event,) = await told(client)
        assert (event["kind"], event["data"]["from"], event["data"]["by"]) == ("deploy.recorded", "1", "ci")


@pytest.mark.slow
async def test_the_bad_release_of_the_shop_is_seen(serving, tmp_path) -> None:
    async with serving() as url, httpx.AsyncClient(base_url=url) as client:
        with catalog_of_the_shop(url, tmp_path) as (port, shop):
            buying = asyncio.create_task(ask_catalog(port))
            (baseline,) = await versions(client, 1, "catalog")
            await asyncio.to_thread(shop, "break", "catalog", "--bad-release")
            now, _ = await versions(client, 2, "catalog")
            buying.cancel()
        assert (baseline["version"], now["version"], now["from_version"]) == ("1.0.0", "1.0.0+bad", "1.0.0")
        (event,) = await told(client)
        assert (event["kind"], event["service"]) == ("deploy.seen", "catalog")


@contextmanager
def catalog_of_the_shop(url: str, folder: Path) -> Iterator[tuple[int, Callable[..., None]]]:
    """Run the demo shop's catalog, which exports to `url`; give its port and the shop's command."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SHOP_", "OTEL_"))}
    environ |= {"PYTHONPATH": os.pathsep.join([str(SHOP), *sys.path]), "OTEL_EXPORTER_OTLP_ENDPOINT": url}
    where = ["--data", str(folder / "shop"), "--base-port", str(port - 1)]

    def shop(*command: str) -> None:
        subprocess.run([sys.executable, "-m", "shop", *command, *where], env=environ, capture_output=True, check=True)

    serve = [sys.executable, "-m", "shop", "run", "catalog", *where]
    with subprocess.Popen(serve, env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            yield port, shop
        finally:
            process.terminate()


async def ask_catalog(port: int) -> None:
    """Ask for products, for ever; the service may not listen yet."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            with suppress(httpx.TransportError):
                await client.get("/products")
            await asyncio.sleep(0.1)
