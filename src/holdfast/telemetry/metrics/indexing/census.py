"""All series of a tenant in one numbering: what is asked of no single metric is answered over whole columns.

A tenant of 100,000 series has some thousands of metrics. To go through them one by one takes a hundred times as long as
the comparison of two arrays. Only grows, as groups do; a column is made when its label is first asked for.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.growing import Growing
from holdfast.telemetry.metrics.indexing.chosen import Chosen, chosen_of, is_most, nothing
from holdfast.telemetry.metrics.indexing.columns import LabelColumn, Ordinals, ShapeColumn, present
from holdfast.telemetry.metrics.indexing.group import Group, Lives, lives_of
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.samples import Matcher
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS

_COLUMNS: Final = 64  # that are kept, four bytes of each series; the one asked for longest ago goes
_VERDICTS: Final = 16  # per column, each as long as the label has values
_AT_ONCE: Final = 5_000  # series that a column takes in before others have their turn, some two milliseconds

Flags = npt.NDArray[np.bool_]


class Census:
    """The series of all groups of a tenant."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.labels: list[Labels] = []
        self.ids = Growing(np.uint64)
        self.first_ms = Growing(np.int64)
        self.last_ms = Growing(np.int64)
        self._places: dict[str, Growing[np.int64]] = {}  # of the series of each metric
        self._numbers: Ordinals = np.zeros(0, np.int64)
        self._order: Ordinals = np.zeros(0, np.int64)  # by id
        self._lives: Lives | None = None
        self._last_living: tuple[Flags, Ordinals] | None = None  # a dashboard asks on about nearly the same time
        self._columns: dict[str, LabelColumn] = {}
        self._shapes = ShapeColumn()
        for group in groups:
            self.follow(group, np.arange(len(group)))

    def __len__(self) -> int:
        return len(self.labels)

    def follow(self, group: Group, touched: Ordinals) -> None:
        """Take what a group has learnt of these of its series, all that are new among them."""
        self._lives = None
        places = self._places.setdefault(group.name, Growing(np.int64))
        begin = len(places)
        if begin < len(group):
            places.extend(np.arange(len(self), len(self) + len(group) - begin))
            self.labels += group.labels[begin:]
            self._shapes.extend(group.labels[begin:], group.names)
            self.ids.extend(group.ids.live[begin:])
            self.first_ms.extend(group.first_ms.live[begin:])
            self.last_ms.extend(group.last_ms.live[begin:])
        here = places.live[touched]
        self.first_ms.live[here] = group.first_ms.live[touched]
        self.last_ms.live[here] = group.last_ms.live[touched]

    async def choose(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Ordinals:
        """Give the series that satisfy all matchers and may have samples in [start_ms, end_ms]; the array is shared.

        Raises:
            InvalidError: an expression is wrong.
        """
        if not matchers:
            is_clear = self._lives_in_common().are_within(start_ms, end_ms)
            return self._everyone() if is_clear else self._those_living(start_ms, end_ms)
        matching = await self._matching(matchers)
        return self._ordinals(matching & self._living(start_ms, end_ms))

    async def chosen(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Chosen:
        """Give the same series as queries read them.

        What is remembered of their samples is remembered by the names of all metrics that match at any time.

        Raises:
            InvalidError: an expression is wrong.
        """
        await self._made(METRIC_NAME)
        matching = await self._matching(matchers)
        every = self._ordinals(matching)
        names = self._column(METRIC_NAME).used(every)
        if not names:
            return nothing()
        order = self._by_id()
        places = order[(matching & self._living(start_ms, end_ms))[order]]
        known = len(self._places[names[0]]) if len(names) == 1 else len(self)
        return chosen_of(self, places, names, is_whole=is_most(len(every), known))

    async def _matching(self, matchers: tuple[Matcher, ...]) -> Flags:
        for matcher in matchers:
            await self._made(matcher.label)
        is_matching = np.ones(len(self), np.bool_)
        for matcher in matchers:
            is_matching &= self._column(matcher.label).matches(matcher)
        return is_matching

    def _living(self, start_ms: int, end_ms: int) -> Flags:
        return (self.first_ms.live <= end_ms) & (self.last_ms.live >= start_ms - ANNOUNCE_EVERY_MS)

    def _those_living(self, start_ms: int, end_ms: int) -> Ordinals:
        """Give who lives then; while it is the same ones as last time, in the very same array, which columns know."""
        flags, last = self._living(start_ms, end_ms), self._last_living
        if last is None or not np.array_equal(flags, last[0]):
            self._last_living = last = flags, self._ordinals(flags)
        return last[1]

    def _lives_in_common(self) -> Lives:
        if self._lives is None:
            self._lives = lives_of(self.first_ms.live, self.last_ms.live)
        return self._lives

    def _ordinals(self, flags: Flags) -> Ordinals:
        return self._everyone() if flags.all() else np.flatnonzero(flags)

    def _everyone(self) -> Ordinals:
        if len(self._numbers) < len(self):
            self._numbers = np.arange(len(self))
        return self._numbers

    def _by_id(self) -> Ordinals:
        if len(self._order) < len(self):
            self._order = self.ids.live.argsort(kind="stable")
        return self._order

    async def label_names(self, ordinals: Ordinals) -> set[str]:
        """Give the names of the labels that these series have."""
        return self._shapes.names(ordinals)

    async def label_values(self, label: str, ordinals: Ordinals) -> list[str]:
        """Give the distinct values that these series have of a label, sorted."""
        await self._made(label)
        return present(self._column(label).used(ordinals))

    async def prepare(self, most: int) -> None:
        """Make the columns of the `most` labels that the most series have, before anybody asks for them."""
        for label, _ in self._shapes.counts().most_common(most):
            await self._made(label)

    async def _made(self, label: str) -> None:
        """Have the column of a label know nearly all series; others have their turn meanwhile."""
        known = self._columns.get(label)
        while len(self) - (len(known) if known is not None else 0) > _AT_ONCE:
            known = self._column(label, at_most=_AT_ONCE)
            await asyncio.sleep(0)

    def _column(self, label: str, at_most: int = sys.maxsize) -> LabelColumn:
        """Give the values of one label, after taking in so many more series."""
        column = self._columns.pop(label, None)
        if column is None:
            column = LabelColumn(_VERDICTS)
        self._columns[label] = column  # behind the others, which go before it
        if len(self._columns) > _COLUMNS:
            del self._columns[next(iter(self._columns))]
        begin, end = len(column), min(len(self), len(column) + at_most)
        if begin < end:
            places = self._shapes.places_of(label, begin, end)
            having = np.flatnonzero(places >= 0)
            found = zip((having + begin).tolist(), places[having].tolist(), strict=True)
            column.extend_some(end - begin, having, [self.labels[one][place][1] for one, place in found])
        return column
