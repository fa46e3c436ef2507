"""What columns of JSON say of each record: of several fields the first that is there, as distinct values or numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.telemetry.logs.files import fields
from holdfast.telemetry.logs.files.columns import Places, array_of, scalar_of
from holdfast.telemetry.logs.files.times import EPOCH_DIGITS, LineMinutes, Minutes

_MINUTE_S: Final = 60
_TIME_LETTERS: Final = len("2026-01-31T12:00")
_MOST_TIME_LETTERS: Final = 30

Table = Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Said:
    """The value of each record: `values[codes[n]]`; the first value stands for none."""

    values: Sequence[Any]
    codes: Places

    @property
    def counts(self) -> list[int]:
        """How often each value comes."""
        found: list[int] = np.bincount(self.codes, minlength=len(self.values)).tolist()
        return found

    def items(self) -> Iterator[tuple[Any, int]]:
        """Give values with their counts, without those that do not come."""
        return ((value, count) for value, count in zip(self.values, self.counts, strict=True) if count and value)

    def only(self, is_it: npt.NDArray[np.bool_]) -> Said:
        """Give it for some records."""
        return Said(self.values, self.codes[is_it])


def said(table: Table, names: Sequence[str], size: int, none: str = "") -> Said:
    """Give what the first field of those named says that is there and not empty."""
    values: list[Any] = [none]
    codes = np.zeros(size, np.int64)
    for name in names:
        column = table.get(name)
        if column is None:
            continue
        coded = column.dictionary_encode()
        places = array_of(coded.indices, -1).astype(np.int64)
        found = [_whole(value) for value in coded.dictionary.to_pylist()]
        is_said = np.array([*(value != "" for value in found), False])[places]  # the last stands for -1
        is_new = (codes == 0) & is_said
        codes[is_new] = places[is_new] + len(values)
        values += found
    return Said(values, codes)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def column_of_texts(table: Table, names: Sequence[str], size: int) -> pa.Array:
    """Give the first text of fields that is there; empty where none is."""
    columns = [table[name] for name in names if name in table]
    if not columns:
        return pc.coalesce(pa.nulls(size, pa.string()), scalar_of(""))
    if len(columns) == 1:
        return pc.coalesce(columns[0], scalar_of("")) if columns[0].null_count else columns[0]
    nothing = scalar_of("")
    said_by = [(pc.and_kleene(column.is_valid(), pc.not_equal(column, nothing)), column) for column in columns]
    conditions = pa.StructArray.from_arrays(
        [is_said for is_said, _ in said_by], names=[str(n) for n in range(len(columns))]
    )
    return pc.case_when(conditions, *columns, nothing)


def text_of(column: pa.Array) -> bytes:
    """Give the first lines of texts, a line end behind each."""
    joined = pc.binary_join_element_wise(column, scalar_of(""), scalar_of("\n"))
    offsets = np.frombuffer(joined.buffers()[1], np.int32, len(joined) + 1, joined.offset * 4)
    text: bytes = joined.buffers()[2].to_pybytes()[offsets[0] : offsets[-1]] if len(joined) else b""
    if text.count(b"\n") == len(joined):
        return text
    return b"".join([each.partition(b"\n")[0] + b"\n" for each in column.cast(pa.binary()).to_pylist()])


def seconds_of(table: Table, size: int) -> npt.NDArray[np.float64]:
    """Give how long each record says that something took; not a number where it says nothing."""
    found = np.full(size, np.nan)
    for name, unit in fields.SECONDS.items():
        column = table.get(name)
        if column is None:
            continue
        if column.type == pa.float64():
            values = array_of(column, np.nan) * unit
        else:
            texts = said(table, (name,), size)
            values = np.array([fields.seconds_said(text, unit) for text in texts.values], np.float64)[texts.codes]
        found = np.where(np.isnan(found), values, found)
    return found


def minutes_of(table: Table, size: int, known: Minutes) -> LineMinutes:
    """Give the minutes of records."""
    columns = [(name, table[name]) for name in fields.TIMES if name in table]
    if not columns:
        return LineMinutes(np.zeros(size, np.int64), [None])
    if columns[0][1].type == pa.float64() and not columns[0][1].null_count:
        return _numbered(array_of(columns[0][1]))
    if columns[0][1].type == pa.string() and not columns[0][1].null_count:
        heads = pc.utf8_slice_codeunits(columns[0][1], 0, _TIME_LETTERS)
        texts = said({"time": heads}, ("time",), size)
        minutes = [known(text) for text in texts.values]
        if all(minute is not None for minute in minutes[1:]):
            return LineMinutes(texts.codes, minutes)
    texts = said(table, fields.TIMES, size)
    return LineMinutes(texts.codes, [known(str(text)[:_MOST_TIME_LETTERS]) if text else None for text in texts.values])


def _numbered(at: npt.NDArray[np.float64]) -> LineMinutes:
    """Give the minutes of Unix times in seconds, or in thousandths, millionths or billionths of them."""
    minutes = np.full(len(at), -1, np.int64)
    for digits, scale in EPOCH_DIGITS.items():
        is_it = (at >= 10.0 ** (digits - 1)) & (at < 10.0**digits)
        minutes[is_it] = (at[is_it] // (scale * _MINUTE_S)).astype(np.int64)
    distinct, codes = np.unique(minutes, return_inverse=True)
    return LineMinutes(codes, [each if each >= 0 else None for each in distinct.tolist()])
