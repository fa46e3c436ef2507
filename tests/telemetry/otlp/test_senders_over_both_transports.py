"""The stock OpenTelemetry SDK sends over HTTP and gRPC, and is told what was rejected and what to send again."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as pb
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry

from fixtures.arrivals import KeepingSink
from fixtures.otlp import NOW_NS, counter, point, request
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError, ConflictError, StorageFullError, UnavailableError
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.metrics.otlp import PATHS, OtlpMetrics, metrics_service
from holdfast.telemetry.otlp import OtlpGrpc, OtlpSettings, http_routes
from holdfast.web.assembly import build_app
from holdfast.web.server import bind, serve
from holdfast.web.settings import WebSettings

CONFORMANCE = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "otlp" / "metrics.json"
METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


@pytest.fixture
def service(sink: KeepingSink) -> Any:
    return metrics_service(OtlpMetrics(sink))


@pytest.fixture
def app(service: Any) -> Any:
    permissions = (Permission("metrics.write", Role.OPERATOR, "Write."),)
    wiring = Wiring("telemetry", surfaces=(http_routes(service, *PATHS),), permissions=permissions)
    return build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())


@pytest.fixture
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


@asynccontextmanager
async def grpc_server(service: Any, **settings: Any) -> AsyncIterator[OtlpGrpc]:
    server = OtlpGrpc((service,), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0", **settings))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def http_server(app: Any) -> AsyncIterator[int]:
    started, stop = asyncio.Event(), asyncio.Event()
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    serving = asyncio.create_task(serve(app, listener, WebSettings(), stop=stop, started=started.set))
    await started.wait()
    try:
        yield port
    finally:
        stop.set()
        await serving


def measure(exporter: Any) -> None:
    """Record something with the SDK, and send it."""
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    resource = Resource({"service.name": "shop", "service.instance.id": "1", "host.name": "a"})
    provider = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)
    meter = provider.get_meter("lib", "1.0")
    meter.create_counter("orders", unit="{order}").add(3, {"currency": "EUR"})
    meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1]).record(0.5)
    provider.shutdown()


def check_sdk(kept: Any) -> None:
    found = {(dict(labels)["__name__"], dict(labels).get("le", "")): value for labels, _, value in kept.samples}
    assert found == {
        ("orders_total", ""): 3.0,
        ("latency_seconds_sum", ""): 0.5,
        ("latency_seconds_count", ""): 1.0,
        ("latency_seconds_bucket", "0.1"): 0.0,
        ("latency_seconds_bucket", "1"): 1.0,
        ("latency_seconds_bucket", "+Inf"): 1.0,
        ("target_info", ""): 1.0,
    }
    orders = next(dict(labels) for labels, _, _ in kept.samples if ("__name__", "orders_total") in labels)
    assert (orders["job"], orders["instance"], orders["currency"]) == ("shop", "1", "EUR")
    assert "otel_scope_name" not in orders


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_the_sdk_sends_over_http(app: Any, sink: KeepingSink, compression: Any) -> None:
    async with http_server(app) as port:
        exporter = HttpExporter(
            f"http://127.0.0.1:{port}/v1/metrics", compression=compression, headers={"x-scope-orgid": "t"}
        )
        await asyncio.to_thread(measure, exporter)
    check_sdk(sink.book("t"))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_the_sdk_sends_over_grpc(service: Any, sink: KeepingSink, compression: Any) -> None:
    async with grpc_server(service) as server:
        exporter = GrpcExporter(
            f"127.0.0.1:{server.port}", insecure=True, compression=compression, headers={"x-scope-orgid": "t"}
        )
        await asyncio.to_thread(measure, exporter)
    check_sdk(sink.book("t"))


@pytest.mark.parametrize("error", [BusyError("full"), UnavailableError("away")])
@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_the_sdk_sends_again_what_was_put_off(
    app: Any, service: Any, sink: KeepingSink, monkeypatch: pytest.MonkeyPatch, transport: str, error: Any
) -> None:
    refused, append = [], sink.append

    async def put_off_once(tenant: Any, arrival: Any) -> Any:
        if not refused:
            refused.append(arrival)
            raise error
        return await append(tenant, arrival)

    monkeypatch.setattr(sink, "append", put_off_once)
    headers = {"x-scope-orgid": "t"}
    async with http_server(app) as port, grpc_server(service) as server:
        exporter = (
            HttpExporter(f"http://127.0.0.1:{port}/v1/metrics", headers=headers)
            if transport == "http"
            else GrpcExporter(f"127.0.0.1:{server.port}", insecure=True, headers=headers)
        )
        await asyncio.to_thread(measure, exporter)
    assert refused
    check_sdk(sink.book("t"))


@pytest.mark.skipif(not CONFORMANCE.exists(), reason="../shared/conformance is absent")
@pytest.mark.parametrize("path", PATHS)
async def test_the_example_of_the_specification_is_taken(client: Any, sink: KeepingSink, path: str) -> None:
    answer = await client.post(path, content=CONFORMANCE.read_bytes(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, {})
    found = {dict(labels)["__name__"]: value for labels, _, value in sink.book("default").samples}
    assert found == {
        "my_counter_total": 5.0,
        "my_gauge_ratio": 10.0,
        "my_histogram_sum": 2.0,
        "my_histogram_count": 2.0,
        "my_histogram_bucket": 2.0,
    }
    native = sink.book("default").histograms[0]
    assert (dict(native[0])["__name__"], native[2].count, native[2].zero_count) == (
        "my_exponential_histogram",
        3.0,
        1.0,
    )


async def test_json_ids_are_hexadecimal(client: Any, sink: KeepingSink) -> None:
    exemplar = {
        "asDouble": 1,
        "timeUnixNano": str(NOW_NS),
        "traceId": "0AF7651916CD43DD8448EB211C80319C",
        "spanId": "07",
    }
    number = {"asDouble": 1, "timeUnixNano": str(NOW_NS), "exemplars": [exemplar], "unknownField": 1}
    metric = {"name": "hits", "sum": {"isMonotonic": True, "aggregationTemporality": 2, "dataPoints": [number]}}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    answer = await client.post("/v1/metrics", json=body)
    assert answer.status_code == 200
    example = dict(sink.book("default").exemplars[0][3])
    assert example == {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "07"}


async def test_what_was_rejected_is_told(client: Any) -> None:
    body = request(counter("λ", point(1.0), point(2.0)), counter("hits", point(1.0))).SerializeToString()
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    answer = await client.post("/v1/metrics", content=gzip.compress(body), headers=headers)
    partial = pb.ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_data_points) == (200, 2)
    assert "nothing is left" in partial.error_message


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"\xff", "application/x-protobuf", 400),
        (b"{", "application/json", 400),
        (b'{"resourceMetrics": 3}', "application/json", 400),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "application/json", 400),
        (b"", "text/plain", 415),
    ],
)
async def test_rubbish_is_refused_for_good(client: Any, body: bytes, kind: str, status: int) -> None:
    answer = await client.post("/v1/metrics", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, None)
    if kind == "application/json":
        assert json.loads(answer.content)["code"] == 3


@pytest.mark.parametrize(
    ("error", "status"), [(BusyError("full"), 429), (StorageFullError("disk"), 503), (UnavailableError("away"), 503)]
)
async def test_what_may_be_sent_again_says_so_over_http(
    client: Any, sink: KeepingSink, error: Any, status: int
) -> None:
    sink.failure = error
    body = request(counter("hits", point(1.0))).SerializeToString()
    answer = await client.post("/v1/metrics", content=body, headers={"content-type": "application/x-protobuf"})
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "1")
    assert str(error).encode() in answer.content


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BusyError("full"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (StorageFullError("disk"), grpc.StatusCode.UNAVAILABLE),
        (UnavailableError("away"), grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_what_may_be_sent_again_says_so_over_grpc(
    service: Any, sink: KeepingSink, error: Any, code: grpc.StatusCode
) -> None:
    sink.failure = error
    async with grpc_server(service) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        call = channel.unary_unary(METHOD, bytes, bytes)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(request(counter("hits", point(1.0))).SerializeToString())
        assert (caught.value.code(), caught.value.details()) == (code, str(error))
        trailing = dict(caught.value.trailing_metadata())
        assert b"google.rpc.RetryInfo" in trailing["grpc-status-details-bin"]
        assert RetryInfo.FromString(trailing["google.rpc.retryinfo-bin"]).retry_delay.seconds == 1
        sink.failure = None
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"\xff")
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", metadata=(("x-scope-orgid", "no/tenant"),))
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert await call(b"") == b""


async def test_a_message_over_the_limit_is_refused(service: Any) -> None:
    async with (
        grpc_server(service, max_message=1000) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(METHOD, bytes, bytes)(bytes(2000))
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_port_that_is_taken_is_told(service: Any) -> None:
    async with grpc_server(service) as server:
        other = OtlpGrpc((service,), OpenGate(), OtlpSettings(grpc_listen=f"127.0.0.1:{server.port}"))
        with pytest.raises(ConflictError, match=r"is taken .*otlp.grpc_listen"):
            await other.start()
