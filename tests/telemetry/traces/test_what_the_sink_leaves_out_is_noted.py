"""Spans that leave as they come, that the store does not take or that have no ids are noted by their service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fixtures.notes import Noted
from fixtures.traces import Row, spans
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import StorageFullError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.ledger import answering
from holdfast.telemetry.traces import SCHEMA, MemoryTraces, TraceSink
from holdfast.telemetry.traces.otlp import OtlpTraces

YEARS_NS = 3 * 366 * 86_400 * 10**9


async def test_spans_that_leave_as_they_come_are_noted_as_too_old(open_store: Any, store_url: str) -> None:
    store, clock, noted = await open_store(store_url, SCHEMA), FakeClock(datetime.now(UTC)), Noted()
    sink = TraceSink(store, ledger=noted, clock=clock)
    now_ns = int(clock.now().timestamp()) * 10**9
    rows = [Row(1, 1), Row(1, 2, 1, service="mail", start_ms=-YEARS_NS // 10**6)]
    await sink.append(DEFAULT_TENANT, spans(rows, now_ns))
    assert noted.records == {("traces", "shop", ""): 1, ("traces", "mail", "too_old"): 1}
    await sink.append(DEFAULT_TENANT, spans([Row(2, 3), Row(2, 4, 3)], now_ns - YEARS_NS))
    assert noted.records["traces", "shop", "too_old"] == 2


async def test_spans_that_the_store_does_not_take_are_noted_by_their_service(open_store: Any, store_url: str) -> None:
    store, noted = await open_store(store_url, SCHEMA, free_bytes=lambda: 0, reserve=1 << 30), Noted()
    now_ns = int(datetime.now(UTC).timestamp()) * 10**9
    with answering(), pytest.raises(StorageFullError):
        await TraceSink(store, ledger=noted).append(DEFAULT_TENANT, spans([Row(1, 1), Row(1, 2, 1)], now_ns))
    assert noted.records == {("traces", "shop", "unavailable"): 2}


async def test_spans_without_ids_are_noted_by_their_service() -> None:
    noted, request = Noted(), ExportTraceServiceRequest()
    for service in ("shop", ""):
        group = request.resource_spans.add()
        if service:
            group.resource.attributes.add(key="service.name").value.string_value = service
        scope = group.scope_spans.add()
        for _ in range(2):
            scope.spans.add(trace_id=b"short", span_id=b"12345678")
    rejected = await OtlpTraces(MemoryTraces(), noted).export(DEFAULT_TENANT, request)
    assert rejected.count == 4
    assert noted.records == {("traces", "shop", "invalid_ids"): 2, ("traces", "", "invalid_ids"): 2}
