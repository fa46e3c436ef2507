"""Cuts columns out of a block of bytes, many lines at once; only what is distinct becomes an object of Python."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

NEWLINE: Final = 10
Places = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]


def ends_of(text: bytes) -> Places:
    """Give where the line ends stand."""
    return np.flatnonzero(np.frombuffer(text, np.uint8) == NEWLINE)


def starts_of(ends: Places) -> Places:
    """Give where lines begin, from where they end."""
    starts = np.empty_like(ends)
    starts[:1] = 0
    np.add(ends[:-1], 1, out=starts[1:])
    return starts


def column_of(text: bytes, ends: Places) -> pa.BinaryArray:
    """Give the lines, each with its end, as a column that shares their bytes."""
    offsets = np.zeros(len(ends) + 1, np.int32)
    np.add(ends, 1, out=offsets[1:], casting="unsafe")
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def array_of(column: pa.Array, none: float | None = None) -> npt.NDArray[Any]:
    """Give the numbers of a column, `none` in its gaps.

    `to_numpy`, `pa.array` and `pa.scalar` import pandas, to see whether it is its: a third of a second.
    """
    kind = np.dtype(str(column.type).replace("double", "float64"))
    numbers = np.frombuffer(column.buffers()[1], kind, len(column), column.offset * kind.itemsize)
    if none is None or not column.null_count:
        return numbers
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], np.uint8), bitorder="little")
    return np.where(bits[column.offset : column.offset + len(column)], numbers, none).astype(kind)


def scalar_of(text: str) -> pa.StringScalar:
    """Give a text for calls that take one for all values."""
    letters = text.encode()
    offsets = np.array([0, len(letters)], np.int32)
    return pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(letters)])[0]


def copied(letters: Letters, starts: Places, ends: Places) -> bytes:
    """Give parts of lines, a line end behind each."""
    lengths = ends - starts + 1
    behind = np.cumsum(lengths)
    places = np.arange(behind[-1] if len(behind) else 0)
    places += np.repeat(starts - (behind - lengths), lengths)
    found = letters[places]
    found[behind - 1] = NEWLINE
    return found.tobytes()


def coded(letters: Letters, starts: Places, ends: Places) -> tuple[Places, list[bytes]]:
    """Give for each part which of the distinct ones it is, and these; parts are short and hold no zero byte."""
    width = int((ends - starts).max(initial=1)) or 1
    padded = np.concatenate((letters, np.zeros(width, np.uint8)))
    windows = np.ndarray((len(letters),), f"V{width}", padded.data, strides=(1,))
    cells = windows[starts].view(np.uint8).reshape(-1, width)
    cells *= np.arange(width) < (ends - starts)[:, None]
    buffers = [None, pa.py_buffer(cells)]
    column = pa.Array.from_buffers(pa.binary(width), len(starts), buffers).dictionary_encode()
    words = np.frombuffer(column.dictionary.buffers()[1], f"S{width}", len(column.dictionary))  # without zeros
    return array_of(column.indices).astype(np.int64), words.tolist()


def chosen(column: pa.Array, is_it: npt.NDArray[np.bool_]) -> pa.Array:
    """Give some values of a column."""
    places = np.flatnonzero(is_it)
    return column.take(pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)]))
