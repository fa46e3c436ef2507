"""Counts records whose fields were cut as columns; whoever inherits cuts them, each from its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.telemetry.logs.files import fields
from holdfast.telemetry.logs.files.columns import Places, array_of, chosen
from holdfast.telemetry.logs.files.fields import FieldReader
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

_SERVER_FAULT: Final = 500


class Pattern:
    """The first line of a shape, and the numbers of its patterns by level once they are known."""

    __slots__ = ("line", "numbers")

    def __init__(self, line: bytes) -> None:
        self.line = line.decode("utf-8", "replace")[:2000]
        self.numbers: dict[str, int] = {}


class ColumnReader(FieldReader):
    """Counts columns, and line by line what could not be cut."""

    def __init__(
        self, parse: Callable[[bytes], Mapping[str, Any] | None], unwrap: Callable[[bytes], bytes] | None
    ) -> None:
        """Prepare; see `FieldReader`."""
        super().__init__(parse, unwrap)
        self._messages = Shapes(lambda lines: [Pattern(line) for line in lines])
        self._paths = Shapes(lambda lines: [mask(line.decode("utf-8", "replace")[:500])[:300] for line in lines])

    def count_table(self, table: Mapping[str, pa.Array], size: int, part: int) -> None:
        """Count `size` records; columns that are missing say nothing."""
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
