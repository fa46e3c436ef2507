"""Listens to what is stored: remembers who told which version when, until the book takes it.

Looks at resources and info metrics, never at single spans or lines, and at each set of attributes once. What is
remembered is bounded; what finds no room is counted.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.telemetry.metrics.labels import name_of
from holdfast.telemetry.versions.hints import BUILD_INFO, TARGET_INFO, Hint, Telling, of_resource, of_series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.storing.feed import Announced, Stored
    from holdfast.telemetry.traces.spans import Spans
    from holdfast.telemetry.versions.settings import VersionsSettings

MOST_KNOWN: Final = 20_000  # versions of all services that are remembered
MOST_SETS: Final = 20_000  # sets of attributes whose meaning is remembered
MOST_SERIES: Final = 20_000  # of info metrics, in a tenant
FORGET_S: Final = 7200.0
_SLOTS: Final = 1 << 16
_NS: Final = 10**9
_TRACE_LETTERS: Final = 32
_DENSE: Final = 4  # times as many groups as records may be laid out


class Heard(NamedTuple):
    """A version as it was heard: the time of its newest record, and where it was heard first."""

    telling: Telling
    at_s: float
    signal: str = ""
    trace_id: str = ""
    instance: str = ""


class _InfoSeries:
    """The series of info metrics of a tenant: found among the ids of a batch by their low bits first."""

    def __init__(self) -> None:
        self.hints: dict[int, Hint] = {}
        self._slots = np.zeros(_SLOTS, np.bool_)

    def add(self, series_id: int, hint: Hint) -> None:
        self.hints[series_id] = hint
        self._slots[series_id & (_SLOTS - 1)] = True

    def places(self, ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
        """Give where ids stand that are perhaps of these series."""
        return np.flatnonzero(self._slots[(ids & np.uint64(_SLOTS - 1)).astype(np.intp)])


class Listener:
    """Hears versions in spans, log records and samples as they are stored; follows all three sinks."""

    def __init__(self, settings: VersionsSettings, clock: Clock, metrics: CollectorRegistry | None = None) -> None:
        self.wake = asyncio.Event()
        self._settings = settings
        self._clock = clock
        self._known: dict[Telling, float] = {}
        self._fresh: dict[Telling, Heard] = {}
        self._touched: set[Telling] = set()
        self._sets: dict[tuple[TenantId, Labels, Labels], Hint | None] = {}
        self._series: dict[TenantId, _InfoSeries] = {}
        registry = metrics or CollectorRegistry()
        passed = Counter(
            "holdfast_versions_passed_over",
            "Times that a version was told and not noted: of records too old, or for want of room.",
            ("reason",),
            registry=registry,
        )
        self._old, self._crowded = passed.labels("old"), passed.labels("too_many")
        self._count = Gauge(
            "holdfast_versions_known", "Versions of services that were heard lately.", registry=registry
        )

    def spans_stored(self, tenant: TenantId, spans: Spans) -> None:
        """Look at the resources of spans."""
        hints = [self._read(tenant, labels) for labels in spans.resources]
        if not any(hints):
            return
        ends = np.zeros(len(hints), np.int64)
        np.maximum.at(ends, spans.resource_refs, spans.starts_ns + spans.durations_ns)
        for place, hint in enumerate(hints):
            if hint is not None and ends[place]:
                self._hear(hint, int(ends[place]) / _NS, "traces", partial(_trace_of_spans, spans, place))

    def records_stored(self, tenant: TenantId, records: Records, streams: Sequence[Labels]) -> None:
        """Look at the streams and the shared metadata of log records."""
        if not len(records):
            return
        shared, places = records.shared or ((),), records.shared_refs
        groups = records.refs * len(shared)
        groups = groups if places is None else groups + places
        for group, newest_ns in _newest(groups, records.ts_ns):
            ref, place = divmod(group, len(shared))
            hint = self._read(tenant, streams[ref], () if places is None else shared[place])
            if hint is not None:
                self._hear(hint, newest_ns / _NS, "logs", partial(_trace_of_records, records, groups, group))

    def series_announced(self, news: Announced) -> None:
        """Look at the labels of info metrics, and remember their series."""
        for place, labels in enumerate(news.labels):
            name = name_of(labels)
            if name != TARGET_INFO and (not name.endswith(BUILD_INFO) or name in self._settings.ignored_metrics):
                continue
            hint = of_series(news.tenant, name, dict(labels))
            if hint is None:
                continue
            series = self._series.get(news.tenant)
            if series is None or len(series.hints) >= MOST_SERIES:  # the living are announced again within an hour
                series = self._series[news.tenant] = _InfoSeries()
            series.add(int(news.ids[place]), hint)
            self._hear(hint, int(news.last_ms[place]) / 1000, "metrics", str)

    def samples_stored(self, news: Stored) -> None:
        """Note which info metrics go on."""
        series = self._series.get(news.tenant)
        if series is None:
            return
        for place in series.places(news.ids).tolist():
            hint = series.hints.get(int(news.ids[place]))
            if hint is not None:
                self._hear(hint, int(news.ts_ms[place]) / 1000, "metrics", str)

    def take(self) -> list[Heard]:
        """Give what was heard since the last time, and forget what has not been heard for long."""
        self.wake.clear()
        touched = (Heard(telling, self._known[telling]) for telling in self._touched - self._fresh.keys())
        found = [*(each._replace(at_s=self._known[each.telling]) for each in self._fresh.values()), *touched]
        self._fresh, self._touched = {}, set()
        oldest_s = self._clock.now().timestamp() - FORGET_S
        self._known = {telling: at_s for telling, at_s in self._known.items() if at_s >= oldest_s}
        self._count.set(len(self._known))
        return found

    def put_back(self, heard: Iterable[Heard]) -> None:
        """Take back what could not be noted."""
        for each in heard:
            self._known.setdefault(each.telling, each.at_s)
            self._fresh.setdefault(each.telling, each)

    def _read(self, tenant: TenantId, labels: Labels, more: Labels = ()) -> Hint | None:
        key = (tenant, labels, more)
        try:
            return self._sets[key]
        except KeyError:
            if len(self._sets) >= MOST_SETS:
                self._sets.clear()
            hint = self._sets[key] = of_resource(tenant, {**dict(more), **dict(labels)})
            return hint

    def _hear(self, hint: Hint, at_s: float, signal: str, find_trace: Callable[[], str]) -> None:
        now_s = self._clock.now().timestamp()
        if at_s < now_s - self._settings.fresh_for:
            self._old.inc()
            return
        telling, at_s = hint.telling, min(at_s, now_s)
        before_s = self._known.get(telling)
        if before_s is None and len(self._known) >= MOST_KNOWN:
            self._crowded.inc()
            return
        if before_s is None or before_s < at_s - self._settings.settle_after:
            self._fresh[telling] = Heard(telling, at_s, signal, find_trace(), hint.instance)
            self.wake.set()
        self._known[telling] = max(at_s, before_s or 0.0)
        self._touched.add(telling)


def _newest(groups: npt.NDArray[np.int64], ts_ns: npt.NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    """Give each group with its newest time; groups that lie close together, as they mostly do, are not sorted."""
    first = int(groups.min())
    span = int(groups.max()) - first + 1
    if span > _DENSE * len(groups):
        known, places = np.unique(groups, return_inverse=True)
    else:
        known, places = np.arange(first, first + span), groups - first
    newest = np.zeros(len(known), np.int64)
    np.maximum.at(newest, places, ts_ns)
    there = np.flatnonzero(newest)
    return zip(known[there].tolist(), newest[there].tolist(), strict=True)


def _trace_of_spans(spans: Spans, place: int) -> str:
    return spans.trace_ids[int(np.argmax(spans.resource_refs == place))].hex()


def _trace_of_records(records: Records, groups: npt.NDArray[np.int64], group: int) -> str:
    """Give the first that is one: what comes through Loki's door may be any text."""
    ids = records.trace_ids or ()
    return next((ids[row] for row in np.flatnonzero(groups == group).tolist() if ids and _is_trace(ids[row])), "")


def _is_trace(text: str) -> bool:
    return len(text) == _TRACE_LETTERS and text.isascii() and text.isalnum()
