"""The whole shop on PostgreSQL, Redis and NATS: one trace through all services, every kind of fault, steady traffic."""

import asyncio
import gzip
import http.server
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from shop_harness import RunningShop, drop_stream, start_shop, stop_shop, temporary_database

from fixtures.services import require_service
from shop.settings import ServiceName

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("shop-on-servers")]


class Collector(http.server.ThreadingHTTPServer):
    """An OpenTelemetry collector that remembers what it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.services_by_trace: dict[str, set[str]] = defaultdict(set)
        self.logs: list[tuple[str, str, str, dict[str, str]]] = []

    def take_spans(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.services_by_trace[span.trace_id.hex()].add(_service_of(resource))

    def take_logs(self, body: bytes) -> None:
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    fields = {pair.key: pair.value.string_value for pair in record.attributes}
                    line = (_service_of(resource), record.body.string_value, record.trace_id.hex(), fields)
                    self.logs.append(line)


class _Receive(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        (self.server.take_spans if self.path == "/v1/traces" else self.server.take_logs)(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _service_of(resource: Any) -> str:
    return next(pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.name")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


@pytest.fixture(scope="module")
def served_shop(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[RunningShop]:
    with temporary_database(require_service("postgres")) as database_url:
        prefix = f"t{uuid.uuid4().hex[:12]}"
        asyncio.run(drop_stream(require_service("nats"), prefix))
        shop = start_shop(
            tmp_path_factory.mktemp("shop"),
            SHOP_DATABASE_URL=database_url,
            SHOP_REDIS_URL=require_service("redis"),
            SHOP_NATS_URL=require_service("nats"),
            SHOP_NATS_PREFIX=prefix,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        )
        yield shop
        assert stop_shop(shop) == 0
        asyncio.run(drop_stream(require_service("nats"), prefix))


def buy(shop: RunningShop, correlation_id: str) -> int:
    with httpx.Client(base_url=shop.url("gateway"), headers={"X-Correlation-ID": correlation_id}) as client:
        token = client.post("/api/sessions").json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        client.put("/api/cart/COF-001", json={"quantity": 1}).raise_for_status()
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return client.post("/api/orders", json={"card_token": "tok_good"}, headers=headers).status_code


def test_one_order_is_one_trace_through_all_services(served_shop: RunningShop, collector: Collector) -> None:
    wanted = {"gateway", "catalog", "orders", "inventory", "payments", "notifier"}
    correlation_id = uuid.uuid4().hex
    assert 201 in {buy(served_shop, correlation_id) for _ in range(5)}

    def is_seen() -> bool:
        traces = {
            trace
            for service, event, trace, fields in list(collector.logs)
            if (service, event, fields.get("correlation_id")) == ("notifier", "message_sent", correlation_id)
        }
        return any(collector.services_by_trace[trace] >= wanted for trace in traces)

    served_shop.wait_until(is_seen, 45, "one trace of this order that all six services are part of")


@pytest.mark.parametrize(
    ("service", "fault", "check"),
    [
        ("catalog", "--dead-dependency cache", "cache"),
        ("gateway", "--dead-dependency", "catalog"),
        ("orders", "--pool-exhaust", "database"),
        ("inventory", "--dead-dependency database", "database"),
        ("payments", "--errors 50%", "provider"),
        ("notifier", "--dead-dependency bus", "bus"),
        ("notifier", "--poison", "dead-letters"),
    ],
)
def test_a_fault_shows_in_readiness_and_is_gone_when_healed(
    served_shop: RunningShop, service: str, fault: str, check: str
) -> None:
    def is_well() -> bool:
        ready = httpx.get(f"{served_shop.url(service)}/readyz", timeout=5).json()
        return bool(ready["checks"][check]["status"] == "ok")

    served_shop.wait_until(is_well, 45, f"{check} is well before")
    broken = served_shop.command("break", service, *fault.split())
    assert broken.returncode == 0, broken.stderr
    served_shop.wait_until(lambda: not is_well(), 45, f"{check} shows {fault}")
    assert served_shop.command("heal", service).returncode == 0
    if check != "dead-letters":  # those are told of for a minute
        served_shop.wait_until(is_well, 45, f"{check} is well again")


def test_latency_is_felt_by_customers_and_by_probes(served_shop: RunningShop) -> None:
    assert served_shop.command("break", "catalog", "--latency", "600ms").returncode == 0
    with httpx.Client(timeout=10) as client:
        ready = client.get(f"{served_shop.url('catalog')}/readyz")
        seen = client.get(f"{served_shop.url('gateway')}/api/products/TEA-001")
    assert served_shop.command("heal", "catalog").returncode == 0
    assert ready.elapsed.total_seconds() > 0.5
    assert seen.elapsed.total_seconds() > 0.5


def test_what_cannot_break_is_refused_with_the_reason(served_shop: RunningShop) -> None:
    for arguments, why in (
        (["gateway", "--pool-exhaust"], "nothing to break with pool_exhaust"),
        (["catalog", "--dead-dependency", "moon"], "It has: database, cache."),
        (["catalog"], "say how to break it"),
    ):
        refused = served_shop.command("break", *arguments)
        assert refused.returncode == 1
        assert why in refused.stderr


def test_traffic_flows_and_buys(served_shop: RunningShop) -> None:
    served_shop.command("heal", "--all")
    done = served_shop.command("traffic", "--rate", "40", "--day", "10s", "--for", "12s")
    assert done.returncode == 0
    metrics = httpx.get(f"{served_shop.url('orders')}/metrics").text
    paid = [line for line in metrics.splitlines() if line.startswith('shop_orders_total{outcome="paid"}')]
    assert float(paid[0].split()[-1]) > 2
    assert '"event":"traffic"' in done.stderr


def test_every_service_shows_metrics_and_no_path_of_its_own_making(served_shop: RunningShop) -> None:
    for name in ServiceName:
        httpx.get(f"{served_shop.url(name)}/{uuid.uuid4().hex}")
        metrics = httpx.get(f"{served_shop.url(name)}/metrics").text
        assert 'route="unmatched"' in metrics
        assert f'service="{name}"' in metrics
