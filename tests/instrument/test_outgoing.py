"""Outgoing requests: what they carry, and what is counted of them."""

from __future__ import annotations

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from holdfast import journal
from holdfast.instrument import BoundedLabel, httpx_hooks, watch_httpx


def answer(request):
    if request.url.path == "/gone":
        raise httpx.ConnectError("refused", request=request)
    return httpx.Response(200, json=dict(request.headers))


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


async def test_a_watched_client_shows_failures_sizes_and_spans(registry, figures, kept_spans):
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        stop = watch_httpx(client, registry)
        sent = (await client.post("http://stock/items?token=secret", content=b"12345")).json()
        with pytest.raises(httpx.ConnectError):
            await client.get("http://stock/gone")
        stop()
        await client.get("http://stock/items")
    assert sent["traceparent"].startswith("00-")
    labels = {"peer": "stock", "method": "POST"}
    assert figures("http_client_requests_total", **labels, status="200") == 1
    assert figures("http_client_request_body_size_bytes_sum", **labels) == 5
    assert figures("http_client_response_body_size_bytes_count", **labels) == 1
    assert figures("http_client_request_failures_total", method="GET", error="ConnectError") == 1
    assert figures("http_client_active_requests") == 0
    assert figures("http_client_requests_started_total") == 2
    good, bad = kept_spans.get_finished_spans()
    assert (good.name, good.attributes["http.response.status_code"]) == ("POST", 200)
    assert good.attributes["url.full"] == "http://stock/items"
    assert not bad.status.is_ok


def test_a_watched_sync_client_sees_mounts_too(registry, figures):
    mounts = {"http://inner": httpx.MockTransport(answer)}
    with httpx.Client(transport=httpx.MockTransport(answer), mounts=mounts) as client:
        watch_httpx(client, registry)
        client.get("http://inner/items")
        client.get("http://stock/items")
    assert figures("http_client_requests_total", peer="inner", status="200") == 1
    assert figures("http_client_requests_total", peer="stock", status="200") == 1


@pytest.mark.parametrize("watched", ["watch_httpx", "httpx_hooks"])
@pytest.mark.parametrize("correlation_id", ["bestellung-ü", "one\r\ntwo", "x" * 70_000])
def test_an_id_that_no_header_can_hold_does_not_go_along(registry, watched, correlation_id):
    asked = []

    def answer(request):
        asked.append(request.headers.get("x-correlation-id"))
        return httpx.Response(200)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    if watched == "watch_httpx":
        watch_httpx(client, registry)
    else:
        client.event_hooks = httpx_hooks(registry)
    with journal.bind(correlation_id=correlation_id):
        assert client.get("http://peer/").status_code == 200
    assert asked == [None]


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1", "five"])
def test_a_peer_may_say_any_length(registry, figures, length):
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=[(b"content-length", length.encode())]))
    )
    watch_httpx(client, registry)
    assert client.get("http://peer/").status_code == 200
    assert figures("http_client_response_body_size_bytes_count") is None
