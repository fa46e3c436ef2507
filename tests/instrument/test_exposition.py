"""/metrics: both formats, as the scraper asks, readable to the tools of others."""

from __future__ import annotations

import concurrent.futures
import shutil
import subprocess

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from holdfast import instrument
from holdfast.instrument import calls, current_exemplar, encode_metrics, metrics_endpoint, operations, red

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
async def scraper(registry):
    transport = httpx.ASGITransport(metrics_endpoint(registry))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


async def test_the_scraper_chooses_the_format(scraper, registry):
    Counter("orders", "Orders.", registry=registry).inc()
    plain = await scraper.get("/metrics")
    open_metrics = await scraper.get("/metrics", headers={"Accept": f"{OPENMETRICS},text/plain;q=0.5"})
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert open_metrics.text.endswith("# EOF\n")


async def test_bodies_are_compressed_for_who_takes_it(scraper, registry):
    Counter("orders", "Orders.", registry=registry).inc()
    answer = await scraper.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "orders_total 1.0" in answer.text
    refused = await scraper.get("/metrics", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


async def test_names_may_be_chosen(scraper, registry):
    Counter("orders", "Orders.", registry=registry).inc()
    Gauge("carts", "Carts.", registry=registry).set(2)
    answer = await scraper.get("/metrics", params={"name[]": "carts"})
    assert "carts 2.0" in answer.text
    assert "orders" not in answer.text


def test_units_are_read_off_the_names(registry):
    Histogram("quote_duration_seconds", "Time.", registry=registry)
    Counter("sent_bytes", "Bytes.", registry=registry)
    Gauge("carts", "Carts.", registry=registry)
    Gauge("seconds", "A name that is nothing but a unit.", registry=registry)
    text, _ = encode_metrics(registry, OPENMETRICS)
    units = {family.name: family.unit for family in text_string_to_metric_families(text.decode())}
    assert units == {"quote_duration_seconds": "seconds", "sent_bytes": "bytes", "carts": "", "seconds": ""}


def test_exemplars_of_the_current_span_are_shown_in_openmetrics(registry):
    histogram = Histogram("quote_duration_seconds", "Time.", registry=registry)
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("quote") as span:
        histogram.observe(0.2, current_exemplar())
    text, _ = encode_metrics(registry, OPENMETRICS)
    (family,) = text_string_to_metric_families(text.decode())
    exemplars = [sample.exemplar for sample in family.samples if sample.exemplar]
    assert [it.labels for it in exemplars] == [{"trace_id": f"{span.get_span_context().trace_id:032x}"}]


def test_everything_that_the_library_shows_passes_promtool(registry):
    """Each part registered as a program would have it; the linter of Prometheus finds nothing to say."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    instrument.watch_process(registry)()
    stop = instrument.watch_process(registry)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        instrument.watch_executor(pool, registry, name="work")
        pool.submit(int).result()
    instrument.watch_cache(instrument.CountedMapping({}), registry, name="pages")
    instrument.policy_metrics(registry)
    with instrument.sending("nats", "orders.placed", {}, registry):
        pass
    with instrument.processing("nats", "orders.placed", {}, registry):
        pass
    with operations.operation_metrics(registry).operation("redis", "0", "GET"):
        pass
    operations.pool_gauges(registry)
    red.server_metrics(registry).observe("shop", red.Exchange("GET", "/", 200, 0.1, 0, 0), None)
    red.client_metrics(registry).started.labels("a", "GET").inc()
    for made in (calls.served_calls(registry), calls.made_calls(registry)):
        made.finish("shop.Inventory/Reserve", "OK", 0.1, None)
    text, _ = encode_metrics(registry)
    stop()
    told = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")
    open_metrics, _ = encode_metrics(registry, OPENMETRICS)
    for family in text_string_to_metric_families(open_metrics.decode()):
        assert family.documentation, family.name


def test_a_collector_that_shows_its_unit_keeps_it(registry):
    class Own(Collector):
        def collect(self):
            yield GaugeMetricFamily("heat_celsius", "Heat.", value=20, unit="celsius")

    registry.register(Own())
    assert b"# UNIT heat_celsius celsius" in encode_metrics(registry, OPENMETRICS)[0]


async def test_a_route_of_fastapi_answers_without_a_redirect(registry):
    app = FastAPI()
    app.add_route("/metrics", metrics_endpoint(registry))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await client.get("/openapi.json")).json()["paths"] == {}
