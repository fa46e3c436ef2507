"""Gives each line of a block the number of its shape: what is left of it without digits, and with ids taken as one.

Works on columns of bytes: Arrow tells the distinct lines apart, and only those that were never met are looked at in
Python. Two lines of one shape have one pattern. What a shape means is the reader's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.logs.files.columns import Places, array_of, column_of, ends_of, starts_of
from holdfast.telemetry.logs.patterns.masks import DIGITS

Meaning = TypeVar("Meaning")
MOST_SHAPES: Final = 200_000
_HEX_LEAST, _LONG_LEAST = 8, 20  # letters, as `masks` takes words for ids
_OTHER, _LETTER, _HEX, _DIGIT = range(4)
_CLASSES: Final = bytes(
    _DIGIT
    if chr(byte) in "0123456789"
    else _HEX
    if chr(byte) in "abcdefABCDEF"
    else _LETTER
    if chr(byte) in "_-" or (byte < 128 and chr(byte).isalpha())
    else _OTHER
    for byte in range(256)
)


class Shapes(Generic[Meaning]):
    """The shapes that one reader has met, and what they mean."""

    def __init__(
        self, learn: Callable[[Sequence[bytes]], Sequence[Meaning]], head: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Begin with none.

        Args:
            learn: gives what each of some lines means, the first ones of their shapes.
            head: gives the part of a line that makes its shape; by default all of it.
        """
        self.meanings: list[Meaning] = []  # by the numbers of the last call
        self._learn = learn
        self._head = head
        self._numbers: dict[bytes, int] = {}
        self._without_ids: dict[bytes, int] = {}

    def numbers(self, text: bytes) -> Places:
        """Give the number of each line; the text ends with a line end."""
        if len(self.meanings) > MOST_SHAPES or len(self._numbers) > MOST_SHAPES:
            self.meanings.clear()
            self._numbers.clear()
            self._without_ids.clear()
        bare = text.translate(None, DIGITS)
        coded = column_of(bare, ends_of(bare)).dictionary_encode()
        codes = array_of(coded.indices)
        shapes = coded.dictionary.to_pylist()
        found = [self._numbers.get(shape, -1) for shape in shapes]
        new = [place for place, number in enumerate(found) if number < 0]
        if new:
            firsts = first_places(codes, len(shapes))[new]
            counts = np.bincount(codes, minlength=len(shapes))[new].tolist()
            for place, number, count in zip(new, self._meet(text, firsts), counts, strict=True):
                found[place] = number
                if count > 1:  # what has an id in it comes once only, and need not be kept
                    self._numbers[shapes[place]] = number
        numbers: Places = np.array(found, np.int64)[codes]
        return numbers

    def _meet(self, text: bytes, places: Places) -> list[int]:
        ends = ends_of(text)
        spans = zip(starts_of(ends)[places].tolist(), ends[places].tolist(), strict=True)
        lines = [text[start:end] for start, end in spans]
        keys = without_ids([self._head(line) for line in lines] if self._head else lines)
        new: dict[bytes, bytes] = {}
        for key, line in zip(keys, lines, strict=True):
            if key not in self._without_ids:
                new.setdefault(key, line)
        if new:
            self._without_ids.update(zip(new, range(len(self.meanings), len(self.meanings) + len(new)), strict=True))
            self.meanings.extend(self._learn(list(new.values())))
        return [self._without_ids[key] for key in keys]


def first_places(codes: npt.NDArray[np.signedinteger[Any]], size: int) -> Places:
    """Give where each code stands first."""
    firsts = np.zeros(size, np.int64)
    firsts[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return firsts


def without_ids(lines: Sequence[bytes]) -> list[bytes]:
    """Give the lines without digits, and `0` for words that look like ids; no line has a line end in it.

    An id is a word of hexadecimal digits or a long one, as `mask` takes it.
    """
    text = b"\n" + b"\n".join(lines) + b"\n"
    letters = np.frombuffer(text, np.uint8)
    kinds = np.frombuffer(text.translate(_CLASSES), np.uint8)
    is_word, is_digit = kinds != _OTHER, kinds == _DIGIT
    borders = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
    starts, ends = borders[::2], borders[1::2]
    digits = _counts(is_digit, starts, ends)
    lengths = ends - starts
    is_id = (lengths >= _LONG_LEAST) & (digits > 1)
    is_hex = (lengths >= _HEX_LEAST) & (digits > 0) & (_counts(kinds == _LETTER, starts, ends) == 0)
    is_id = (is_id | is_hex) & (letters[starts - 1] != ord("."))
    is_kept = ~is_digit
    if is_id.any():
        steps = np.zeros(len(letters) + 1, np.int8)
        steps[starts[is_id]] = 1
        steps[ends[is_id]] -= 1
        is_kept &= np.cumsum(steps[:-1], dtype=np.int8) == 0
        letters = letters.copy()
        letters[starts[is_id]] = ord("0")
        is_kept[starts[is_id]] = True
    return letters[is_kept].tobytes()[1:-1].split(b"\n") if lines else []


def _counts(is_it: npt.NDArray[np.bool_], starts: Places, ends: Places) -> npt.NDArray[np.int32]:
    sums = np.cumsum(is_it, dtype=np.int32)
    counts: npt.NDArray[np.int32] = sums[ends - 1] - sums[starts - 1]  # no word stands at the very first place
    return counts
