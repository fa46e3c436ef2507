"""The families that dashboards and rules ask about, as Holdfast and Prometheus each get them onto their disk.

Counters, gauges with gaps, classic histograms, pods that a deploy replaces every hour with what is told about them,
and very many series. Times lie beside the whole minutes (see `_counter_set`); counters begin high, where the rules of
Prometheus 2 and 3 for a counter's beginning agree.
"""

from __future__ import annotations

import math
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from _counter_set import BLOCK_MS, OFFSET_MS
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, MetricSink
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.labels import Labels, labels_of

HOUR_MS = 3_600_000
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
BEGINNING = 1e6
MOST_ROWS = 100_000  # of one arrival


@dataclass(frozen=True, slots=True)
class Panel:
    """Series of one family with one clock; NaN is no sample."""

    labels: list[Labels]
    times_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class DashboardSet:
    """All families of a time that ends at `end_s`, `scale` of 1 being the whole."""

    def __init__(self, end_s: int, hours: int, scale: float) -> None:
        self.end_s, self.start_s = end_s, end_s - hours * 3600
        self.rng = np.random.default_rng(7)
        size = lambda whole: max(int(whole * scale), 20)  # noqa: E731 - a helper of these lines
        self.panels = [
            self._counters(size(1000), 15_000),
            self._gauges(size(300), 30_000),
            self._histograms(size(100), 30_000),
            *(panel for hour in range(hours) for panel in self._deploy(size(800), hour)),
            self._many(size(100_000)),
        ]

    def _clock(self, step_ms: int, begin_ms: int, end_ms: int) -> npt.NDArray[np.int64]:
        return np.arange(begin_ms + OFFSET_MS, end_ms, step_ms)

    def _counted(self, times: int, series: int, most: int) -> npt.NDArray[np.float64]:
        return BEGINNING + np.cumsum(self.rng.integers(0, most, (times, series)), axis=0).astype(np.float64)

    def _counters(self, series: int, step_ms: int) -> Panel:
        times = self._clock(step_ms, self.start_s * 1000, self.end_s * 1000)
        labels = [
            labels_of({"__name__": "m", "job": f"job{n % 10}", "instance": f"10.0.0.{n // 100}:9100", "number": str(n)})
            for n in range(series)
        ]
        return Panel(labels, times, self._counted(len(times), series, 50))

    def _gauges(self, series: int, step_ms: int) -> Panel:
        times = self._clock(step_ms, self.start_s * 1000, self.end_s * 1000)
        values = np.round(np.cumsum(self.rng.normal(0, 1, (len(times), series)), axis=0), 3)
        for column in range(0, series, 7):  # targets that are down for a while
            begin = int(self.rng.integers(0, len(times)))
            values[begin : begin + 60, column] = np.nan
        labels = [
            labels_of({"__name__": "g", "job": f"job{n % 10}", "instance": f"10.0.0.{n}:9100", "mode": f"mode{n % 4}"})
            for n in range(series)
        ]
        return Panel(labels, times, values)

    def _histograms(self, series: int, step_ms: int) -> Panel:
        times = self._clock(step_ms, self.start_s * 1000, self.end_s * 1000)
        counts = self.rng.integers(0, 6, (len(times), series, len(BOUNDS)))
        values = BEGINNING + np.cumsum(np.cumsum(counts, axis=2), axis=0).astype(np.float64)
        labels = [
            labels_of(
                {
                    "__name__": "lat_bucket",
                    "job": f"job{n % 10}",
                    "handler": f"/api/{n % 25}",
                    "instance": f"i{n}",
                    "le": le,
                }
            )
            for n in range(series)
            for le in BOUNDS
        ]
        return Panel(labels, times, values.reshape(len(times), -1))

    def _deploy(self, pods: int, hour: int) -> list[Panel]:
        begin = self.start_s * 1000 + hour * HOUR_MS
        names = [f"app{n % 40}-{hour:02}x{n:03}" for n in range(pods)]
        shared = [{"namespace": f"ns{n % 8}", "pod": name} for n, name in enumerate(names)]
        used = [labels_of({"__name__": "c", "container": "main", **each}) for each in shared]
        told = [
            labels_of({"__name__": "pod_info", "node": f"node{n % 30}", "uid": f"u-{hour}-{n}", **each})
            for n, each in enumerate(shared)
        ]
        built = [
            labels_of(
                {"__name__": "build_info", "namespace": f"ns{n}", "version": f"v1.{hour}", "uid": f"b-{hour}-{n}"}
            )
            for n in range(8)
        ]
        fast, slow = (self._clock(step_ms, begin, begin + HOUR_MS) for step_ms in (30_000, 60_000))
        return [
            Panel(used, fast, self._counted(len(fast), pods, 900) / 4),
            Panel(told, slow, np.ones((len(slow), pods))),
            Panel(built, slow, np.ones((len(slow), len(built)))),
        ]

    def _many(self, series: int) -> Panel:
        times = self._clock(60_000, self.end_s * 1000 - 600_000, self.end_s * 1000)
        labels = [
            labels_of({"__name__": "many", "id": f"{n:06}", "shard": f"s{n % 100}", "zone": f"z{n % 3}"})
            for n in range(series)
        ]
        return Panel(labels, times, self._counted(len(times), series, 20))

    async def write_own(self, folder: Path) -> None:
        """Append as scrapes would, an hour of each family at a time."""
        async with Store(StoreSettings(), folder=folder) as store:
            await store.register(SCHEMA)
            sink = MetricSink(store)
            book = sink.book(DEFAULT_TENANT)
            for begin in range(self.start_s * 1000, self.end_s * 1000, HOUR_MS):
                for panel in self.panels:
                    first, last = np.searchsorted(panel.times_ms, [begin, begin + HOUR_MS])
                    if first < last:
                        refs = np.array([book.ref(labels, origin="bench") for labels in panel.labels])
                    many = max(MOST_ROWS // len(panel.labels), 1)
                    for row in range(first, last, many):
                        rows = slice(row, min(row + many, last))
                        values, times = panel.values[rows], panel.times_ms[rows]
                        there = ~np.isnan(values).ravel()
                        every = (np.tile(refs, len(times)), np.repeat(times, len(refs)), values.ravel())
                        await sink.append(DEFAULT_TENANT, Arrival(book.generation, *(each[there] for each in every)))

    def write_blocks(self, folder: Path) -> None:
        """Make the peer's blocks, each from a text of its own."""
        edges = range(self.start_s * 1000 // BLOCK_MS * BLOCK_MS, self.end_s * 1000 + BLOCK_MS, BLOCK_MS)
        for begin, end in pairwise(edges):
            self._write_block(folder, begin, end)

    def _write_block(self, folder: Path, begin_ms: int, end_ms: int) -> None:
        dump = folder.with_suffix(".txt")
        with dump.open("w", encoding="ascii") as out:
            for panel in self.panels:
                first, last = np.searchsorted(panel.times_ms, [begin_ms, end_ms])
                times = [f" {at / 1000:.3f}\n" for at in panel.times_ms[first:last].tolist()]
                for column, labels in enumerate(panel.labels if times else ()):
                    name = dict(labels)["__name__"]
                    named = ",".join(f'{name}="{value}"' for name, value in labels if name != "__name__")
                    values = panel.values[first:last, column].tolist()
                    head = f"{name}{{{named}}} "
                    out.writelines(
                        f"{head}{value!r}{at}" for at, value in zip(times, values, strict=True) if not math.isnan(value)
                    )
            out.write("# EOF\n")
        made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", dump, folder]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        dump.unlink()
