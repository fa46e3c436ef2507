"""Incoming requests: what is counted under which labels, and which ids go in and out."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer, StatusCode
from starlette.routing import Route, Router

from holdfast import journal
from holdfast.instrument import AsgiMiddleware, metrics_endpoint


@pytest.fixture
def spans():
    return InMemorySpanExporter()


@pytest.fixture
def app():
    app = FastAPI()
    nested = APIRouter(prefix="/shops/{shop_id}")

    @app.get("/orders/{order_id}")
    async def order(order_id: str):
        return {"id": order_id, **journal.bound_fields()}

    @app.get("/fail")
    async def fail():
        raise RuntimeError("no")

    @app.get("/hang")
    async def hang():
        await asyncio.Event().wait()

    @nested.get("/orders/{order_id}")
    async def nested_order(order_id: str):
        return order_id

    @app.websocket("/live")
    async def live(websocket: WebSocket):
        await websocket.accept()
        await websocket.close()

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    app.include_router(nested)
    app.mount("/tenants/{tenant}", Router([Route("/{thing}", AsgiObject(inner))]))
    return app


class AsgiObject:
    def __init__(self, app):
        self.app = app

    async def __call__(self, *args):
        await self.app(*args)


@pytest.fixture
async def client(app, registry, spans):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    wrapped = AsgiMiddleware(app, service="orders", registry=registry, tracer=provider.get_tracer("test"))
    transport = httpx.ASGITransport(wrapped, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://orders") as client:
        yield client


def count(registry, **labels):
    return registry.get_sample_value("http_server_requests_total", {"service": "orders", **labels})


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/orders/7", "/orders/{order_id}"),
        ("/shops/3/orders/7", "/shops/{shop_id}/orders/{order_id}"),
        ("/tenants/acme/report", "/tenants/{tenant}/{thing}"),
    ],
)
async def test_requests_are_counted_under_the_template_of_their_route(client, registry, path, template):
    await client.get(path)
    counted = [
        sample.labels["route"]
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "http_server_requests_total"
    ]
    assert counted == [template]


async def test_paths_that_no_route_knows_share_one_series(client, registry):
    for number in range(20):
        await client.get(f"/wp-admin/{number}")
    assert count(registry, method="GET", route="unmatched", status="404") == 20


async def test_methods_that_nobody_knows_share_one_series(client, registry):
    await client.request("BREW", "/orders/7")
    assert count(registry, method="other", route="/orders/{order_id}", status="405") == 1


async def test_an_error_of_the_app_counts_as_500_and_marks_the_span(client, registry, spans):
    await client.get("/fail")
    assert count(registry, method="GET", route="/fail", status="500") == 1
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert registry.get_sample_value("http_server_active_requests", {"service": "orders"}) == 0


async def test_a_client_that_went_away_is_not_an_error_of_the_server(client, registry):
    task = asyncio.ensure_future(client.get("/hang"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert registry.get_sample_value("http_server_active_requests", {"service": "orders"}) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert count(registry, method="GET", route="/hang", status="499") == 1


async def test_durations_are_observed(client, registry):
    await client.get("/orders/7")
    labels = {"service": "orders", "method": "GET", "route": "/orders/{order_id}"}
    assert registry.get_sample_value("http_server_request_duration_seconds_count", labels) == 1


async def test_a_correlation_id_comes_in_is_bound_and_goes_out(client):
    answer = await client.get("/orders/7", headers={"X-Correlation-ID": "req-1"})
    assert answer.json()["correlation_id"] == "req-1"
    assert answer.headers["x-correlation-id"] == "req-1"
    assert not journal.correlation_id()


@pytest.mark.parametrize("hostile", ["", "a b", "x" * 129, 'x"\\', "ä"])
async def test_a_correlation_id_that_could_do_harm_is_replaced(client, hostile):
    answer = await client.get("/orders/7", headers={"X-Correlation-ID": hostile.encode()})
    assert len(answer.headers["x-correlation-id"]) == 32


async def test_the_span_continues_the_callers_trace_and_is_named_by_route(client, spans):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await client.get("/orders/7", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    (span,) = spans.get_finished_spans()
    assert span.name == "GET /orders/{order_id}"
    assert f"{span.context.trace_id:032x}" == trace_id == answer.json()["trace_id"]
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.attributes["http.response.status_code"] == 200


async def test_websockets_are_counted_apart(app, registry):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/live", "headers": [], "query_string": b"", "subprotocols": []}
    await AsgiMiddleware(app, service="orders", registry=registry)(scope, receive, send)
    assert count(registry, method="WEBSOCKET", route="/live", status="101") == 1
    assert any(name == b"x-correlation-id" for name, _ in sent[0]["headers"])


async def test_two_apps_may_share_a_registry(app, registry):
    AsgiMiddleware(app, service="a", registry=registry)
    AsgiMiddleware(app, service="b", registry=registry)


async def test_metrics_are_shown_to_prometheus(client, registry):
    await client.get("/orders/7")
    transport = httpx.ASGITransport(Router([Route("/metrics", metrics_endpoint(registry))]))
    async with httpx.AsyncClient(transport=transport, base_url="http://orders") as scraper:
        text = (await scraper.get("/metrics")).text
        openmetrics = (await scraper.get("/metrics", headers={"Accept": "application/openmetrics-text"})).text
    assert 'http_server_requests_total{method="GET",route="/orders/{order_id}",service="orders"' in text
    assert '# {trace_id="' in openmetrics


async def test_bodies_are_measured_and_exceptions_named(client, app, registry):
    @app.post("/upload")
    async def upload(request: Request):
        return PlainTextResponse(b"x" * 2000 + str(len(await request.body())).encode())

    await client.post("/upload", content=b"y" * 12_345)
    labels = {"service": "orders", "method": "POST", "route": "/upload"}
    assert registry.get_sample_value("http_server_request_body_size_bytes_sum", labels) == 12_345
    assert registry.get_sample_value("http_server_response_body_size_bytes_sum", labels) == 2005
    await client.get("/fail")
    labels = {"service": "orders", "route": "/fail", "exception": "RuntimeError"}
    assert registry.get_sample_value("http_server_exceptions_total", labels) == 1


async def test_skipped_paths_are_not_counted(app, registry):
    wrapped = AsgiMiddleware(app, service="orders", registry=registry, skip=["/orders/7"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(wrapped), base_url="http://orders") as client:
        answer = await client.get("/orders/7")
    assert "x-correlation-id" not in answer.headers
    assert count(registry, method="GET", route="/orders/{order_id}", status="200") is None


async def test_an_exemplar_points_to_the_span_that_another_library_has_made(app, registry):
    outer = TracerProvider(shutdown_on_exit=False).get_tracer("another")
    wrapped = AsgiMiddleware(app, service="orders", registry=registry, tracer=NoOpTracer())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(wrapped), base_url="http://orders") as client:
        with outer.start_as_current_span("outer") as span:
            await client.get("/orders/7")
    exemplars = [sample.exemplar for family in registry.collect() for sample in family.samples if sample.exemplar]
    assert [it.labels["trace_id"] for it in exemplars] == [f"{span.get_span_context().trace_id:032x}"]


async def test_headers_may_be_missing_or_of_a_kind_that_is_read_once(registry):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": iter([(b"etag", b"7")])})
        await send({"type": "http.response.body", "body": b""})

    sent = []

    async def send(message):
        sent.append(message)

    wrapped = AsgiMiddleware(app, service="orders", registry=registry)
    await wrapped({"type": "http", "method": "GET", "path": "/"}, None, send)
    names = [name for name, _ in sent[0]["headers"]]
    assert names == [b"etag", b"x-correlation-id"]
