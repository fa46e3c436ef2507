"""Shows what the sources gave, and how they are, as metrics of prometheus_client; it asks nobody and never waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from holdfast.telemetry.metrics.exporter.book import Metric as MetricRule
from holdfast.telemetry.metrics.exporter.readings import LabelPairs
from holdfast.telemetry.metrics.exporter.shapes import MetricType

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.exporter.polling import Poller, SourceState

_SUFFIXES: Final = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}


class ExporterFamilies(Collector):
    """The collector of one poller."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def describe(self) -> Iterable[Metric]:
        """Give the families that describe the sources; those of a file are the file's."""
        return [*_own_families().values()]

    def collect(self) -> Iterator[Metric]:
        """Give everything that there is to show now."""
        states = list(self._poller.states.values())
        yield from source_families(states, self._poller.now_s)
        yield from describe_sources(states, self._poller.now_s)


def source_families(states: Iterable[SourceState], now_s: float) -> Iterable[Metric]:
    """Give the families that the sources' files describe; where two sources say the same, the one above wins."""
    families: dict[str, Metric] = {}
    seen: set[tuple[str, LabelPairs]] = set()
    for state in states:
        reading = state.shown(now_s)
        for rule in state.source.metrics:
            family = families.get(rule.name)
            if family is None:
                family = families[rule.name] = _family_of(rule)
            for labels, value in (reading.samples[rule.name] if reading is not None else {}).items():
                if (rule.name, labels) not in seen:
                    seen.add((rule.name, labels))
                    family.add_sample(rule.name + _SUFFIXES.get(rule.type, ""), dict(labels), value)
    return families.values()


def _family_of(rule: MetricRule) -> Metric:
    return Metric(rule.name, rule.help, rule.type.value, rule.unit)


def _own_families() -> dict[str, Metric]:
    of = ["source"]
    return {
        family.name: family
        for family in (
            GaugeMetricFamily("exporter_source_up", "1 if the last look at a source was good.", labels=of),
            GaugeMetricFamily(
                "exporter_source_failing", "1, with the kind of the error, while a source fails.", labels=[*of, "kind"]
            ),
            GaugeMetricFamily("exporter_source_stale", "1 while values of an earlier look are shown.", labels=of),
            GaugeMetricFamily(
                "exporter_source_last_success_timestamp_seconds", "When a source was read last.", labels=of
            ),
            GaugeMetricFamily("exporter_source_duration_seconds", "How long the last look took.", labels=of),
            GaugeMetricFamily(
                "exporter_source_series", "Samples that the last good look gave, by metric.", labels=[*of, "metric"]
            ),
            CounterMetricFamily("exporter_source_looks", "Looks at a source.", labels=of),
            CounterMetricFamily("exporter_source_errors", "Looks that failed, by kind.", labels=[*of, "kind"]),
            CounterMetricFamily(
                "exporter_source_dropped",
                "Things that gave no sample, by reason: missing, value (no number), label (too long), duplicate.",
                labels=[*of, "reason"],
            ),
        )
    }


def describe_sources(states: Iterable[SourceState], now_s: float) -> Iterable[Metric]:
    """Give the families that tell how the sources are."""
    families = _own_families()

    def add(name: str, labels: list[str], value: float) -> None:
        families[name].add_metric(labels, value)  # type: ignore[attr-defined]  # each is a family with labels

    for state in states:
        name = state.source.name
        if not state.looks:
            continue
        add("exporter_source_up", [name], state.is_up)
        add("exporter_source_stale", [name], not state.is_up and state.shown(now_s) is not None)
        add("exporter_source_duration_seconds", [name], state.duration_s)
        add("exporter_source_looks", [name], state.looks)
        if state.error_kind:
            add("exporter_source_failing", [name, state.error_kind], 1)
        if state.good_at_s is not None:
            add("exporter_source_last_success_timestamp_seconds", [name], state.good_at)
        for metric, samples in (state.reading.samples if state.reading is not None else {}).items():
            add("exporter_source_series", [name, metric], len(samples))
        for kind, count in state.errors.items():
            add("exporter_source_errors", [name, kind], count)
        for reason, count in state.dropped.items():
            add("exporter_source_dropped", [name, reason], count)
    return families.values()
