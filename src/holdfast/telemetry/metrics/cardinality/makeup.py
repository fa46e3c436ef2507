"""What one metric's active series are made of: who sends them, which labels they bear, and how often which value."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.cardinality.counts import OriginCount
from holdfast.telemetry.metrics.labels import METRIC_NAME

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.storing import Book

_VALUES: Final = 5
_PAUSE_AFTER: Final = 5_000  # series, so that counting them holds nothing else up


@dataclass(frozen=True, slots=True)
class ValueCount:
    """One value of a label, and on how many series it is."""

    value: str
    series: int


@dataclass(frozen=True, slots=True)
class LabelMakeup:
    """One label of the metric: how many different values it has, and the most frequent ones."""

    name: str
    values: int
    most: tuple[ValueCount, ...]


@dataclass(frozen=True, slots=True)
class MetricMakeup:
    """One metric: its senders and labels, the largest first. `active` is 0 for one that nobody sends now."""

    name: str
    active: int
    origins: tuple[OriginCount, ...]
    labels: tuple[LabelMakeup, ...]


async def makeup(book: Book | None, name: str, top: int) -> MetricMakeup:
    """Count one metric's active series by sender, label and value, with the `top` senders and labels."""
    origins: Counter[str] = Counter()
    values: defaultdict[str, Counter[str]] = defaultdict(Counter)
    known, senders = (book.labels, book.origins) if book and book.tally.by_metric.get(name) else ([], [])
    mark, series = (METRIC_NAME, name), len(known)
    for begin in range(0, series, _PAUSE_AFTER):
        part = slice(begin, min(begin + _PAUSE_AFTER, series))
        for labels, origin in zip(known[part], senders[part], strict=True):
            if mark in labels:
                origins[origin] += 1
                for label, value in labels:
                    values[label][value] += 1
        await asyncio.sleep(0)
    values.pop(METRIC_NAME, None)
    found = [
        LabelMakeup(label, len(own), tuple(ValueCount(*pair) for pair in own.most_common(_VALUES)))
        for label, own in values.items()
    ]
    return MetricMakeup(
        name,
        origins.total(),
        tuple(OriginCount(*pair) for pair in origins.most_common(top)),
        tuple(sorted(found, key=lambda one: (-one.values, one.name))[:top]),
    )
