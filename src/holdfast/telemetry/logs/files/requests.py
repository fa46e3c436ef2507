"""Cuts access logs into words by where blanks and quotes stand: the lines that are as they should be.

What is not (a backslash, an open quote, another number of words) is given back for Arrow's CSV reader, which takes each
line for itself. Both give the same for a line that both can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.logs.files.columns import Letters, Places, copied, starts_of

_BLANK, _QUOTE, _END, _ESCAPE = 1, 2, 3, 4
_MARKS: Final = bytes({32: _BLANK, 34: _QUOTE, 10: _END, 92: _ESCAPE}.get(byte, 0) for byte in range(256))
_TIME_LETTERS: Final = len("[10/Oct/2025:13:55:36")
_LONGEST_CLIENT: Final = 64
CLIENT, TIME, REQUEST, STATUS = 0, 3, 5, 6  # places of words
_ROUNDS: Final = 6  # one for each thing that may be odd


@dataclass(frozen=True, slots=True)
class Cells:
    """The words of lines: those of line n stand in `letters` from `starts[n, word]` to `ends[n, word]`."""

    letters: Letters
    starts: Places
    ends: Places

    def __len__(self) -> int:
        return len(self.starts)


def cut(data: bytes, count: int) -> tuple[Cells, bytes]:
    """Give the words of the lines that have so many, and the other lines as they are.

    Args:
        data: whole lines.
        count: words of a line; what is quoted is one.
    """
    rest: list[bytes] = []
    good = data
    for _ in range(_ROUNDS):
        if not good:
            break
        cells, is_good, starts, ends = _cut(good, count)
        if is_good.all():
            return cells, b"".join(rest)
        # A quote that is left open turns around what the lines behind it mean, so those that are left are cut again.
        letters = np.frombuffer(good, np.uint8)
        rest.append(copied(letters, starts[~is_good], ends[~is_good]))
        good = copied(letters, starts[is_good], ends[is_good])
    return _nothing(np.zeros(0, np.uint8), count), b"".join((*rest, good))


def _cut(data: bytes, count: int) -> tuple[Cells, npt.NDArray[np.bool_], Places, Places]:
    """Give the cells, which lines are good, and where all lines begin and end; cells mean something if all are good."""
    letters, marks = np.frombuffer(data, np.uint8), np.frombuffer(data.translate(_MARKS), np.uint8)
    places = np.flatnonzero(marks != 0)
    kinds = marks[places]
    line_marks = np.flatnonzero(kinds == _END)
    ends = places[line_marks]
    starts = starts_of(ends)
    quotes = np.cumsum(kinds == _QUOTE, dtype=np.int32)
    before = np.concatenate(([0], quotes[line_marks[:-1]]))
    is_good = ((quotes[line_marks] - before) % 2 == 0) & (ends > starts)
    if not is_good.all():  # where one is open, say of the others only whether theirs are even
        return _nothing(letters, count), is_good & ~_has(kinds == _ESCAPE, line_marks), starts, ends
    is_blank = (kinds == _BLANK) & (quotes % 2 == 0)
    blanks = np.cumsum(is_blank, dtype=np.int32)[line_marks]
    is_good = (np.diff(blanks, prepend=0) == count - 1) & ~_has(kinds == _ESCAPE, line_marks)
    if not is_good.all():
        return _nothing(letters, count), is_good, starts, ends
    inner = places[is_blank].reshape(len(ends), count - 1)
    cells = Cells(letters, np.column_stack((starts, inner + 1)), np.column_stack((inner, ends)))
    return cells, _is_quoted_well(cells, places[kinds == _QUOTE]) & _is_request(cells), starts, ends


def _nothing(letters: Letters, count: int) -> Cells:
    none = np.zeros((0, count), np.int64)
    return Cells(letters, none, none)


def _has(is_it: npt.NDArray[np.bool_], line_marks: Places) -> npt.NDArray[np.bool_]:
    """Tell which lines have a mark of a kind."""
    if not is_it.any():
        return np.zeros(len(line_marks), np.bool_)
    return np.diff(np.cumsum(is_it, dtype=np.int32)[line_marks], prepend=0) > 0


def _is_quoted_well(cells: Cells, quotes: Places) -> npt.NDArray[np.bool_]:
    """Tell which lines have quotes around whole words only."""
    letters, is_good = cells.letters, np.ones(len(cells), np.bool_)
    opening, closing = quotes[::2], quotes[1::2]
    is_bad = ((letters[opening - 1] != ord(" ")) & (letters[opening - 1] != ord("\n")) & (opening > 0)) | (
        (letters[closing + 1] != ord(" ")) & (letters[closing + 1] != ord("\n"))
    )
    if is_bad.any():
        is_good[np.searchsorted(cells.ends[:, -1], opening[is_bad])] = False
    return is_good


def _is_request(cells: Cells) -> npt.NDArray[np.bool_]:
    """Tell which lines have a client, a time, a quoted request and a status."""
    letters, starts, ends = cells.letters, cells.starts, cells.ends
    lengths = ends[:, : STATUS + 1] - starts[:, : STATUS + 1]
    status = starts[:, STATUS]
    is_good: npt.NDArray[np.bool_] = (
        (lengths[:, CLIENT] <= _LONGEST_CLIENT)
        & (letters[starts[:, CLIENT]] != ord('"'))
        & (lengths[:, TIME] == _TIME_LETTERS)
        & (letters[starts[:, REQUEST]] == ord('"'))
        & (lengths[:, STATUS] == 3)
    )
    if not is_good.all():  # else letters of the next line, or none, would be looked at
        return is_good
    is_good &= (letters[status] >= ord("1")) & (letters[status] <= ord("5"))
    for place in (1, 2):
        is_good &= (letters[status + place] >= ord("0")) & (letters[status + place] <= ord("9"))
    return is_good
