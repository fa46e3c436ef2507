"""What is stored is listened to: resources of spans and records and info metrics tell versions, and little is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from fixtures.traces import Row, spans, trace_id
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.telemetry.logs.records import Records
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.storing.feed import Announced, Stored
from holdfast.telemetry.versions import VersionsSettings
from holdfast.telemetry.versions import hearing as hearings
from holdfast.telemetry.versions.hearing import Listener
from holdfast.telemetry.versions.hints import LONGEST

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
AT_S = AT.timestamp()
V1 = {"service.version": "1", "deployment.environment.name": "production", "service.instance.id": "pod-1"}


@pytest.fixture
def clock():
    return FakeClock(AT)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def listener(clock, registry):
    return Listener(VersionsSettings(), clock, registry)


def taken(listener: Listener) -> list[tuple[str, ...]]:
    return [(each.telling.service, each.telling.environment, each.telling.version) for each in listener.take()]


def passed(registry: CollectorRegistry, reason: str) -> float | None:
    return registry.get_sample_value("holdfast_versions_passed_over_total", {"reason": reason})


def hear_span(listener: Listener, resource: dict[str, str], ago_s: float = 0, trace: int = 1) -> None:
    at_ns = int((AT_S - ago_s) * 10**9)
    listener.spans_stored(DEFAULT_TENANT, spans([Row(trace, 1, resource=resource, length_ms=0)], at_ns))


def series(*rows: dict[str, str], at_s: float = AT_S) -> Announced:
    times = np.full(len(rows), int(at_s * 1000), np.int64)
    ids = np.arange(100, 100 + len(rows), dtype=np.uint64)
    return Announced(DEFAULT_TENANT, [labels_of(row) for row in rows], ids, times, times)


def test_a_resource_tells_its_version_with_its_first_trace(listener):
    rows = [Row(1, 1), Row(2, 2, resource=V1), Row(3, 3, resource=V1)]
    listener.spans_stored(DEFAULT_TENANT, spans(rows, int(AT_S * 10**9)))
    assert listener.wake.is_set()
    (heard,) = listener.take()
    assert heard.telling == (DEFAULT_TENANT, "shop", "production", "1", "resource")
    assert (heard.signal, heard.trace_id, heard.instance) == ("traces", trace_id(2), "pod-1")
    assert not listener.wake.is_set()
    assert listener.take() == []


def test_what_is_known_is_noted_again_without_a_wake(listener):
    hear_span(listener, V1, ago_s=60)
    listener.take()
    hear_span(listener, V1)
    assert not listener.wake.is_set()
    (heard,) = listener.take()
    assert (heard.at_s, heard.trace_id) == (AT_S, "")


def test_a_version_that_was_silent_wakes(listener):
    hear_span(listener, V1, ago_s=600)
    listener.take()
    hear_span(listener, V1, trace=7)
    assert listener.wake.is_set()
    assert [each.trace_id for each in listener.take()] == [trace_id(7)]


def test_old_records_tell_nothing_and_future_ones_are_of_now(listener, registry):
    hear_span(listener, V1, ago_s=901)
    assert listener.take() == []
    assert passed(registry, "old") == 1
    hear_span(listener, V1, ago_s=-3600)
    (heard,) = listener.take()
    assert heard.at_s == AT_S


@pytest.mark.parametrize("version", ["", "x" * (LONGEST + 1), "a\0b"])
def test_what_is_no_version_is_none(listener, version):
    hear_span(listener, {**V1, "service.version": version})
    assert listener.take() == []


def test_an_instance_keeps_no_letter_that_a_database_refuses(listener):
    hear_span(listener, {**V1, "service.instance.id": "pod\0-1"})
    assert [each.instance for each in listener.take()] == ["pod-1"]


def test_records_tell_by_their_stream_and_by_what_they_share(listener):
    streams = [labels_of({"service_name": "orders", "deployment_environment": "staging"}), labels_of({"app": "x"})]
    records = Records(
        np.array([0, 1, 0], np.int64),
        np.full(3, int(AT_S * 10**9), np.int64),
        ["a", "b", "c"],
        trace_ids=["a\0b", "", "ab" * 16],
        shared=[labels_of({"service_version": "1"}), labels_of({"service_version": "2"})],
        shared_refs=np.array([0, 0, 1], np.int32),
    )
    listener.records_stored(DEFAULT_TENANT, records, streams)
    heard = sorted(listener.take())
    assert [(each.telling[1:4], each.trace_id) for each in heard] == [
        (("orders", "staging", "1"), ""),
        (("orders", "staging", "2"), "ab" * 16),
    ]


def test_records_of_streams_far_apart_tell_too(listener):
    far = 1000
    streams = [labels_of({"service_name": f"s{number}", "service_version": "1"}) for number in range(far + 1)]
    times = np.array([AT_S - 5, AT_S, AT_S - 1000], np.float64) * 1e9
    records = Records(np.array([3, far, 7], np.int64), times.astype(np.int64), ["a", "b", "c"])
    listener.records_stored(DEFAULT_TENANT, records, streams)
    assert sorted((each.telling.service, round(AT_S - each.at_s)) for each in listener.take()) == [
        ("s1000", 0),
        ("s3", 5),
    ]


def test_records_without_shared_metadata_tell_by_their_stream(listener):
    records = Records(np.zeros(2, np.int64), np.full(2, int(AT_S * 10**9), np.int64), ["a", "b"])
    listener.records_stored(DEFAULT_TENANT, records, [labels_of({"service_name": "orders", "service_version": "3"})])
    assert taken(listener) == [("orders", "", "3")]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"__name__": "target_info", "job": "shop/orders", "service_version": "1"}, ("orders", "", "1")),
        ({"__name__": "orders_build_info", "job": "orders", "version": "1"}, ("orders", "", "1")),
        ({"__name__": "shop_build_info", "service": "orders", "job": "x", "release": "1"}, ("orders", "", "1")),
        ({"__name__": "go_build_info", "job": "orders", "version": "1"}, None),
        ({"__name__": "requests_total", "job": "orders", "version": "1"}, None),
        ({"__name__": "target_info", "job": "orders"}, None),
    ],
)
def test_info_metrics_tell_versions(listener, labels, told):
    listener.series_announced(series(labels))
    assert taken(listener) == ([] if told is None else [told])


async def test_samples_of_info_metrics_tell_that_they_go_on(listener, clock):
    listener.series_announced(series({"__name__": "orders_build_info", "job": "orders", "version": "1"}))
    listener.take()
    await clock.advance(30)
    times = np.full(3, int((AT_S + 30) * 1000), np.int64)
    others = np.array([7, 100 + 2**16, 2**63], np.uint64)  # the second has the same low bits
    listener.samples_stored(Stored(DEFAULT_TENANT, others, times, None))
    listener.samples_stored(Stored(TenantId("other"), np.array([100], np.uint64), times[:1], None))
    assert listener.take() == []
    listener.samples_stored(Stored(DEFAULT_TENANT, np.array([7, 100], np.uint64), times[:2], None))
    assert [(each.telling.version, each.at_s) for each in listener.take()] == [("1", AT_S + 30)]


async def test_what_could_not_be_noted_is_given_again_and_the_idle_is_forgotten(listener, clock, registry):
    hear_span(listener, V1)
    first = listener.take()
    listener.put_back(first)
    assert listener.take() == first
    await clock.advance(hearings.FORGET_S + 1)
    assert listener.take() == []
    assert registry.get_sample_value("holdfast_versions_known") == 0


def test_what_is_remembered_is_bounded(listener, registry, monkeypatch):
    for name in ("MOST_KNOWN", "MOST_SETS", "MOST_SERIES"):
        monkeypatch.setattr(hearings, name, 2)
    for number in range(5):
        hear_span(listener, {"service.version": str(number)})
    assert len(listener.take()) == 2
    assert passed(registry, "too_many") == 3
    rows: list[Any] = [{"__name__": "target_info", "job": "orders", "service_version": str(n)} for n in range(5)]
    listener.series_announced(series(*rows))
    assert passed(registry, "too_many") == 8
    assert listener.take() == []
