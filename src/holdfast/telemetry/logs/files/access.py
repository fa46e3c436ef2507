"""Reads access logs of nginx and Apache: common and combined, with whatever stands behind.

Columns are cut by Arrow's CSV reader, blank between and quotes around, and counted as dictionaries; only what is
distinct in a block is looked at in Python. A number at the end of the line is how long the request took: seconds if it
has a point, else microseconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from holdfast.telemetry.logs.files.tally import PatternBook, Tally
from holdfast.telemetry.logs.files.times import Minutes
from holdfast.telemetry.logs.patterns import mask, shapes_of

_BARE: Final = ("client", "ident", "user", "time", "zone", "request", "status", "sent")
_COMBINED: Final = (*_BARE, "referer", "agent")
_MOST_EXTRA: Final = 8
_TOOK: Final = re.compile(rb'(?:[a-z_]+=)?"?(\d+(?:\.\d+)?)"?$')
_SPLIT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|\S+')
_DICTIONARY: Final = pa.dictionary(pa.int32(), pa.string())
_MOST_SHAPES: Final = 100_000
_STATUS: Final = re.compile(r"[1-5]\d\d")
_CLIENT_FAULT, _SERVER_FAULT = 400, 500


class AccessReader:
    """Counts requests."""

    def __init__(self, sample: Sequence[bytes]) -> None:
        """Find out the columns and where durations stand.

        Args:
            sample: first lines of the file.
        """
        self.tally, self.book = Tally(), PatternBook()
        counts = Counter(len(_SPLIT.findall(line)) for line in sample)
        self._count = max(counts.most_common(1)[0][0] if counts else len(_COMBINED), len(_BARE))
        names = list(_COMBINED[: self._count])
        names += [f"extra{number}" for number in range(self._count - len(names))]
        self._names = names
        cut = [cells for line in sample if len(cells := _SPLIT.findall(line)) == self._count]
        self._took = next(
            (
                name
                for place, name in reversed(list(enumerate(names)))
                if name.startswith("extra") and all(_TOOK.match(cells[place]) or cells[place] == b"-" for cells in cut)
            ),
            None,
        )
        self._minutes = Minutes()
        self._requests: dict[bytes, tuple[str, str]] = {}
        self._numbers: dict[tuple[str, str, str], int] = {}

    def read(self, data: bytes, part: int) -> None:
        """Count the requests of a block."""
        table = self._cut(data)
        self.tally.records += table.num_rows
        if not table.num_rows:
            return
        tally = self.tally
        status, numbers = self._statuses(table)
        is_bad = numbers >= _SERVER_FAULT
        self._times(table, is_bad)
        clients, counts = _counted(table, "client")
        for client, count in zip(clients, counts, strict=True):
            tally.clients[client] += count
        took = self._durations(table)
        if took is not None:
            tally.durations.add(took)
        self._paths(table, status, is_bad, took, part)
        tally.trim()
        self.book.trim()

    def _cut(self, data: bytes) -> pa.Table:
        wanted = ["client", "time", "request", "status", *((self._took,) if self._took else ())]

        def refuse(row: pcsv.InvalidRow) -> str:
            self.tally.refuse((row.text or "").encode())
            return "skip"

        if not data.strip():
            return pa.table({name: [] for name in wanted})
        return pcsv.read_csv(
            pa.BufferReader(data),
            read_options=pcsv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(data) + 1),
            parse_options=pcsv.ParseOptions(
                delimiter=" ", quote_char='"', double_quote=False, escape_char="\\", invalid_row_handler=refuse
            ),
            convert_options=pcsv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, _DICTIONARY),
                check_utf8=False,
                strings_can_be_null=False,
            ),
        )

    def _statuses(self, table: pa.Table) -> tuple[list[str], npt.NDArray[np.int64]]:
        words, counts = _counted(table, "status")
        meant = np.array([int(word) if _STATUS.fullmatch(word) else 0 for word in words], np.int64)
        for number, count in zip(meant.tolist(), counts, strict=True):
            if not number:
                self.tally.unread += count
                continue
            self.tally.statuses[number] += count
            level = "error" if number >= _SERVER_FAULT else "warn" if number >= _CLIENT_FAULT else "info"
            self.tally.levels[level] += count
        return words, meant[_codes(table, "status")]

    def _times(self, table: pa.Table, is_bad: npt.NDArray[np.bool_]) -> None:
        words, counts = _counted(table, "time")
        bad = np.bincount(_codes(table, "time")[is_bad], minlength=len(words)).tolist()
        for word, count, faults in zip(words, counts, bad, strict=True):
            minute = self._minutes(word[1:18])
            if minute is not None:
                self.tally.minutes[minute] += count
                if faults:
                    self.tally.bad_minutes[minute] += faults

    def _durations(self, table: pa.Table) -> npt.NDArray[np.float64] | None:
        if self._took is None:
            return None
        words = table.column(self._took).chunk(0).dictionary
        numbers = pc.replace_substring_regex(words, r"^[a-z_]+=", "")
        is_number = pc.match_substring_regex(numbers, r"^\d{1,12}(\.\d{1,9})?$")
        values = pc.cast(pc.if_else(is_number, numbers, "NaN"), pa.float64()).to_numpy(zero_copy_only=False)
        is_whole = pc.invert(pc.match_substring(numbers, ".")).to_numpy(zero_copy_only=False)
        seconds: npt.NDArray[np.float64] = np.where(is_whole, values / 1e6, values)
        return seconds[_codes(table, self._took)]

    def _paths(
        self,
        table: pa.Table,
        status: list[str],
        is_bad: npt.NDArray[np.bool_],
        took: npt.NDArray[np.float64] | None,
        part: int,
    ) -> None:
        requests = _counted(table, "request")[0]
        known = [self._known(shape, text) for shape, text in zip(shapes_of(requests), requests, strict=True)]
        kinds = {kind: place for place, kind in enumerate(dict.fromkeys(known))}
        of_request = np.array([kinds[kind] for kind in known], np.int64)
        kind_of = of_request[_codes(table, "request")]
        joint = kind_of * len(status) + _codes(table, "status")
        names = list(kinds)
        for code, count in enumerate(np.bincount(joint).tolist()):
            if count:
                method, path = names[code // len(status)]
                self.book.add(self._number(method, path, status[code % len(status)]), part, count)
        self._count_kinds(names, kind_of, is_bad, took)

    def _count_kinds(
        self,
        names: list[tuple[str, str]],
        kind_of: npt.NDArray[np.int64],
        is_bad: npt.NDArray[np.bool_],
        took: npt.NDArray[np.float64] | None,
    ) -> None:
        size = len(names)
        requests = np.bincount(kind_of, minlength=size).tolist()
        errors = np.bincount(kind_of[is_bad], minlength=size).tolist()
        bins: dict[int, npt.NDArray[np.float64]] = {}
        if took is not None:
            order = np.argsort(kind_of, kind="stable")
            borders = np.searchsorted(kind_of[order], np.arange(size + 1))
            bins = {place: took[order[borders[place] : borders[place + 1]]] for place in range(size)}
        for place, (method, path) in enumerate(names):
            self.tally.methods[method] += requests[place]
            row = self.tally.path(path)
            row.requests += requests[place]
            row.errors += errors[place]
            if place in bins:
                row.durations.add(bins[place])

    def _known(self, shape: bytes, request: str) -> tuple[str, str]:
        found = self._requests.get(shape)
        if found is None:
            method, _, rest = request.partition(" ")
            path = rest.rpartition(" ")[0] or rest
            found = (method[:20], mask(path.partition("?")[0])[:300])
            if len(self._requests) >= _MOST_SHAPES:
                self._requests.clear()
            self._requests[shape] = found
        return found

    def _number(self, method: str, path: str, status: str) -> int:
        key = (method, path, status)
        found = self._numbers.get(key)
        if found is None:
            level = "error" if status.startswith("5") else "warn" if status.startswith("4") else "info"
            text = f"{method} {path} {status}"
            found = self._numbers[key] = self.book.exactly(text, level)
            if len(self._numbers) > _MOST_SHAPES:
                self._numbers.clear()
        return found


def _codes(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    codes: npt.NDArray[np.int64] = table.column(name).chunk(0).indices.to_numpy()
    return codes


def _counted(table: pa.Table, name: str) -> tuple[list[str], list[int]]:
    chunk = table.column(name).chunk(0)
    counts = np.bincount(chunk.indices.to_numpy(), minlength=len(chunk.dictionary)).tolist()
    return [_clean(word) for word in chunk.dictionary.cast(pa.binary()).to_pylist()], counts


def _clean(word: bytes) -> str:
    return word.decode("utf-8", "replace")
