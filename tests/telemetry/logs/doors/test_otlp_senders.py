"""The stock OpenTelemetry SDK sends logs over HTTP and gRPC; what it sends comes out as Loki's OTLP endpoint has it."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import pytest
from backports import zstd
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as pb
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry

from fixtures.logs import rows, wanted
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError, LimitError, StorageFullError, after
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.logs import LogsSettings, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.otlp import PATHS, OtlpLogs, OtlpLogsSettings, logs_service
from holdfast.telemetry.otlp import OtlpGrpc, OtlpSettings, http_routes
from holdfast.web.assembly import build_app
from holdfast.web.server import bind, serve
from holdfast.web.settings import WebSettings

CONFORMANCE = Path(__file__).resolve().parents[5] / "shared" / "conformance" / "otlp"
METHOD = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


class FailingSink(MemoryLogSink):
    """Fails as it is told; else keeps what comes."""

    error: Exception | None = None

    async def append(self, tenant, arrival):
        if self.error is not None:
            raise self.error
        return await super().append(tenant, arrival)


@pytest.fixture
def source():
    return MemoryLogSource()


@pytest.fixture
def sink(source):
    return FailingSink(source)


@pytest.fixture
def service(sink):
    return logs_service(OtlpLogs(sink))


@pytest.fixture
def app(service):
    permissions = (Permission("logs.write", Role.OPERATOR, "Write."),)
    wiring = Wiring("logs", surfaces=(http_routes(service, *PATHS),), permissions=permissions)
    return build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
async def grpc_port(service):
    server = OtlpGrpc((service,), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0"))
    await server.start()
    yield server.port
    await server.stop()


@pytest.fixture
async def http_port(app):
    started, stop = asyncio.Event(), asyncio.Event()
    listener = bind("127.0.0.1", 0)
    serving = asyncio.create_task(serve(app, listener, WebSettings(), stop=stop, started=started.set))
    await started.wait()
    yield listener.getsockname()[1]
    stop.set()
    await serving


def say(exporter: Any) -> None:
    """Log something with the SDK, and send it."""
    resource = Resource({"service.name": "shop", "deployment.environment": "test", "host.name": "a"})
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = logging.getLogger("shop.orders")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.error("order %d failed", 7, extra={"order.id": 7, "retry": False})
    logger.handlers.clear()
    provider.shutdown()


async def check_sdk(source) -> None:
    found = await rows(source, wanted())
    assert len(found) == 1
    ts_ns, body, labels, metadata = found[0]
    assert ts_ns > 10**18
    assert body == "order 7 failed"
    assert labels == {"service_name": "shop", "deployment_environment": "test"}
    assert metadata["host_name"] == "a"
    assert metadata["scope_name"] == "shop.orders"
    assert metadata["order_id"] == "7"
    assert metadata["retry"] == "false"
    assert metadata["detected_level"] == "error"
    assert metadata["severity_number"] == str(SeverityNumber.ERROR.value)
    assert int(metadata["observed_timestamp"]) >= ts_ns


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_the_sdk_sends_over_http(http_port, source, compression):
    exporter = HttpExporter(f"http://127.0.0.1:{http_port}/v1/logs", compression=compression)
    await asyncio.to_thread(say, exporter)
    await check_sdk(source)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_sdk_sends_over_grpc(grpc_port, source):
    await asyncio.to_thread(say, GrpcExporter(f"127.0.0.1:{grpc_port}", insecure=True))
    await check_sdk(source)


@pytest.mark.parametrize("name", ["logs.json", "events.json"])
async def test_the_examples_of_the_specification_are_taken(client, source, name):
    document = (CONFORMANCE / name).read_bytes()
    answer = await client.post("/v1/logs", content=document, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()) == (200, {})
    given = json.loads(document)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    [(ts_ns, _, labels, metadata)] = await rows(source, wanted(()))
    assert (ts_ns, labels) == (int(given["timeUnixNano"]), {"service_name": "my.service"})
    assert metadata.get("trace_id", "") == given.get("traceId", "").lower()
    assert metadata.get("span_id", "") == given.get("spanId", "").lower()


async def test_attributes_of_every_kind_become_metadata(client, source):
    body = (CONFORMANCE / "logs.json").read_bytes()
    await client.post("/v1/logs", content=body, headers={"content-type": "application/json"})

    [(_, line, _, metadata)] = await rows(source, wanted(()))
    assert line == "Example log record"
    assert metadata["string_attribute"] == "some string"
    assert metadata["boolean_attribute"] == "true"
    assert metadata["double_attribute"] == "637.704"
    assert metadata["array_attribute"] == '["many","values"]'
    assert metadata["map_attribute_some_map_key"] == "some value"
    assert metadata["my_scope_attribute"] == "some scope attribute"
    assert (metadata["scope_name"], metadata["scope_version"]) == ("my.library", "1.0.0")
    assert (metadata["severity_number"], metadata["severity_text"]) == ("10", "Information")


def request(*bodies: str, ts_ns: int = 10**18, **resource: str) -> pb.ExportLogsServiceRequest:
    made = pb.ExportLogsServiceRequest()
    part = made.resource_logs.add()
    for key, value in resource.items():
        part.resource.attributes.add(key=key.replace("_", ".")).value.string_value = value
    records = part.scope_logs.add().log_records
    for number, body in enumerate(bodies):
        record = records.add(time_unix_nano=ts_ns + number if ts_ns else 0, observed_time_unix_nano=5)
        record.body.string_value = body
    return made


@pytest.mark.parametrize(
    ("encoding", "pack"), [("", bytes), ("gzip", gzip.compress), ("zstd", zstd.compress)], ids=["plain", "gzip", "zstd"]
)
async def test_protobuf_comes_plain_and_compressed(client, source, encoding, pack):
    headers = {"content-type": "application/x-protobuf"} | ({"content-encoding": encoding} if encoding else {})
    body = pack(request("hello").SerializeToString())

    answer = await client.post("/v1/logs", content=body, headers=headers)

    assert answer.status_code == 200
    assert [row[1] for row in await rows(source, wanted(()))] == ["hello"]


async def test_a_service_without_a_name_gets_one(source, sink):
    await OtlpLogs(sink).export("t", request("a", k8s_job_name="backup"))
    await OtlpLogs(sink).export("t", request("b", ts_ns=2))

    assert {row[1]: row[2]["service_name"] for row in await rows(source, wanted(()), "t")} == {
        "a": "backup",
        "b": "unknown_service",
    }


async def test_a_record_without_a_time_happened_when_it_was_observed(source, sink):
    await OtlpLogs(sink).export("t", request("a", ts_ns=0))

    [(ts_ns, _, _, metadata)] = await rows(source, wanted(()), "t")
    assert (ts_ns, "observed_timestamp" in metadata) == (5, False)


async def test_settings_choose_labels_and_drop_attributes(source, sink):
    settings = OtlpLogsSettings(label_attributes=("host.name",), drop_attributes=("process.pid",))
    await OtlpLogs(sink, settings=settings).export("t", request("a", host_name="h", process_pid="1", os_type="linux"))

    [(_, _, labels, metadata)] = await rows(source, wanted(()), "t")
    assert labels == {"host_name": "h", "service_name": "unknown_service"}
    assert metadata == {"os_type": "linux", "observed_timestamp": "5", "detected_level": "unknown"}


async def test_what_is_refused_is_told_as_partial_success(store_sink_client):
    client = store_sink_client
    body = request("short", "x" * 2000).SerializeToString()

    answer = await client.post("/v1/logs", content=body, headers={"content-type": "application/x-protobuf"})

    told = pb.ExportLogsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_log_records) == (200, 1)
    assert "1 log records were refused (1 by line_too_long)" in told.error_message


@pytest.fixture
async def store_sink_client(store):
    from holdfast.telemetry.logs import SCHEMA, LogSink  # noqa: PLC0415

    await store.register(SCHEMA)
    service = logs_service(OtlpLogs(LogSink(store, settings=LogsSettings(max_line=1000))))
    permissions = (Permission("logs.write", Role.OPERATOR, "Write."),)
    app = build_app(
        [Wiring("logs", surfaces=(http_routes(service, *PATHS),), permissions=permissions)],
        gate=OpenGate(),
        registry=CollectorRegistry(),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status", "after_s"),
    [
        (BusyError("full"), 429, "1"),
        (StorageFullError("disk"), 503, "1"),
        (LimitError("too fast", retry=after(7)), 429, "7"),
    ],
)
async def test_senders_are_told_to_come_back(client, sink, error, status, after_s):
    sink.error = error
    body = request("a").SerializeToString()
    answer = await client.post("/v1/logs", content=body, headers={"content-type": "application/x-protobuf"})

    assert (answer.status_code, answer.headers["retry-after"]) == (status, after_s)


async def test_senders_over_grpc_are_told_to_come_back(grpc_port, sink):
    sink.error = LimitError("too fast", retry=after(7))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(METHOD)(request("a").SerializeToString())

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"\xff\xff", "application/x-protobuf", 400),
        (b"{", "application/json", 400),
        (b'{"resourceLogs": 5}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz"}]}]}]}', "application/json", 400),
        (b"", "text/plain", 415),
    ],
)
async def test_bad_bodies_get_the_protocols_own_error(client, source, body, content_type, status):
    answer = await client.post("/v1/logs", content=body, headers={"content-type": content_type})

    assert answer.status_code == status
    assert await rows(source, wanted(())) == []


async def test_a_bomb_is_stopped_at_its_limit(client):
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    answer = await client.post("/v1/logs", content=gzip.compress(b"\0" * 200_000_000, 9), headers=headers)

    assert answer.status_code == 413
