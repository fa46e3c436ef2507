"""From a point of a metric to who owns the cause, one call each; the signals come from OpenTelemetry's own SDK."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
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
from opentelemetry.trace import SpanKind, Status, StatusCode

CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments-team, description: Those who answer for payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders}
spec: {type: service, lifecycle: production, owner: payments-team}
"""
CHECK = """
checks:
  - name: orders-ready
    kind: http
    service: orders
    every: 1h
    http: {url: http://127.0.0.1:9/readyz}
"""


class Orders:
    """A small service as people write them: a span, a histogram and a log line for each order."""

    def __init__(self, url: str) -> None:
        resource = Resource.create({"service.name": "orders"})
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics"), float("inf"))
        self.metrics = MeterProvider([reader], resource)
        self.tracer = self.traces.get_tracer("orders")
        self.took = self.metrics.get_meter("orders").create_histogram("order.duration", "s")
        self.log = self.logs.get_logger("orders")

    def take(self) -> None:
        with self.tracer.start_as_current_span("POST /order", kind=SpanKind.SERVER) as span:
            self.log.emit(
                timestamp=time.time_ns(), severity_number=SeverityNumber.ERROR, body="the bank refused the card"
            )
            span.set_status(Status(StatusCode.ERROR, "refused"))
            self.took.record(0.42, {"route": "/order"})

    def close(self) -> None:
        for provider in (self.metrics, self.logs, self.traces):
            provider.shutdown()


@contextmanager
def orders(url: str) -> Iterator[Orders]:
    service = Orders(url)
    try:
        yield service
    finally:
        service.close()


def sell(url: str) -> None:
    with orders(url) as service:
        service.take()
        assert service.metrics.force_flush()


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_step_is_one_call(serving, ops: Path) -> None:
    for folder, text in (("services", CATALOG), ("checks", CHECK)):
        (ops / folder).mkdir()
        (ops / folder / "shop.yaml").write_text(text)
    async with serving() as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        began = time.time() - 60
        await asyncio.to_thread(sell, url)
        window = {"start": began, "end": time.time() + 60}

        point = await get(client, "/prometheus/api/v1/query", query="order_duration_seconds_count")
        (series,) = point["data"]["result"]
        assert (series["metric"]["job"], series["value"][1]) == ("orders", "1")

        found = await get(client, "/prometheus/api/v1/query_exemplars", query="order_duration_seconds_bucket", **window)
        exemplar = found["data"][0]["exemplars"][0]
        trace_id, span_id = exemplar["labels"]["trace_id"], exemplar["labels"]["span_id"]

        trace = await get(client, f"/api/v1/traces/{trace_id}")
        assert trace["spans"]["ids"] == [span_id]

        (span,) = await get(client, f"/api/v1/traces/{trace_id}/spans/{span_id}")
        assert (span["service"], span["status_message"]) == ("orders", "refused")

        query = f'{{service_name="{span["service"]}"}} | trace_id="{trace_id}" | span_id="{span_id}"'
        lines = await get(client, "/loki/api/v1/query_range", query=query, **window)
        assert [line[1] for stream in lines["data"]["result"] for line in stream["values"]] == [
            "the bank refused the card"
        ]

        service = await get(client, f"/api/v1/services/{span['service']}")
        assert service["owner"] == "payments-team"

        assert (await client.post("/api/v1/checks/orders-ready/run")).status_code in {200, 202}
        events = await get(client, "/api/v1/events", service="orders", kind="check.changed")
        assert events["items"][0]["data"]["check"] == "orders-ready"

        owner = await get(client, f"/api/v1/catalog/entities/group/default/{service['owner']}")
        assert owner["entity"]["description"] == "Those who answer for payments"

        around = await get(client, "/api/v1/around", trace_id=trace_id)
        assert (around["service"], around["owner"]["owner"]) == ("orders", "group:default/payments-team")
        (check,) = [each for each in around["findings"] if each["title"] == "check.changed check/orders-ready"]
        assert check["reason"].startswith("Check orders-ready went from unknown to down")
