"""The counters that Holdfast and Prometheus are both asked about, and how each gets them onto its disk.

Times lie beside the whole minutes, as scrapes' do, so that no sample stands on the edge of a window: there Prometheus 2
and 3 differ on purpose. The last one to three hours are in Prometheus' head, as they are where it runs.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import httpx
import numpy as np

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, MetricSink, snappy
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field

SCRAPE_MS = 15_000
BLOCK_MS = 7_200_000
OFFSET_MS = 3_217
PER_ARRIVAL = 48
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
HEADERS["x-prometheus-remote-write-version"] = "0.1.0"


class CounterSet:
    """Counters with steps of 0 to 49, ten targets of a tenth of the series each and ten jobs."""

    def __init__(self, series: int, hours: float, end_s: int) -> None:
        count = int(hours * 3_600_000 / SCRAPE_MS)
        self.end_s = end_s
        self.start_s = end_s - int(hours * 3600)
        self.times_ms = self.end_s * 1000 - SCRAPE_MS * np.arange(1, count + 1)[::-1] + OFFSET_MS
        # Of the head that this leaves, the peer makes no block at once.
        self.head_ms = (self.times_ms[-1] - BLOCK_MS // 2) // BLOCK_MS * BLOCK_MS
        rng = np.random.default_rng(4)
        self.values = np.cumsum(rng.integers(0, 50, (count, series)), axis=0).astype(np.float64)
        self.labels: list[Labels] = [
            labels_of({"__name__": "m", "job": f"job{n % 10}", "instance": f"10.0.0.{n // 100}:9100", "number": str(n)})
            for n in range(series)
        ]

    @classmethod
    def until_now(cls, series: int, hours: float) -> CounterSet:
        """Make the set that ends with the last whole minute."""
        return cls(series, hours, int(time.time()) // 60 * 60)

    async def write_own(self, folder: Path) -> None:
        """Append as scrapes would; one arrival holds some scrapes of all targets."""
        async with Store(StoreSettings(), folder=folder) as store:
            await store.register(SCHEMA)
            sink = MetricSink(store)
            book = sink.book(DEFAULT_TENANT)
            refs = np.array([book.ref(labels, origin="bench") for labels in self.labels])
            for begin in range(0, len(self.times_ms), PER_ARRIVAL):
                times = self.times_ms[begin : begin + PER_ARRIVAL]
                values = self.values[begin : begin + PER_ARRIVAL].ravel()
                ts_ms = np.repeat(times, len(refs))
                await sink.append(DEFAULT_TENANT, Arrival(book.generation, np.tile(refs, len(times)), ts_ms, values))

    def write_blocks(self, folder: Path) -> None:
        """Make the peer's blocks of what is older than its head."""
        dump = folder.with_suffix(".txt")
        old = int(np.searchsorted(self.times_ms, self.head_ms))
        with dump.open("w", encoding="ascii") as out:
            out.write("# TYPE m unknown\n")
            times = [f"{at / 1000:.3f}" for at in self.times_ms[:old].tolist()]
            for number, labels in enumerate(self.labels):
                named = ",".join(f'{name}="{value}"' for name, value in labels if name != "__name__")
                values = self.values[:old, number].tolist()
                out.writelines(f"m{{{named}}} {value:.0f} {at}\n" for at, value in zip(times, values, strict=True))
            out.write("# EOF\n")
        made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", dump, folder]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        dump.unlink()

    def send_head(self, client: httpx.Client) -> None:
        """Write the rest remotely, scrape by scrape."""
        labels = [labels_field(each) for each in self.labels]
        for row in range(int(np.searchsorted(self.times_ms, self.head_ms)), len(self.times_ms)):
            at = int(self.times_ms[row])
            samples = zip(labels, self.values[row].tolist(), strict=True)
            body = b"".join(message(1, each + sample_field(at, value)) for each, value in samples)
            client.post("/api/v1/write", content=snappy.compress(body), headers=HEADERS).raise_for_status()
