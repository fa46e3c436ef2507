"""What it costs to hear versions of services: microseconds for a batch as sinks hand it on, by how many tell one.

Batches are made beforehand; each figure is the median of 200 calls.
Run: make bench BENCH=benchmarks/versions_heard.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs.records import Records
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.storing.feed import Announced, Stored
from holdfast.telemetry.traces import Gathering, Spans
from holdfast.telemetry.versions import VersionsSettings
from holdfast.telemetry.versions.hearing import Listener

CALLS = 200
ROWS = 5000
SAMPLES = 10_000
INFOS = 300
ATTRIBUTES = {f"attribute.{number}": f"value {number}" for number in range(8)} | {"service.version": "1.0.0"}


def main() -> None:
    """Print a line for each kind of batch."""
    listener = Listener(VersionsSettings(), SystemClock())
    for count in (1, 10, 100):
        spans = make_spans(count)
        report(f"{ROWS:,} spans of {count} resources", lambda spans=spans: listener.spans_stored(DEFAULT_TENANT, spans))
    streams = [labels_of({"service_name": f"service-{number}"}) for number in range(100)]
    for count in (1, 10, 100):
        records = make_records(count)
        report(
            f"{ROWS:,} log records of {count} streams",
            lambda records=records: listener.records_stored(DEFAULT_TENANT, records, streams),
        )
    numbers = np.random.default_rng(7).integers(0, 2**63, SAMPLES + INFOS).astype(np.uint64)
    now_ms = np.full(SAMPLES, time.time_ns() // 10**6, np.int64)
    names = [{"__name__": "target_info", "job": f"job-{number}", "service_version": "1"} for number in range(INFOS)]
    infos = [labels_of(each) for each in names]
    listener.series_announced(Announced(DEFAULT_TENANT, infos, numbers[SAMPLES:], now_ms[:INFOS], now_ms[:INFOS]))
    samples = Stored(DEFAULT_TENANT, numbers[:SAMPLES], now_ms, np.zeros(SAMPLES))
    report(f"{SAMPLES:,} samples beside {INFOS} info series", lambda: listener.samples_stored(samples))
    series = [labels_of({"__name__": f"metric_{number % 50}", "n": str(number)}) for number in range(SAMPLES)]
    news = Announced(DEFAULT_TENANT, series, numbers[:SAMPLES], now_ms, now_ms)
    report(f"{SAMPLES:,} new series", lambda: listener.series_announced(news))


def make_spans(resources: int) -> Spans:
    gathering = Gathering()
    places = [gathering.resource({**ATTRIBUTES, "service.name": f"service-{n}"}) for n in range(resources)]
    now_ns = time.time_ns()
    for number in range(1, ROWS + 1):
        gathering.trace_ids.append(number.to_bytes(16, "big"))
        gathering.span_ids.append(number.to_bytes(8, "big"))
        gathering.parent_ids.append(bytes(8))
        gathering.services.append(f"service-{number % resources}")
        gathering.kinds.append(2)
        gathering.starts_ns.append(now_ns)
        gathering.durations_ns.append(1000)
        gathering.statuses.append(0)
        gathering.attributes({})
        gathering.resource_refs.append(places[number % resources])
        gathering.weights.append(1.0)
        for texts in (gathering.names, gathering.status_messages, gathering.scopes, gathering.events):
            texts.append("")
        for texts in (gathering.links, gathering.trace_states):
            texts.append("")
    return gathering.done()


def make_records(streams: int) -> Records:
    return Records(
        np.arange(ROWS, dtype=np.int64) % streams,
        np.full(ROWS, time.time_ns(), np.int64),
        ["an order was placed"] * ROWS,
        shared=[labels_of({name.replace(".", "_"): value for name, value in ATTRIBUTES.items()})],
        shared_refs=np.zeros(ROWS, np.int32),
    )


def report(what: str, call: Callable[[], None]) -> None:
    took = []
    for _ in range(CALLS):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    print(f"{what:<42} {statistics.median(took) * 1e6:8.0f} us")


if __name__ == "__main__":
    main()
