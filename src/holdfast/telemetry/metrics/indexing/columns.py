"""What series have of one label, and which labels they have at all, as a small number per series.

Both grow at their end, behind the series that they are about.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.growing import Growing
from holdfast.telemetry.metrics.indexing.matching import verdict
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.samples import Matcher

_REMEMBERED: Final = 256  # verdicts per column
_FEW: Final = 8  # below this part of the values, those that are used are sorted by themselves

Ordinals = npt.NDArray[np.int64]
Key = TypeVar("Key")


class LabelColumn:
    """One label over some series; those without it have the empty value."""

    __slots__ = ("_codes", "_last_used", "_numbers", "_order", "_verdicts", "_verdicts_at_most", "values")

    def __init__(self, verdicts_at_most: int = _REMEMBERED) -> None:
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}
        self._codes = Growing(np.int32)
        self._order = np.zeros(0, np.int64)  # of the values by code point
        self._verdicts: dict[Matcher, npt.NDArray[np.bool_]] = {}
        self._verdicts_at_most = verdicts_at_most
        self._last_used: tuple[Ordinals, list[str]] | None = None

    def __len__(self) -> int:
        return len(self._codes)

    def extend(self, values: Iterable[str]) -> None:
        """Take the values of series that come behind the known ones."""
        self._codes.extend(np.array(self._encode(values), np.int32))

    def extend_some(self, count: int, places: Ordinals, values: Iterable[str]) -> None:
        """Take `count` series more, of which those at `places` have values."""
        codes = np.full(count, self._encode(("",))[0], np.int32)
        codes[places] = self._encode(values)
        self._codes.extend(codes)

    def _encode(self, values: Iterable[str]) -> list[int]:
        numbers = self._numbers
        codes = [numbers.setdefault(value, len(numbers)) for value in values]
        self.values += _last_of(numbers, len(numbers) - len(self.values))
        return codes

    def matches(self, matcher: Matcher) -> npt.NDArray[np.bool_]:
        """Tell for each series whether it matches."""
        known = self._verdicts.get(matcher)
        if known is None:
            if len(self._verdicts) >= self._verdicts_at_most:
                self._verdicts.clear()
            known = self._verdicts[matcher] = verdict(matcher, self.values)
        elif len(known) < len(self.values):
            known = np.concatenate([known, verdict(matcher, self.values[len(known) :])])
            self._verdicts[matcher] = known
        return known[self._codes.live]

    def used(self, ordinals: Ordinals) -> list[str]:
        """Give the distinct values that these series have, the empty one too, sorted by code point.

        Asked of the very same array again, which nobody changes, it gives the very same list.
        """
        if self._last_used is None or self._last_used[0] is not ordinals:
            self._last_used = ordinals, self._find_used(ordinals)
        return self._last_used[1]

    def _find_used(self, ordinals: Ordinals) -> list[str]:
        values = self.values
        if len(ordinals) >= len(self._codes):
            return [values[code] for code in self._sorted().tolist()]
        is_used = np.zeros(len(values), np.bool_)
        is_used[self._codes.live[ordinals]] = True
        codes = is_used.nonzero()[0]
        if len(codes) * _FEW < len(values):
            return sorted([values[code] for code in codes.tolist()])
        order = self._sorted()
        return [values[code] for code in order[is_used[order]].tolist()]

    def _sorted(self) -> Ordinals:
        """Give the places of the values in their order; what was sorted before is only merged with what is new."""
        if len(self._order) < len(self.values):
            places = [*self._order.tolist(), *range(len(self._order), len(self.values))]
            self._order = np.array(sorted(places, key=self.values.__getitem__), np.int64)
        return self._order


class ShapeColumn:
    """Which labels each of some series has; most metrics have series of one shape."""

    __slots__ = ("_codes", "_numbers", "_shapes")

    def __init__(self) -> None:
        self._shapes: list[tuple[str, ...]] = []  # names in the order in which label sets have them
        self._numbers: dict[tuple[str, ...], int] = {}
        self._codes = Growing(np.int32)

    def extend(self, series: Sequence[Labels], names: Collection[str]) -> None:
        """Take series that come behind the known ones; `names` are those of all labels that any of them has."""
        if set(map(len, series)) == {len(names)}:  # each has them all
            self._codes.extend(np.full(len(series), self._encode([tuple(sorted(names))])[0], np.int32))
        else:
            shapes = [tuple([name for name, _ in labels]) for labels in series]
            self._codes.extend(np.array(self._encode(shapes), np.int32))

    def _encode(self, shapes: Iterable[tuple[str, ...]]) -> list[int]:
        numbers = self._numbers
        codes = [numbers.setdefault(shape, len(numbers)) for shape in shapes]
        self._shapes += _last_of(numbers, len(numbers) - len(self._shapes))
        return codes

    def names(self, ordinals: Ordinals) -> set[str]:
        """Give the names of the labels that these series have."""
        is_used = np.full(len(self._shapes), len(ordinals) >= len(self._codes))
        if not is_used.all():
            is_used[self._codes.live[ordinals]] = True
        return {name for code in np.flatnonzero(is_used).tolist() for name in self._shapes[code]}

    def places_of(self, label: str, begin: int, end: int) -> Ordinals:
        """Give at which place of its label set each of the series in [begin, end) has a label; -1 where it has none."""
        places = np.array([shape.index(label) if label in shape else -1 for shape in self._shapes], np.int64)
        return places[self._codes.live[begin:end]]

    def counts(self) -> Counter[str]:
        """Count the series by the labels that they have."""
        counted: Counter[str] = Counter()
        for shape, count in zip(self._shapes, np.bincount(self._codes.live).tolist(), strict=True):
            for name in shape:
                counted[name] += count
        return counted


def value_of(labels: Labels, label: str) -> str:
    """Give the value of a label; empty where there is none."""
    place = bisect_left(labels, (label,))
    return labels[place][1] if place < len(labels) and labels[place][0] == label else ""


def present(values: list[str]) -> list[str]:
    """Leave the empty value, which is that of a missing label, out of sorted ones."""
    return values[1:] if values and not values[0] else values


def _last_of(numbers: dict[Key, int], count: int) -> list[Key]:
    """Give the keys that came last, in the order in which they came."""
    return list(islice(reversed(numbers), count))[::-1]
