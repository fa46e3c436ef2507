"""Reads JSON lines as columns: Arrow's reader takes the fields that say something, types as in the first lines.

A part of a block that has other types, or is no JSON, is halved until it is small, and read line by line as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.json as pjson
import re2

from holdfast.telemetry.logs.files import fields
from holdfast.telemetry.logs.files.field_columns import ColumnReader
from holdfast.telemetry.logs.files.fields import parse_json

_TEXT, _NUMBER = pa.string(), pa.float64()
_SMALLEST: Final = 32 << 10  # bytes that are not halved any more
_USUAL: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys((*fields.LEVELS, *fields.TIMES, *fields.MESSAGES, *fields.CLIENTS, *fields.PATHS), _TEXT),
    **dict.fromkeys((*fields.METHODS, *fields.STACKS), _TEXT),
    **dict.fromkeys((*fields.STATUSES, *fields.SECONDS), _NUMBER),
}
_MAY_BE_NUMBERS: Final = frozenset((*fields.LEVELS, *fields.TIMES, *fields.STATUSES, *fields.SECONDS))


class ObjectReader(ColumnReader):
    """Counts records that are JSON objects."""

    def __init__(self, sample: Sequence[bytes], unwrap: Callable[[bytes], bytes] | None) -> None:
        """Find out the types of the fields from first lines, as they are after `unwrap`."""
        super().__init__(parse_json, unwrap)
        rows = [row for line in sample if (row := parse_json(line)) is not None]
        self._types = _types_of(rows)
        self._absent = self._look_for_others()

    def _look_for_others(self) -> re2._Regexp[bytes] | None:
        """Give an expression for fields that say something and were never met: a column of nothing costs, too."""
        names = [re2.escape(name) for name in _USUAL if name not in self._types]
        return re2.compile(f'"({"|".join(names)})"\\s*:'.encode()) if names else None

    def _meet_others(self, text: bytes) -> None:
        while self._types and self._absent and (found := self._absent.search(text)):
            name = found[1].decode()
            self._types[name] = _USUAL[name]
            self._absent = self._look_for_others()

    def read_lines(self, text: bytes, part: int) -> None:
        """Count the records of whole lines."""
        if not text.strip():
            return
        self._meet_others(text)
        table = _table(text, self._types) if self._types else None
        if table is not None:
            columns = {name: _there(table, name) for name in table.column_names}
            self.count_table({name: each for name, each in columns.items() if each is not None}, len(table), part)
        elif len(text) < _SMALLEST or not self._types:
            super().read_lines(text, part)
        else:
            middle = text.find(b"\n", len(text) // 2) + 1 or len(text)
            if middle == len(text):
                super().read_lines(text, part)
                return
            self.read_lines(text[:middle], part)
            self.read_lines(text[middle:], part)


def _types_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.DataType]:
    """Give the types of the fields that say something; nothing if they have others, or now these and now those."""
    types: dict[str, pa.DataType] = {}
    for name in _USUAL:
        kinds = {type(row[name]) for row in rows if row.get(name) is not None}
        if kinds == {str}:
            types[name] = _TEXT
        elif kinds and kinds <= {int, float} and name in _MAY_BE_NUMBERS:
            types[name] = _NUMBER
        elif kinds:
            return {}
    return types


def _table(text: bytes, types: Mapping[str, pa.DataType]) -> pa.Table | None:
    """Give the columns of a text; None if a line is no such object."""
    try:
        table = pjson.read_json(
            pa.BufferReader(text),
            read_options=pjson.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pjson.ParseOptions(
                explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="ignore"
            ),
        )
    except pa.ArrowInvalid:
        return None
    lines = text.count(b"\n") - text.count(b"\n\n") - text.startswith(b"\n")
    return table if table.num_rows == lines else None


def _there(table: pa.Table, name: str) -> pa.Array | None:
    column = table.column(name)
    return column.combine_chunks() if column.null_count < len(column) else None
