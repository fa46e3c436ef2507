"""Use, saturation and errors of this process, read from Linux' /proc when somebody looks; elsewhere what Python knows.

What prometheus_client's own collector shows (CPU, memory, open files, start) is left to it, and added where a registry
has none.
"""

from __future__ import annotations

import gc
import os
import resource
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import REGISTRY, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from holdfast.instrument.groups import ControlGroup, read_file, read_pairs
from holdfast.instrument.registries import PerRegistry

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

PAUSE_BUCKETS_S: Final = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
_GENERATIONS: Final = 3

Figure = tuple[str, tuple[str, ...], float]
"""A family's name, the values of its labels, the value."""

# Where OpenTelemetry's conventions for processes and CPython have a name, it is theirs.
FAMILIES: Final[dict[str, tuple[type[CounterMetricFamily | GaugeMetricFamily], str, tuple[str, ...]]]] = {
    "process_cpu_time_seconds": (CounterMetricFamily, "CPU time by mode.", ("mode",)),
    "process_cpu_available": (GaugeMetricFamily, "Processors that the process may run on.", ()),
    "process_cpu_wait_seconds": (
        CounterMetricFamily,
        "Time that the main thread was ready to run and had no processor.",
        (),
    ),
    "process_cpu_limit": (GaugeMetricFamily, "Processors whose whole time the control group allows.", ()),
    "process_cpu_throttled_seconds": (
        CounterMetricFamily,
        "Time that the control group kept its processes from the processor.",
        (),
    ),
    "process_context_switches": (
        CounterMetricFamily,
        "Times that the process gave the processor up: it had to wait (voluntary), or was made to.",
        ("type",),
    ),
    "process_threads": (GaugeMetricFamily, "Threads of the process, Python's and others.", ()),
    "process_memory_swapped_bytes": (GaugeMetricFamily, "Memory on the swap device.", ()),
    "process_memory_limit_bytes": (GaugeMetricFamily, "Memory that the control group allows.", ()),
    "process_paging_faults": (CounterMetricFamily, "Page faults; major ones read a disk.", ("type",)),
    "process_disk_io_bytes": (CounterMetricFamily, "Bytes that went to or came from disks.", ("direction",)),
    "cpython_gc_collections": (CounterMetricFamily, "Runs of the garbage collector.", ("generation",)),
    "cpython_gc_collected_objects": (CounterMetricFamily, "Objects that it freed.", ("generation",)),
    "cpython_gc_uncollectable_objects": (CounterMetricFamily, "Objects that it could not free.", ("generation",)),
}


def watch_process(
    registry: CollectorRegistry = REGISTRY, *, proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")
) -> Callable[[], None]:
    """Show this process in `registry` from now on; once per process.

    Returns:
        A function that ends it.
    """
    return _WATCHES(registry).start(proc, groups)


class ProcessWatch:
    """The collectors of one registry: ours, and the library's if the registry has none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry_names = registry._names_to_collectors  # noqa: SLF001 -- the only way to see what is there
        self._register, self._unregister = registry.register, registry.unregister
        self._pauses = GcPauses()
        self._collectors: list[Collector] = []

    def start(self, proc: Path, groups: Path) -> Callable[[], None]:
        """Register what is missing."""
        if not self._collectors:
            self._collectors = [ProcessUse(proc, groups, self._pauses)]
            if "process_cpu_seconds_total" not in self._registry_names:
                self._collectors.append(ProcessCollector(registry=None, proc=str(proc)))
            for collector in self._collectors:
                self._register(collector)
            gc.callbacks.append(self._pauses)
        return self.stop

    def stop(self) -> None:
        """Take them out again."""
        for collector in self._collectors:
            self._unregister(collector)
        self._collectors = []
        if self._pauses in gc.callbacks:
            gc.callbacks.remove(self._pauses)


class GcPauses:
    """Times the runs of the garbage collector, in which all of the program stands still.

    Plain numbers, no metric of the library: the collector may strike while a metric's lock is held.
    """

    def __init__(self) -> None:
        self._started_s = 0.0
        self._counts = [[0] * (len(PAUSE_BUCKETS_S) + 1) for _ in range(_GENERATIONS)]
        self._sums_s = [0.0] * _GENERATIONS

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Hear of a collection that begins or ends."""
        if phase == "start":
            self._started_s = time.perf_counter()
            return
        pause_s = time.perf_counter() - self._started_s
        generation = min(info["generation"], _GENERATIONS - 1)
        self._counts[generation][bisect_left(PAUSE_BUCKETS_S, pause_s)] += 1
        self._sums_s[generation] += pause_s

    def collect(self) -> Metric:
        """Give the histogram as it is now."""
        family = HistogramMetricFamily(
            "cpython_gc_pause_seconds",
            "How long the garbage collector stopped the program.",
            labels=["generation"],
            unit="seconds",
        )
        bounds = [*(str(bound) for bound in PAUSE_BUCKETS_S), "+Inf"]
        for generation, counts in enumerate(self._counts):
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([str(generation)], buckets, self._sums_s[generation])
        return family


