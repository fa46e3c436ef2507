"""What a door of logs leaves out by itself is noted in the ledger by reason, and by service as far as it was read."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from fixtures.notes import Noted
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import LogsSettings, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.elastic import ElasticBulk
from holdfast.telemetry.logs.intake import LogMeters
from holdfast.telemetry.logs.loki import LokiPush
from holdfast.telemetry.logs.otlp import OtlpLogs

KEEPING = LogsSettings(max_line=1000, max_metadata=2000, max_labels=2)
AT = "2026-01-05T10:00:00Z"


@pytest.fixture
def noted():
    return Noted()


@pytest.fixture
def given(noted):
    """Give what every door is made of; there may be one stream."""
    sink = MemoryLogSink(MemoryLogSource(), max_streams=1)
    return {"sink": sink, "keeping": KEEPING, "meters": LogMeters(ledger=noted)}


async def test_a_bulk_names_the_service_of_every_item_that_is_left_out(given, noted):
    documents = [
        {"@timestamp": AT, "service": {"name": "shop"}, "message": "fine"},
        {"@timestamp": AT, "service": {"name": "shop"}, "message": "l" * 1001},
        {"@timestamp": AT, "service": {"name": "shop"}, "message": "wide", "more": "m" * 2001},
        {"@timestamp": "yesterday", "service.name": "mail", "message": "when"},
        {"@timestamp": "yesterday", "message": "who"},
        {"@timestamp": AT, "service": {"name": "bank"}, "message": "one stream too many"},
    ]
    lines = [line for each in documents for line in ({"create": {"_index": "x"}}, each)]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    items = await ElasticBulk(**given).take(DEFAULT_TENANT, body)
    assert [bool(item.fault) for item in items] == [False, True, True, True, True, True]
    assert noted.records == {
        ("logs", "shop", "line_too_long"): 1,
        ("logs", "shop", "metadata_too_large"): 1,
        ("logs", "mail", "unsupported"): 1,
        ("logs", "", "unsupported"): 1,
        ("logs", "bank", "stream_limit"): 1,
    }


async def test_a_push_names_the_service_of_a_stream_whose_labels_are_too_many(given, noted):
    streams = [
        {"stream": {"app": "shop", "a": "1", "b": "2"}, "values": [["1", "x"], ["2", "y"]]},
        {"stream": {}, "values": [["1", "x"]]},
    ]
    body = json.dumps({"streams": streams}).encode()
    await LokiPush(**given).take(DEFAULT_TENANT, body, is_json=True)
    assert noted.records == {("logs", "shop", "labels"): 2, ("logs", "", "labels"): 1}


async def test_otlp_counts_the_records_of_a_resource_that_has_too_many_labels_as_such(given, noted):
    request = ExportLogsServiceRequest()
    part = request.resource_logs.add()
    for key in ("service.name", "deployment.environment", "k8s.pod.name", "cloud.region"):
        part.resource.attributes.add(key=key).value.string_value = "shop"
    part.scope_logs.add().log_records.add().body.string_value = "x"
    rejected = await OtlpLogs(**given).export(DEFAULT_TENANT, request)
    assert rejected.count == 1
    assert "more than logs.max_labels = 2" in rejected.message
    assert noted.records == {("logs", "shop", "labels"): 1}
