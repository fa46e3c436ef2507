"""Columns whose values repeat: each value once, and a number per row. What follows looks at values, not at rows.

Of the names, attributes and scopes in a request nearly all have come before; so scrubbing, counting and writing them
cost as much as there are different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeVar, overload

import numpy as np
import numpy.typing as npt
import orjson

Codes = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
T = TypeVar("T")
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "s": str,
    "i": int,
    "d": float,
    "b": lambda text: text == "true",
    "j": orjson.loads,
}


@dataclass(frozen=True, slots=True)
class Texts(Sequence[str]):
    """One text per row.

    Attributes:
        codes: int32, a place in `values` per row.
        values: the different texts; one may be there twice where scrubbing made two the same.
    """

    codes: Codes
    values: Sequence[str]

    @classmethod
    def of(cls, rows: Sequence[str]) -> Texts:
        """Give the column of texts row by row."""
        places = number(rows)
        return cls(code(rows, places), tuple(places))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        """Give the text of a row, or those of some."""
        if isinstance(place, slice):
            return [self.values[at] for at in self.codes[place].tolist()]
        return self.values[int(self.codes[place])]

    def __iter__(self) -> Iterator[str]:
        return map(self.values.__getitem__, self.codes.tolist())

    def take(self, rows: Places) -> Texts:
        """Give the column of some rows."""
        return Texts(self.codes[rows], self.values)

    def distinct(self) -> Texts:
        """Give the same column with each text once in `values`, so that codes are equal where texts are."""
        places = number(self.values)
        if len(places) == len(self.values):
            return self
        return Texts(code(self.values, places)[self.codes], tuple(places))


@dataclass(frozen=True, slots=True)
class Pairs:
    """The attributes of N spans: those of span `i` are `codes[offsets[i]:offsets[i + 1]]`.

    Attributes:
        offsets: int32, N + 1, from 0.
        codes: int32, flat: places in the three that follow.
        keys: names as they were sent.
        values: texts.
        letters: of the types: `s`tring, `i`nteger, `d`ouble, `b`oolean, `j`son.
    """

    offsets: Codes
    codes: Codes
    keys: Sequence[str]
    values: Sequence[str]
    letters: str

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, tuple[str, str]]]) -> Pairs:
        """Give the columns of a text and the letter of its type by name, for one span after the other."""
        flat: list[tuple[str, str, str]] = []
        ends = [0]
        for row in rows:
            flat += [(key, text, letter) for key, (text, letter) in row.items()]
            ends.append(len(flat))
        places = number(flat)
        keys, values, letters = zip(*places, strict=True) if places else ((), (), ())
        return cls(np.array(ends, np.int32), code(flat, places), keys, values, "".join(letters))

    def row(self, place: int) -> dict[str, str]:
        """Give the texts of one span by name."""
        return {self.keys[at]: self.values[at] for at in self._codes(place)}

    def types(self, place: int) -> str:
        """Give the letters of one span's types, in the order of `row`."""
        return "".join({self.keys[at]: self.letters[at] for at in self._codes(place)}.values())

    def _codes(self, place: int) -> list[int]:
        found: list[int] = self.codes[self.offsets[place] : self.offsets[place + 1]].tolist()
        return found

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the attributes of one span after the other, with the types that they were sent with."""
        values = [self.value(place) for place in range(len(self.keys))]
        codes, ends = self.codes.tolist(), self.offsets.tolist()
        for begin, end in pairwise(ends):
            yield {self.keys[at]: values[at] for at in codes[begin:end]}

    def value(self, place: int) -> Any:
        """Give what stands at a place of `values`, with its type."""
        return _READERS[self.letters[place]](self.values[place])

    @property
    def counts(self) -> Codes:
        """Give how many attributes each span has."""
        return np.diff(self.offsets)

    def take(self, rows: Places) -> Pairs:
        """Give the columns of some spans."""
        begins, counts = self.offsets[rows], self.counts[rows]
        ends = np.zeros(len(rows) + 1, np.int32)
        np.cumsum(counts, out=ends[1:])
        each = np.repeat(begins - ends[:-1], counts) + np.arange(ends[-1], dtype=np.int32)
        return Pairs(ends, self.codes[each], self.keys, self.values, self.letters)

    def first_of(self, names: Sequence[str]) -> Codes:
        """Give for each span the place of the first of these names that it has; -1 where it has none."""
        rank = {name: at for at, name in enumerate(names)}
        ranks = np.array([rank.get(key, len(names)) for key in self.keys], np.int32)
        found = np.full(len(self.offsets) - 1, -1, np.int32)
        places = np.flatnonzero((ranks < len(names))[self.codes]) if len(self.keys) else np.zeros(0, np.intp)
        rows = np.searchsorted(self.offsets, places, side="right") - 1
        order = np.lexsort((places, -ranks[self.codes[places]], rows))  # what is written last wins
        found[rows[order]] = self.codes[places[order]]
        return found

    def rows_of(self, wanted: str) -> dict[int, str]:
        """Give the texts of one name by span; spans without it are not there."""
        chosen = np.array([key == wanted for key in self.keys], np.bool_)
        if not chosen.any():
            return {}
        places = np.flatnonzero(chosen[self.codes])
        rows = np.searchsorted(self.offsets, places, side="right") - 1
        return {row: self.values[at] for row, at in zip(rows.tolist(), self.codes[places].tolist(), strict=True)}

    def kept(self, stays: npt.NDArray[np.bool_]) -> Pairs:
        """Give the columns without the pairs that do not stay, told by their place in `keys`."""
        each = stays[self.codes]
        before = np.concatenate((np.zeros(1, np.int32), np.cumsum(each, dtype=np.int32)))
        return Pairs(before[self.offsets], self.codes[each], self.keys, self.values, self.letters)


def number(rows: Iterable[T]) -> dict[T, int]:
    """Give each different value its place, in the order in which they come."""
    return {value: place for place, value in enumerate(dict.fromkeys(rows))}


def code(rows: Sequence[T], places: Mapping[T, int]) -> Codes:
    """Give the place of each row's value."""
    if len(places) == 1:
        return np.zeros(len(rows), np.int32)
    return np.fromiter(map(places.__getitem__, rows), np.int32, len(rows))
