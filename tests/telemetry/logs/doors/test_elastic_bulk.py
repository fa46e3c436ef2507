"""What Filebeat and Fluent Bit ask and send: they are answered as by Elasticsearch, item by item."""

from __future__ import annotations

import gzip
import json

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from fixtures.logs import rows, wanted
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError, LimitError, StorageFullError, after
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.logs import LogsSettings, MemoryLogSink, MemoryLogSource, Refusal
from holdfast.telemetry.logs.elastic import ElasticBulk, ElasticSettings, elastic_routes
from holdfast.web.assembly import build_app

AT = "2023-11-14T22:13:20.123Z"
AT_NS = 1_700_000_000_123_000_000
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def source():
    return MemoryLogSource()


@pytest.fixture
def sink(source):
    return MemoryLogSink(source, max_streams=3)


@pytest.fixture
async def client(sink):
    keeping = LogsSettings(max_line=1000, max_metadata=2000, max_labels=3)
    door = elastic_routes(ElasticBulk(sink, settings=ElasticSettings(max_documents=50), keeping=keeping))
    permissions = (Permission("logs.write", Role.OPERATOR, "Write."),)
    app = build_app(
        [Wiring("logs", surfaces=(door,), permissions=permissions)], gate=OpenGate(), registry=CollectorRegistry()
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def ndjson(*lines) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


async def send(client, body, path="/elastic/_bulk", **headers):
    return await client.post(path, content=body, headers={"content-type": "application/x-ndjson", **headers})


# The requests of a Filebeat 8 with its default settings, in order.
FILEBEAT_STARTS = (
    ("GET", "/elastic/"),
    ("GET", "/elastic/_license?human=false"),
    ("GET", "/elastic/_ilm/policy/filebeat"),
    ("PUT", "/elastic/_ilm/policy/filebeat"),
    ("HEAD", "/elastic/_index_template/filebeat-8.15.0"),
    ("PUT", "/elastic/_index_template/filebeat-8.15.0"),
    ("GET", "/elastic/_data_stream/filebeat-8.15.0"),
    ("PUT", "/elastic/_data_stream/filebeat-8.15.0"),
    ("PUT", "/elastic/_ingest/pipeline/filebeat-8.15.0-nginx-access-pipeline"),
)
EVENT = {
    "@timestamp": AT,
    "message": "order 7 failed",
    "log": {"level": "ERROR", "offset": 12, "file": {"path": "/var/log/shop.log"}},
    "service": {"name": "shop", "environment": "test"},
    "trace": {"id": TRACE},
    "span.id": SPAN,
    "host": {"name": "web-1", "ip": ["10.0.0.1", "::1"]},
    "agent": {"type": "filebeat", "version": "8.15.0"},
    "empty": None,
}


async def test_filebeat_starts_and_sends(client, source):
    for method, path in FILEBEAT_STARTS:
        answer = await client.request(method, path, json={} if method == "PUT" else None)
        assert answer.status_code == 200, path
        assert answer.headers["x-elastic-product"] == "Elasticsearch"
    body = gzip.compress(ndjson({"create": {"_index": "filebeat-8.15.0"}}, EVENT))

    answer = await send(
        client,
        body,
        "/elastic/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status",
        **{"content-encoding": "gzip"},
    )

    assert answer.json() == {"errors": False, "items": [{"create": {"status": 201}}]}
    assert await rows(source, wanted(())) == [
        (
            AT_NS,
            "order 7 failed",
            {"service_name": "shop", "environment": "test"},
            {
                "log_offset": "12",
                "log_file_path": "/var/log/shop.log",
                "host_name": "web-1",
                "host_ip": '["10.0.0.1","::1"]',
                "agent_type": "filebeat",
                "agent_version": "8.15.0",
                "elastic_index": "filebeat-8.15.0",
                "trace_id": TRACE,
                "span_id": SPAN,
                "detected_level": "error",
            },
        )
    ]


async def test_fluent_bit_sends(client, source):
    kubernetes = {"namespace_name": "prod", "container_name": "shop", "labels": {"app.kubernetes.io/name": "x"}}
    line = f"{AT} WARN trace_id={TRACE} low stock\n"
    body = ndjson(
        {"create": {"_index": "fluent-bit", "_type": "_doc"}},
        {"@timestamp": AT, "log": line, "kubernetes": kubernetes},
        {"index": {"_id": "7"}},
        {"@timestamp": AT, "cpu_p": 1.5},
    )
    answer = await send(client, body, "/elastic/logstash-2023.11.14/_bulk/".rstrip("/"))

    told = answer.json()
    assert (told["errors"], [list(item) for item in told["items"]]) == (False, [["create"], ["index"]])
    assert told["items"][1]["index"]["_id"] == "7"
    assert told["items"][1]["index"]["_index"] == "logstash-2023.11.14"
    found = {row[1]: row[2:] for row in await rows(source, wanted(()))}
    labels, metadata = found[line.rstrip()]
    assert labels == {
        "kubernetes_namespace_name": "prod",
        "kubernetes_container_name": "shop",
        "service_name": "shop",
    }
    assert (metadata["trace_id"], metadata["detected_level"]) == (TRACE, "warn")
    assert found['{"cpu_p":1.5}'][1]["elastic_id"] == "7"


async def test_items_are_answered_one_by_one(client, source):
    good = {"@timestamp": AT, "message": "good", "service.name": "a"}
    body = ndjson(
        *({"create": {}}, good),
        *({"index": {}}, b"{broken"),
        *({"create": {}}, {"@timestamp": "soon", "message": "x"}),
        *({"update": {"_id": "1"}}, {"doc": {}}),
        {"delete": {"_id": "1"}},
        *({"create": {}}, {"message": "x" * 1001}),
        *({"create": {}}, {"message": "x", "y": "z" * 2001}),
        *({"create": {}}, b"[1]"),
        *({"create": {}}, {**good, "message": "also good"}),
    )
    told = (await send(client, body, "/elastic/logs/_bulk")).json()

    assert told["errors"] is True
    results = [next(iter(item.values())) for item in told["items"]]
    assert [each["status"] for each in results] == [201, 400, 400, 400, 400, 400, 400, 400, 201]
    reasons = [each["error"]["reason"] for each in results if "error" in each]
    for reason, part in zip(
        reasons, ("parse", "@timestamp", "update", "delete", "max_line", "max_metadata", "no object"), strict=True
    ):
        assert part in reason
    assert {row[1] for row in await rows(source, wanted(()))} == {"good", "also good"}


async def test_streams_over_the_limit_are_told_by_item(client):
    lines = [
        part
        for number in range(4)
        for part in ({"create": {"_index": "i"}}, {"message": "m", "service.name": f"s{number}"})
    ]
    items = (await send(client, ndjson(*lines))).json()["items"]

    assert [item["create"]["status"] for item in items] == [201, 201, 201, 400]
    assert "max_streams" in items[3]["create"]["error"]["reason"]


async def test_what_the_sink_refuses_is_told_on_the_right_items(client, sink, source, monkeypatch):
    class EveryThird:
        def refuse(self, tenant, records, streams):
            places = np.arange(len(records))
            rules = ((0, Refusal.RATE_LIMIT), (1, Refusal.LINE_TOO_LONG), (2, Refusal.SAMPLED))
            return [(places == place, reason) for place, reason in rules]

    monkeypatch.setattr(sink, "_quota", EveryThird())
    good = {"message": "m", "service.name": "s"}
    body = ndjson(
        *({"delete": {"_index": "i", "_id": "9"}},),
        *(part for number in range(4) for part in ({"create": {"_index": "i"}}, {**good, "message": f"m{number}"})),
    )
    told = (await send(client, body)).json()

    results = [next(iter(item.values())) for item in told["items"]]
    assert (told["errors"], [each["status"] for each in results]) == (True, [400, 429, 400, 201, 201])
    assert [each["error"]["type"] for each in results if "error" in each] == [
        "illegal_argument_exception",
        "es_rejected_execution_exception",
        "document_parsing_exception",
    ]
    assert "faster" in results[1]["error"]["reason"]
    assert [row[1] for row in await rows(source, wanted(()))] == ["m3"]


@pytest.mark.parametrize(
    ("filter_path", "kept"),
    [
        ("errors", {"errors"}),
        ("items.*.status", {"items"}),
        ("errors,items.*.error,items.*.status", {"errors", "items"}),
        ("took,errors", {"took", "errors"}),
        ("-items", {"took", "errors"}),
    ],
)
async def test_an_answer_has_what_its_filter_asks_for(client, filter_path, kept):
    path = f"/elastic/_bulk?filter_path={filter_path}"
    told = (await send(client, ndjson({"create": {"_index": "i"}}, {"message": "m"}), path)).json()
    assert told.keys() == kept
    if "items" in kept:
        assert told["items"] == [{"create": {"status": 201}}]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/elastic", 200),
        ("HEAD", "/elastic/", 200),
        ("GET", "/elastic/_license", 200),
        ("GET", "/elastic/_xpack", 200),
        ("GET", "/elastic/_cluster/health", 200),
        ("GET", "/elastic/_cluster/health/logs", 200),
        ("GET", "/elastic/_nodes/_local", 200),
        ("GET", "/elastic/_cat/indices", 404),
        ("POST", "/elastic/logs/_search", 404),
        ("PUT", "/elastic/_ilm/policy/logs", 200),
        ("PUT", "/elastic/_index_template/logs", 200),
        ("HEAD", "/elastic/logs", 200),
        ("DELETE", "/elastic/logs", 404),
    ],
)
async def test_whatever_senders_ask_is_answered_as_by_the_product(client, method, path, status):
    answer = await client.request(method, path, json={} if method in {"PUT", "POST"} else None)
    assert (answer.status_code, answer.headers.get("x-elastic-product")) == (status, "Elasticsearch")
    if status == 404 and method != "HEAD":
        assert (answer.json()["status"], answer.json()["error"]["type"]) == (404, "invalid_index_name_exception")


