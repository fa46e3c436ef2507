"""Reads JSON lines as columns: Arrow's reader takes the fields that say something, types as in the first lines.

A part of a block that has other types, or is no JSON, is halved until it is small, and read line by line as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pjson
import re2

from holdfast.telemetry.logs.files import fields
from holdfast.telemetry.logs.files.columns import Places, array_of, chosen
from holdfast.telemetry.logs.files.fields import FieldReader, parse_json
from holdfast.telemetry.logs.files.json_columns import (
    Said,
    column_of_texts,
    minutes_of,
    said,
    seconds_of,
    text_of,
)
from holdfast.telemetry.logs.files.shapes import Shapes
from holdfast.telemetry.logs.files.tally import BAD, BINS, bins_of
from holdfast.telemetry.logs.levels import levels_of_lines
from holdfast.telemetry.logs.patterns import mask

_TEXT, _NUMBER = pa.string(), pa.float64()
_SMALLEST: Final = 32 << 10  # bytes that are not halved any more
_USUAL: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys((*fields.LEVELS, *fields.TIMES, *fields.MESSAGES, *fields.CLIENTS, *fields.PATHS), _TEXT),
    **dict.fromkeys((*fields.METHODS, *fields.STACKS), _TEXT),
    **dict.fromkeys((*fields.STATUSES, *fields.SECONDS), _NUMBER),
}
_MAY_BE_NUMBERS: Final = frozenset((*fields.LEVELS, *fields.TIMES, *fields.STATUSES, *fields.SECONDS))
_SERVER_FAULT: Final = 500


class Pattern:
    """The first line of a shape, and the numbers of its patterns by level once they are known."""

    __slots__ = ("line", "numbers")

    def __init__(self, line: bytes) -> None:
        self.line = line.decode("utf-8", "replace")[:2000]
        self.numbers: dict[str, int] = {}


class ObjectReader(FieldReader):
    """Counts records that are JSON objects."""

    def __init__(self, sample: Sequence[bytes], unwrap: Callable[[bytes], bytes] | None) -> None:
        """Find out the types of the fields from first lines, as they are after `unwrap`."""
        super().__init__(parse_json, unwrap)
        rows = [row for line in sample if (row := parse_json(line)) is not None]
        self._types = _types_of(rows)
        self._absent = self._look_for_others()
        self._messages = Shapes(lambda lines: [Pattern(line) for line in lines])
        self._paths = Shapes(lambda lines: [mask(line.decode("utf-8", "replace")[:500])[:300] for line in lines])

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
            self._count_table({name: column for name in table.column_names if (column := _there(table, name))}, part)
        elif len(text) < _SMALLEST or not self._types:
            super().read_lines(text, part)
        else:
            middle = text.find(b"\n", len(text) // 2) + 1 or len(text)
            if middle == len(text):
                super().read_lines(text, part)
                return
            self.read_lines(text[:middle], part)
            self.read_lines(text[middle:], part)

    def _count_table(self, table: Mapping[str, pa.Array], part: int) -> None:
        size = len(next(iter(table.values()))) if table else 0
        messages = column_of_texts(table, fields.MESSAGES, size)
        levels = self._levels_of(said(table, fields.LEVELS, size), messages)
        self.tally.records += size
        for level, count in zip(levels.values, levels.counts, strict=True):
            if count:
                self.tally.levels[str(level)] += count
        self._count_patterns(messages, levels, part)
        is_bad = np.array([level in BAD for level in levels.values], np.bool_)[levels.codes]
        minutes_of(table, size, self._minutes).count(self.tally.minutes, self.tally.bad_minutes, is_bad)
        for stack, count in said(table, fields.STACKS, size).items():
            if named := fields.EXCEPTION.findall(str(stack)):
                self.tally.exceptions[named[-1]] += count
        self._count_requests(table, size)
        self.tally.trim()
        self.book.trim()

    def _levels_of(self, levels: Said, messages: pa.Array) -> Said:
        meant = ["", *(fields.level_of(value) for value in levels.values[1:])]
        is_missing = np.array([not each for each in meant], np.bool_)[levels.codes]
        if not is_missing.any():
            return Said(meant, levels.codes)
        found = levels_of_lines(chosen(messages, is_missing).to_pylist())
        numbers = {level: len(meant) + place for place, level in enumerate(dict.fromkeys(found))}
        codes = levels.codes.copy()
        codes[is_missing] = [numbers[level] for level in found]
        return Said([*meant, *(str(level) for level in numbers)], codes)

    def _count_patterns(self, messages: pa.Array, levels: Said, part: int) -> None:
        shapes = self._messages.numbers(text_of(messages))
        counts = np.bincount(shapes * len(levels.values) + levels.codes)
        for code in np.flatnonzero(counts).tolist():
            shape, place = divmod(code, len(levels.values))
            pattern, level = self._messages.meanings[shape], str(levels.values[place])
            if level not in pattern.numbers:
                pattern.numbers[level] = self.book.find(pattern.line, level)
            self.book.add(pattern.numbers[level], part, int(counts[code]))

    def _count_requests(self, table: Mapping[str, pa.Array], size: int) -> None:
        tally = self.tally
        for client, count in said(table, fields.CLIENTS, size).items():
            tally.clients[str(client)[:100]] += count
        statuses = said(table, fields.STATUSES, size)
        meant = np.array([fields.status_of(value) for value in statuses.values], np.int64)
        for status, count in zip(meant.tolist(), statuses.counts, strict=True):
            if status and count:
                tally.statuses[status] += count
        seconds = seconds_of(table, size)
        tally.durations.add(seconds)
        paths = column_of_texts(table, fields.PATHS, size)
        is_there = array_of(pc.binary_length(paths)) > 0
        if not is_there.any():
            return
        for method, count in said(table, fields.METHODS, size, "-").only(is_there).items():
            tally.methods[str(method)[:20]] += count
        self._count_paths(chosen(paths, is_there), meant[statuses.codes][is_there], seconds[is_there])

    def _count_paths(self, paths: pa.Array, status: Places, seconds: npt.NDArray[np.float64]) -> None:
        if pc.any(pc.match_substring(paths, "?")).as_py():
            paths = pc.replace_substring_regex(paths, r"(?s)\?.*", "")
        numbers = self._paths.numbers(text_of(paths))
        counts, errors = np.bincount(numbers), np.bincount(numbers[status >= _SERVER_FAULT])
        is_timed = np.isfinite(seconds) & (seconds >= 0)
        bins = bins_of(np.where(is_timed, seconds, 0.0))
        order = np.argsort(numbers, kind="stable")
        borders = np.searchsorted(numbers[order], np.arange(len(counts) + 1))
        for number in np.flatnonzero(counts).tolist():
            row = self.tally.path(self._paths.meanings[number])
            row.requests += int(counts[number])
            row.errors += int(errors[number]) if number < len(errors) else 0
            mine = order[borders[number] : borders[number + 1]]
            mine = mine[is_timed[mine]]
            if len(mine):
                row.durations.add_bins(np.bincount(bins[mine], minlength=BINS), float(seconds[mine].max()))


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
