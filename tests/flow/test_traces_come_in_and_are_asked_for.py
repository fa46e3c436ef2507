"""The real app takes spans from OpenTelemetry's own SDK and gives them to whoever asks as Jaeger's clients do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from fixtures.traces import trace_id


def send(exporter: SpanExporter, service: str) -> str:
    """Send a small trace with the SDK and give its id."""
    provider = TracerProvider(resource=Resource.create({"service.name": service, "deployment.environment": "test"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.orders")
    with tracer.start_as_current_span(
        "GET /orders", kind=SpanKind.SERVER, attributes={"http.status_code": 503}
    ) as root:
        with tracer.start_as_current_span("SELECT orders", kind=SpanKind.CLIENT) as child:
            child.add_event("retry", {"attempt": 2})
            child.set_status(Status(StatusCode.ERROR, "gone away"))
        found = root.get_span_context().trace_id
    provider.shutdown()
    return f"{found:032x}"


async def ask(url: str, path: str, **query: Any) -> Any:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get(f"/jaeger/api{path}", params=query)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert document["errors"] is None
        return document["data"]


async def test_the_stock_sdk_is_understood(serving) -> None:
    async with serving() as url:
        sent = await asyncio.to_thread(send, OTLPSpanExporter(endpoint=f"{url}/v1/traces"), "orders")
        assert await ask(url, "/services") == ["orders"]
        assert await ask(url, "/services/orders/operations") == ["GET /orders", "SELECT orders"]
        assert await ask(url, "/operations", service="orders", spanKind="client") == [
            {"name": "SELECT orders", "spanKind": "client"}
        ]
        (trace,) = await ask(url, f"/traces/{sent}")
        by_name = {span["operationName"]: span for span in trace["spans"]}
        root, child = by_name["GET /orders"], by_name["SELECT orders"]
        assert child["references"] == [{"refType": "CHILD_OF", "traceID": sent, "spanID": root["spanID"]}]
        assert {"key": "http.status_code", "type": "int64", "value": 503} in root["tags"]
        assert {"key": "error", "type": "bool", "value": True} in child["tags"]
        assert child["logs"][0]["fields"] == [
            {"key": "event", "type": "string", "value": "retry"},
            {"key": "attempt", "type": "int64", "value": 2},
        ]
        process = trace["processes"][root["processID"]]
        assert process["serviceName"] == "orders"
        assert {"key": "deployment.environment", "type": "string", "value": "test"} in process["tags"]
        tags = json.dumps({"error": "true"})
        assert [found["traceID"] for found in await ask(url, "/traces", service="orders", tags=tags)] == [sent]
        assert await ask(url, "/traces", service="orders", minDuration="10m") == []


async def test_bad_questions_are_told_so(serving) -> None:
    async with serving() as url, httpx.AsyncClient(base_url=f"{url}/jaeger/api", trust_env=False) as client:
        for path, told in (
            ("/traces", "service"),
            ("/traces?service=x&minDuration=soon", "minDuration"),
            ("/traces?service=x&tags={", "tags"),
            ("/traces?service=x&limit=0", "limit"),
            ("/traces?service=x&start=soon", "start"),
            ("/traces/xyz", "malformed trace id"),
            ("/operations", "service"),
        ):
            answer = await client.get(path)
            assert answer.status_code in {400, 422}, path
            assert told in answer.json()["errors"][0]["msg"]
        answer = await client.get(f"/traces/{trace_id(5)}")
        assert (answer.status_code, answer.json()["data"]) == (404, None)