@pytest.mark.parametrize(
    ("body", "kind", "status", "told"),
    [
        (b"", "application/x-ndjson", 400, "required"),
        (b'{"create":{}}\n{"message":"cut', "application/x-ndjson", 400, "terminated by a newline"),
        (b"{\n", "application/x-ndjson", 400, "line [1]"),
        (b"[]\n", "application/x-ndjson", 400, "line [1]"),
        (b'{"create":{"_index":"a"}}\n{}\n{"make":{}}\n', "application/json", 400, "line [3]"),
        (b'{"create":[]}\n{}\n', "application/x-ndjson", 400, "START_OBJECT"),
        (b'{"create":{"_index":[]}}\n{}\n', "application/x-ndjson", 400, "_index"),
        (b'{"create":{}}\n{}\n' * 51, "application/x-ndjson", 400, "max_documents"),
        (b"x\n", "text/csv", 415, "text/csv"),
    ],
)
async def test_bodies_that_are_no_bulk_are_refused_whole(client, source, body, kind, status, told):
    answer = await send(client, body, **{"content-type": kind})

    assert answer.status_code == answer.json()["status"] == status
    assert told in answer.json()["error"]["reason"]
    assert await rows(source, wanted(())) == []


@pytest.mark.parametrize(
    ("error", "status", "again"),
    [
        (BusyError("full"), 429, "1"),
        (LimitError("fast", retry=after(7)), 429, "7"),
        (StorageFullError("disk"), 503, None),
    ],
)
async def test_senders_are_told_to_come_back(client, sink, monkeypatch, error, status, again):
    async def refuse(tenant, arrival):
        raise error

    monkeypatch.setattr(sink, "append", refuse)
    answer = await send(client, ndjson({"create": {"_index": "a"}}, {"message": "x"}))

    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "es_rejected_execution_exception"
    assert again is None or answer.headers["retry-after"] == again


async def test_deep_documents_are_kept_and_bombs_are_not(client, source):
    deep = b'{"message":"m","a":' + b'{"a":' * 100 + b"1" + b"}" * 101
    assert (await send(client, ndjson({"create": {"_index": "i"}}, deep))).json()["errors"] is False
    bomb = b'{"a":' * 20_000 + b"1" + b"}" * 20_000
    assert (await send(client, ndjson({"create": {"_index": "i"}}, bomb))).json()["errors"] is True
    assert [row[1] for row in await rows(source, wanted(()))] == ["m"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(["@timestamp", "message", "log", "service", "trace.id", "level", "timestamp", "x"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    st.binary(max_size=200).map(lambda body: body + b"\n")
    | st.lists(st.dictionaries(names, json_values), min_size=1, max_size=3).map(
        lambda documents: ndjson(*(part for each in documents for part in ({"create": {"_index": "i"}}, each)))
    )
)
async def test_no_bulk_breaks_it(client, body):
    assert (await send(client, body)).status_code in {200, 400}
