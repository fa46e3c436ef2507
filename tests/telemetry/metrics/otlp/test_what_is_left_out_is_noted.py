"""What the doors of metrics leave out is noted in the ledger by the service that the labels or the resource name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from fixtures.notes import Noted
from fixtures.otlp import attributes, counter, point, request
from fixtures.remote_write import NOW_MS, pack
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import StorageFullError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.ledger import answering
from holdfast.telemetry.metrics import SCHEMA, MetricSink, MetricsSettings, SinkSettings
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.intake import IntakeMeters, LabelLimits
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.otlp import OtlpMetrics
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter

DAY_MS = 86_400_000


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_remote_write_names_the_service_of_series_that_are_kept_out(protocol: Protocol) -> None:
    noted = Noted()
    writer = RemoteWriter(MemorySink(MemorySource(), max_series=1), meters=IntakeMeters(ledger=noted))
    labels = [
        {"__name__": "up", "job": "shop"},
        {"__name__": "up", "job": "eu/mail", "instance": "1"},
        {"__name__": "up", "app": "x", "service": "bank"},
        {"__name__": "up"},
        {"job": "nameless"},
    ]
    body = pack(protocol, [(each, [(NOW_MS, 1.0)]) for each in labels])
    await writer.take(DEFAULT_TENANT, body, protocol, origin="here", is_plain=False)
    assert noted.records == {
        ("metrics", "mail", "series_limit"): 1,
        ("metrics", "bank", "series_limit"): 1,
        ("metrics", "", "series_limit"): 1,
        ("metrics", "nameless", "labels"): 1,
    }


async def test_otlp_names_the_service_of_the_resource() -> None:
    noted = Noted()
    door = OtlpMetrics(
        MemorySink(MemorySource(), max_series=1), meters=IntakeMeters(ledger=noted), limits=LabelLimits(max_labels=4)
    )
    wide = point(1.0, attributes=attributes(a="1", b="2", c="3", d="4", e="5"))
    await door.export(
        DEFAULT_TENANT,
        request(counter("hits", point(5.0), point(6.0, attributes=attributes(at="x"))), service__name="shop"),
    )
    await door.export(DEFAULT_TENANT, request(counter("wide", wide), service__name="mail"))
    assert noted.records["metrics", "shop", "series_limit"] >= 1
    assert noted.records["metrics", "mail", "labels"] == 1
    assert {service for _, service, _ in noted.records} == {"shop", "mail"}


def arrival(sink: MetricSink, *ts_ms: int) -> Arrival:
    book = sink.book(DEFAULT_TENANT)
    refs = [book.ref((("__name__", "up"), ("job", f"job{place}")), origin="x") for place in range(len(ts_ms))]
    return Arrival(book.generation, np.array(refs), np.array(ts_ms, np.int64), np.ones(len(ts_ms)))


async def test_samples_of_no_time_that_is_kept_are_noted_by_their_service(open_store: Any, store_url: str) -> None:
    store, clock, noted = await open_store(store_url, SCHEMA), FakeClock(datetime.now(UTC)), Noted()
    settings = SinkSettings(keeping=MetricsSettings(retention_counts="event"))
    sink, now_ms = MetricSink(store, clock=clock, settings=settings, ledger=noted), int(clock.now().timestamp() * 1000)
    await sink.append(DEFAULT_TENANT, arrival(sink, now_ms, now_ms - 2000 * DAY_MS, 2**62))
    assert noted.records == {
        ("metrics", "job0", ""): 1,
        ("metrics", "job1", "too_old"): 1,
        ("metrics", "job2", "out_of_range"): 1,
    }


async def test_samples_that_the_store_does_not_take_are_noted_where_somebody_waits(
    open_store: Any, store_url: str
) -> None:
    store, noted = await open_store(store_url, SCHEMA, free_bytes=lambda: 0, reserve=1 << 30), Noted()
    sink = MetricSink(store, ledger=noted)
    with pytest.raises(StorageFullError):
        await sink.append(DEFAULT_TENANT, arrival(sink, NOW_MS))
    assert not noted.records
    with answering(), pytest.raises(StorageFullError):
        await sink.append(DEFAULT_TENANT, arrival(sink, NOW_MS))
    assert noted.records == {("metrics", "job0", "unavailable"): 1}
