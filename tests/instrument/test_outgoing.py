"""Outgoing requests: what they carry, and what is counted of them."""

from __future__ import annotations

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from holdfast import journal
from holdfast.instrument import BoundedLabel, httpx_hooks


def answer(request):
    if request.url.path == "/gone":
        raise httpx.ConnectError("refused", request=request)
    return httpx.Response(200, json=dict(request.headers))


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
async def client(registry):
    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, event_hooks=httpx_hooks(registry)) as client:
        yield client


async def test_trace_and_correlation_id_are_passed_on(client):
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("caller") as span, journal.bind(correlation_id="req-1"):
        sent = (await client.get("http://stock:8080/items")).json()
    context = span.get_span_context()
    assert sent["traceparent"].startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")
    assert sent["x-correlation-id"] == "req-1"


async def test_outside_of_a_request_nothing_is_added(client):
    sent = (await client.get("http://stock:8080/items")).json()
    assert not {"traceparent", "x-correlation-id"} & set(sent)


async def test_a_header_that_the_caller_set_stays(client):
    with journal.bind(correlation_id="req-1"):
        sent = (await client.get("http://stock/", headers={"X-Correlation-ID": "mine"})).json()
    assert sent["x-correlation-id"] == "mine"


async def test_responses_are_counted_and_timed_by_peer(client, registry):
    await client.get("http://stock:8080/items/1")
    await client.get("http://stock:8080/items/2")
    labels = {"peer": "stock:8080", "method": "GET"}
    assert registry.get_sample_value("http_client_requests_total", {**labels, "status": "200"}) == 2
    assert registry.get_sample_value("http_client_request_duration_seconds_count", labels) == 2


async def test_a_request_without_a_response_shows_as_the_difference(client, registry):
    with pytest.raises(httpx.ConnectError):
        await client.get("http://stock/gone")
    labels = {"peer": "stock", "method": "GET"}
    assert registry.get_sample_value("http_client_requests_started_total", labels) == 1
    assert registry.get_sample_value("http_client_requests_total", {**labels, "status": "200"}) is None


def test_sync_clients_use_the_same_hooks(registry):
    with httpx.Client(transport=httpx.MockTransport(answer), event_hooks=httpx_hooks(registry)) as client:
        client.get("http://stock/items")
    labels = {"peer": "stock", "method": "GET", "status": "200"}
    assert registry.get_sample_value("http_client_requests_total", labels) == 1


def test_a_label_has_only_so_many_values():
    label = BoundedLabel(2)
    assert [label.admit(value) for value in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]
    assert label.refused == 2
