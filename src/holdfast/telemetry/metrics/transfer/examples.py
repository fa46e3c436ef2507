"""Exemplars of an export: read from a server's answer, each put beside the first sample at or behind its time.

OpenMetrics has room for one beside a sample, and for none beside others than totals and buckets.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.transfer.rows import RowExemplar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HAVE_EXEMPLARS: Final = ("_total", "_bucket")  # the ends of names
_MOST_LETTERS: Final = 128  # of labels; OpenMetrics 1.0, "Exemplars"


def read_exemplars(data: Any) -> dict[Labels, list[RowExemplar]]:
    """Give the exemplars of each series in what `query_exemplars` answered.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: it is no such answer.
    """
    return {
        labels_of(series["seriesLabels"]): [
            RowExemplar(labels_of(each["labels"]), float(each["value"]), round(each["timestamp"] * 1000))
            for each in series["exemplars"]
        ]
        for series in data["data"]
    }


def place_exemplars(times_ms: Sequence[int], found: Iterable[RowExemplar]) -> dict[int, RowExemplar]:
    """Give the exemplars by the place of the sample that each stands beside; one that finds no place is left out."""
    placed: dict[int, RowExemplar] = {}
    free = 0
    for each in sorted(found, key=lambda one: one.ts_ms):
        place = max(free, bisect_left(times_ms, each.ts_ms))
        if place < len(times_ms) and sum(len(name) + len(text) for name, text in each.labels) <= _MOST_LETTERS:
            placed[place] = each
            free = place + 1
    return placed
