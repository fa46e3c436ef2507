"""The series of one metric: labels as codes into the distinct values, so that a matcher looks at each value once.

Only grows; a series that left the store stays until the group is loaded anew, and has no samples then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.growing import Growing
from holdfast.telemetry.metrics.indexing.columns import LabelColumn, Ordinals, present, value_of
from holdfast.telemetry.metrics.indexing.loading import SeriesRow
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS

_REMEMBERED: Final = 256  # choices per metric


def lives_of(first_ms: npt.NDArray[np.int64], last_ms: npt.NDArray[np.int64]) -> Lives:
    """Give what the lives of some series have in common; all zeros where there is none."""
    if not len(first_ms):
        return Lives(0, 0, 0, 0)
    return Lives(*(int(each) for each in (first_ms.min(), first_ms.max(), last_ms.min(), last_ms.max())))


class Lives(NamedTuple):
    """When the first and the last of some series began, and were last heard of."""

    first_begun_ms: int
    last_begun_ms: int
    first_heard_ms: int
    last_heard_ms: int

    def are_within(self, start_ms: int, end_ms: int) -> bool:
        """Tell whether all of them may have samples in [start_ms, end_ms]."""
        return self.last_begun_ms <= end_ms and self.first_heard_ms + ANNOUNCE_EVERY_MS >= start_ms

    def are_beside(self, start_ms: int, end_ms: int) -> bool:
        """Tell whether none of them has."""
        return self.first_begun_ms > end_ms or self.last_heard_ms + ANNOUNCE_EVERY_MS < start_ms


class Group:
    """One metric's series."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.changes = 0  # times that series were added, or live longer than was known
        self.labels: list[Labels] = []
        self.names: set[str] = set()  # of the labels that any of them has
        self.ids = Growing(np.uint64)
        self.first_ms = Growing(np.int64)
        self.last_ms = Growing(np.int64)
        self._ordinals: dict[int, int] = {}
        self._columns: dict[str, LabelColumn] = {}
        self._choices: dict[tuple[Matcher, ...], Ordinals] = {}
        self._lives: Lives | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def note(self, rows: Sequence[SeriesRow]) -> Ordinals:
        """Take series, or that their lives are longer than was known; gives their places here."""
        ordinals, places = self._ordinals, []
        fresh: list[SeriesRow] = []
        for row in rows:
            place = ordinals.setdefault(row[2], len(ordinals))
            places.append(place)
            if place == len(self.labels) + len(fresh):
                fresh.append(row)
        if fresh:
            self._add(fresh)
        first, last = (np.array([row[part] for row in rows], np.int64) for part in (3, 4))
        self._lives = None
        self.changes += 1
        np.minimum.at(self.first_ms.live, places, first)
        np.maximum.at(self.last_ms.live, places, last)
        return np.array(places, np.int64)

    def _add(self, fresh: Sequence[SeriesRow]) -> None:
        self.labels += [row[1] for row in fresh]
        self.names |= {name for row in fresh for name, _ in row[1]}
        self.ids.extend(np.array([row[2] for row in fresh], np.uint64))
        self.first_ms.extend(np.array([row[3] for row in fresh], np.int64))
        self.last_ms.extend(np.array([row[4] for row in fresh], np.int64))
        self._choices.clear()

    def lives(self) -> Lives:
        """Give what the lives of all series have in common."""
        if self._lives is None:
            self._lives = lives_of(self.first_ms.live, self.last_ms.live)
        return self._lives

    def choose(self, matchers: tuple[Matcher, ...]) -> Ordinals:
        """Give the series that satisfy all matchers, sorted by id; the array is shared, do not write to it."""
        known = self._choices.get(matchers)
        if known is None:
            if len(self._choices) >= _REMEMBERED:
                self._choices.clear()
            known = self._choices[matchers] = self._choose(matchers)
        return known

    def _choose(self, matchers: tuple[Matcher, ...]) -> Ordinals:
        verdicts = [self.column(matcher.label).matches(matcher) for matcher in matchers if not self._fulfils(matcher)]
        ordinals = np.flatnonzero(np.logical_and.reduce(verdicts)) if verdicts else np.arange(len(self))
        return ordinals[self.ids.live[ordinals].argsort(kind="stable")]

    def _fulfils(self, matcher: Matcher) -> bool:
        """Tell whether all series match because of their name."""
        return matcher.label == METRIC_NAME and matcher.op is MatchOp.EQUAL and matcher.value == self.name

    def column(self, label: str) -> LabelColumn:
        """Give the values of one label."""
        column = self._columns.get(label)
        if column is None:
            column = self._columns[label] = LabelColumn()
        if len(column) < len(self.labels):
            column.extend([value_of(labels, label) for labels in self.labels[len(column) :]])
        return column

    async def label_names(self, ordinals: Ordinals) -> set[str]:
        """Give the names of the labels that these series have."""
        if len(ordinals) == len(self):
            return self.names
        labels = self.labels
        return {name for ordinal in ordinals.tolist() for name, _ in labels[ordinal]}

    async def label_values(self, label: str, ordinals: Ordinals) -> list[str]:
        """Give the distinct values that these series have of a label, sorted."""
        return present(self.column(label).used(ordinals)) if label in self.names else []
