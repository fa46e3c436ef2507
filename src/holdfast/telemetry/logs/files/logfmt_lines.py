"""Reads logfmt as columns: words are cut by where blanks and equal signs stand, and the fields that say something kept.

Lines with a backslash, a control character, an open quote or a word that is no pair are read line by line as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.telemetry.logs.files import fields
from holdfast.telemetry.logs.files.columns import Letters, Places, coded, copied, starts_of
from holdfast.telemetry.logs.files.field_columns import ColumnReader
from holdfast.telemetry.logs.files.fields import parse_logfmt

_BLANK, _QUOTE, _END, _EQUALS, _ODD = 1, 2, 3, 4, 5
_KINDS: Final = {32: _BLANK, 34: _QUOTE, 10: _END, 61: _EQUALS, 92: _ODD, 127: _ODD}
_MARKS: Final = bytes(_KINDS.get(byte, _ODD if byte < 32 else 0) for byte in range(256))
_LONGEST: Final = 60_000  # bytes of a line
_LONGEST_KEY: Final = 64
_ROUNDS: Final = 3
_NAMES: Final = frozenset(
    (
        *(*fields.LEVELS, *fields.TIMES, *fields.MESSAGES, *fields.CLIENTS, *fields.PATHS, *fields.METHODS),
        *(*fields.STACKS, *fields.STATUSES, *fields.SECONDS),
    )
)


class LogfmtReader(ColumnReader):
    """Counts records that are pairs of logfmt."""

    def __init__(self, unwrap: Callable[[bytes], bytes] | None) -> None:
        """Prepare; see `FieldReader`."""
        super().__init__(parse_logfmt, unwrap)

    def read_lines(self, text: bytes, part: int) -> None:
        """Count the records of whole lines."""
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                super().read_lines(text, part)
                return
        marks, odd = _sorted_out(text)
        if odd.strip():
            super().read_lines(odd, part)
        if marks is not None:
            self.count_table(*_table(marks), part)


class _Marks(NamedTuple):
    """The letters of a text, where marks stand in it, of what kind they are, and whether they stand within quotes."""

    letters: Letters
    places: Places
    kinds: npt.NDArray[np.uint8]
    is_quoted: npt.NDArray[np.bool_]


def _marks_of(text: bytes) -> _Marks:
    marks = np.frombuffer(text.translate(_MARKS), np.uint8)
    places = np.flatnonzero(marks != 0)
    kinds = marks[places]
    is_quoted = np.cumsum(kinds == _QUOTE, dtype=np.uint8) & 1 == 1
    return _Marks(np.frombuffer(text, np.uint8), places, kinds, is_quoted)


def _sorted_out(text: bytes) -> tuple[_Marks | None, bytes]:
    """Give the lines that are pairs and nothing else, and the others."""
    odd: list[bytes] = []
    for _ in range(_ROUNDS):  # a quote that is left open turns around what the lines behind it mean
        if not text:
            break
        marks = _marks_of(text)
        is_good, ends = _looked_at(marks)
        if is_good.all():
            return marks, b"".join(odd)
        starts = starts_of(ends)
        odd.append(copied(marks.letters, starts[~is_good], ends[~is_good]))
        text = copied(marks.letters, starts[is_good], ends[is_good])
    return None, b"".join((*odd, text))


def _looked_at(marks: _Marks) -> tuple[npt.NDArray[np.bool_], Places]:
    """Tell which lines are pairs and nothing else, as far as quotes tell it, and where lines end."""
    letters, places, kinds, is_quoted = marks
    line_marks = np.flatnonzero(kinds == _END)
    ends = places[line_marks]

    def count(is_it: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return np.diff(np.cumsum(is_it, dtype=np.int32)[line_marks], prepend=0)

    is_good = (count(kinds == _QUOTE) % 2 == 0) & (count(kinds == _ODD) == 0)
    lengths = np.diff(ends, prepend=-1) - 1
    is_good &= (lengths > 0) & (lengths < _LONGEST)
    if not is_good.all():
        return is_good, ends
    borders = places[~is_quoted & ((kinds == _BLANK) | (kinds == _END))]
    begins = np.concatenate(([0], borders[:-1] + 1))
    signs = places[~is_quoted & (kinds == _EQUALS)]
    is_good[np.searchsorted(ends, borders[~_are_pairs(begins, borders, signs)])] = False
    quotes = places[kinds == _QUOTE]
    opening, closing = quotes[::2], quotes[1::2]
    is_well = (letters[opening - 1] == ord("=")) & (opening > 0)
    is_well &= (letters[closing + 1] == ord(" ")) | (letters[closing + 1] == ord("\n"))
    is_good[np.searchsorted(ends, opening[~is_well])] = False
    return is_good, ends


def _are_pairs(begins: Places, borders: Places, signs: Places) -> npt.NDArray[np.bool_]:
    """Tell which words have one equal sign, and a key before it."""
    if len(signs) == len(borders):  # as a rule each word has one
        lengths = signs - begins
        is_pair: npt.NDArray[np.bool_] = (lengths > 0) & (lengths <= _LONGEST_KEY) & (signs < borders)
        if is_pair.all():
            return is_pair
    before = np.searchsorted(signs, begins)
    sign = np.append(signs, 0)[before]
    found: npt.NDArray[np.bool_] = np.searchsorted(signs, borders) - before == 1
    return found & (sign > begins) & (sign - begins <= _LONGEST_KEY)


def _table(marks: _Marks) -> tuple[dict[str, pa.Array], int]:
    """Give the columns of good lines, and how many lines they are."""
    letters, places, kinds, is_quoted = marks
    borders = places[~is_quoted & ((kinds == _BLANK) | (kinds == _END))]
    begins = np.concatenate(([0], borders[:-1] + 1))
    signs = places[~is_quoted & (kinds == _EQUALS)]
    ends = places[kinds == _END]
    keys, words = coded(letters, begins, signs)
    columns = {}
    for code, word in enumerate(words):
        name = word.decode()
        if name in _NAMES:
            mine = np.flatnonzero(keys == code)
            columns[name] = _column(letters, signs[mine] + 1, borders[mine], ends)
    return columns, len(ends)


def _column(letters: Letters, starts: Places, ends: Places, line_ends: Places) -> pa.Array:
    """Give the values of one key for all lines: null where it is not, the last where it is several times."""
    is_quoted = letters[starts] == ord('"')
    lines = np.searchsorted(line_ends, starts)
    first, last = np.zeros(len(line_ends), np.int64), np.zeros(len(line_ends), np.int64)
    first[lines], last[lines] = starts + is_quoted, ends - is_quoted
    is_there = np.zeros(len(line_ends), np.bool_)
    is_there[lines] = True
    offsets = np.zeros(len(line_ends) + 1, np.int32)
    np.cumsum(last - first, out=offsets[1:])
    places = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], last - first)
    validity = pa.py_buffer(np.packbits(is_there, bitorder="little"))
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(letters[places])]
    return pa.Array.from_buffers(pa.string(), len(line_ends), buffers)
