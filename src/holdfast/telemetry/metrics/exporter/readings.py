"""What one look at a source came to: samples by metric, and how many things had no number. Pure: it reads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from holdfast.telemetry.metrics.exporter.book import Metric, Source
from holdfast.telemetry.metrics.exporter.errors import SourceError
from holdfast.telemetry.metrics.exporter.fields import MISSING, Item
from holdfast.telemetry.metrics.exporter.shapes import MetricType
from holdfast.telemetry.metrics.exporter.values import read_number

LabelPairs = tuple[tuple[str, str], ...]
MOST_LABEL_CHARACTERS: Final = 1024


@dataclass(slots=True)
class Reading:
    """Samples by metric; `dropped` counts by reason what gave none."""

    samples: dict[str, dict[LabelPairs, float]] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def series(self) -> int:
        """How many samples there are."""
        return sum(len(found) for found in self.samples.values())

    def drop(self, reason: str) -> None:
        """Note that something gave no sample."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


def read_items(source: Source, items: Iterable[Item]) -> Reading:
    """Make samples of what a source gave.

    Raises:
        SourceError: they are more than the source may have.
    """
    reading = Reading({metric.name: {} for metric in source.metrics})
    count = 0
    for item in items:
        for metric in source.metrics:
            count += _read_metric(source, metric, item, reading)
            if count > source.bounds.max_rows:
                raise SourceError("too_many_series", f"more than max_series: {source.bounds.max_rows}")
    return reading


def _read_metric(source: Source, metric: Metric, item: Item, reading: Reading) -> bool:
    value, reason = _read_value(metric, item)
    if value is None:
        reading.drop(reason)
        return False
    labels: dict[str, str] = dict(source.labels)
    for label, read in metric.labels:
        found = read(item)
        text = "" if found is MISSING or found is None else _text(found)
        if len(text) > MOST_LABEL_CHARACTERS:
            reading.drop("label")
            return False
        labels[label] = text
    key = tuple(sorted((name, text) for name, text in labels.items() if text))
    into = reading.samples[metric.name]
    if key in into:
        reading.drop("duplicate")
        return False
    into[key] = value
    return True


def _read_value(metric: Metric, item: Item) -> tuple[float | None, str]:
    """Give the number, or None and why there is none."""
    if metric.value is None:  # an info
        return 1.0, ""
    found = metric.value(item)
    if found is MISSING or found is None:
        return metric.default, "missing"
    number = read_number(found, metric.parse, metric.words, metric.scale)
    if number is not None and metric.type is MetricType.COUNTER and not number >= 0:
        number = None  # OpenMetrics has no such counter: a scraper would refuse the page, with all other sources
    return (metric.default if number is None else number), "value"


def _text(found: object) -> str:
    text = str(found).lower() if isinstance(found, bool) else str(found)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # JSON may hold halves of letters