class ProcessUse(Collector):
    """Reads /proc/self at each look; shows what it finds."""

    def __init__(self, proc: Path, groups: Path, pauses: GcPauses) -> None:
        self._self = proc / "self"
        self._group = ControlGroup(self._self, groups)
        self._pauses = pauses

    def describe(self) -> Iterable[Metric]:
        """Give all families, without samples, on any machine."""
        return [*(_family(name) for name in FAMILIES), self._pauses.collect()]

    def collect(self) -> Iterable[Metric]:
        """Look."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, labels, value in (*self._read_usage(), *self._read_kernel(), *_read_garbage()):
            family = families.get(name)
            if family is None:
                family = families[name] = _family(name)
            family.add_metric(labels, value)
        return [*families.values(), self._pauses.collect()]

    def _read_usage(self) -> Iterator[Figure]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield "process_cpu_time_seconds", ("user",), used.ru_utime
        yield "process_cpu_time_seconds", ("system",), used.ru_stime
        yield "process_context_switches", ("voluntary",), used.ru_nvcsw
        yield "process_context_switches", ("involuntary",), used.ru_nivcsw
        yield "process_paging_faults", ("minor",), used.ru_minflt
        yield "process_paging_faults", ("major",), used.ru_majflt
        yield "process_cpu_available", (), len(os.sched_getaffinity(0))

    def _read_kernel(self) -> Iterator[Figure]:
        status = read_pairs(self._self / "status", ":")
        yield "process_threads", (), int(status.get("Threads", threading.active_count()))
        if "VmSwap" in status:
            yield "process_memory_swapped_bytes", (), int(status["VmSwap"].split()[0]) * 1024
        schedule = read_file(self._self / "schedstat").split()
        if len(schedule) == 3:  # Documentation/scheduler/sched-stats.rst: time on the CPU, time waiting for it, in ns
            yield "process_cpu_wait_seconds", (), int(schedule[1]) / 1e9
        disk = read_pairs(self._self / "io", ":")
        if "read_bytes" in disk:
            yield "process_disk_io_bytes", ("read",), int(disk["read_bytes"])
            yield "process_disk_io_bytes", ("write",), int(disk["write_bytes"])
        allowed = (
            ("process_cpu_limit", self._group.cpu_limit()),
            ("process_cpu_throttled_seconds", self._group.throttled_s()),
            ("process_memory_limit_bytes", self._group.memory_limit_bytes()),
        )
        yield from ((name, (), figure) for name, figure in allowed if figure is not None)


def _family(name: str) -> CounterMetricFamily | GaugeMetricFamily:
    kind, text, labels = FAMILIES[name]
    return kind(name, text, labels=labels)


def _read_garbage() -> Iterator[Figure]:
    for generation, stats in enumerate(gc.get_stats()):
        yield "cpython_gc_collections", (str(generation),), stats["collections"]
        yield "cpython_gc_collected_objects", (str(generation),), stats["collected"]
        yield "cpython_gc_uncollectable_objects", (str(generation),), stats["uncollectable"]


_WATCHES: Final = PerRegistry(ProcessWatch)
