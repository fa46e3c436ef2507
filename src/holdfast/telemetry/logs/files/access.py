"""Reads access logs of nginx and Apache: common and combined, with whatever stands behind.

Words are cut as columns; only what is distinct in a block is looked at in Python. A number at the end of the line is
how long the request took: seconds if it has a point, else microseconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.logs.files import requests
from holdfast.telemetry.logs.files.columns import Places, coded, copied
from holdfast.telemetry.logs.files.odd_requests import Column, cut_each
from holdfast.telemetry.logs.files.shapes import Shapes
from holdfast.telemetry.logs.files.tally import BINS, PatternBook, Tally, bins_of
from holdfast.telemetry.logs.files.times import LineMinutes, Minutes
from holdfast.telemetry.logs.files.words import Words
from holdfast.telemetry.logs.patterns import mask

_BARE: Final = ("client", "ident", "user", "time", "zone", "request", "status", "sent")
_COMBINED: Final = (*_BARE, "referer", "agent")
_TOOK: Final = re.compile(rb'(?:[a-z_]+=)?"?(\d+(?:\.\d+)?)"?$')
_NUMBER: Final = re.compile(rb'"?(?:[a-z_]+=)?(\d{1,12}(?:\.\d{1,9})?)"?')
_SPLIT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|\S+')
_STATUS: Final = re.compile(rb"[1-5]\d\d")
_CLIENT_FAULT, _SERVER_FAULT = 400, 500
_MOST_KINDS: Final = 512  # whose durations are counted at once


class Kind(NamedTuple):
    """What requests are for, ids masked."""

    method: str
    path: str


class Requests(NamedTuple):
    """The columns of some lines; `texts` has a line for each."""

    clients: Column
    times: Column
    statuses: Column
    took: Column | None
    texts: bytes


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
        self._clients = Words(self.tally.clients)
        self._shapes = Shapes(_kinds_of)
        self._numbers: dict[tuple[Kind, bytes], int] = {}

    def read(self, data: bytes, part: int) -> None:
        """Count the requests of a block."""
        cells, odd = requests.cut(data, self._count)
        if len(cells):
            self._count_requests(self._columns(cells), part)
        if odd.strip():
            self._count_requests(self._columns_of_each(odd), part)
        self.tally.trim()
        self.book.trim()

    def finish(self) -> None:
        """Count what was put off."""
        self._clients.settle()
        self.tally.trim()

    def _columns(self, cells: requests.Cells) -> Requests:
        def column(place: int, skip: int = 0, most: int | None = None) -> Column:
            starts, ends = cells.starts[:, place] + skip, cells.ends[:, place]
            return Column(*coded(cells.letters, starts, ends if most is None else np.minimum(ends, starts + most)))

        return Requests(
            column(requests.CLIENT),
            column(requests.TIME, 1, len("10/Oct/2025:13:55")),
            column(requests.STATUS),
            column(self._names.index(self._took), most=40) if self._took else None,
            copied(cells.letters, cells.starts[:, requests.REQUEST] + 1, cells.ends[:, requests.REQUEST] - 1),
        )

    def _columns_of_each(self, odd: bytes) -> Requests:
        wanted = ["client", "time", "request", "status", *((self._took,) if self._took else ())]
        found = cut_each(odd, self._names, wanted, self.tally.refuse)
        texts = found["request"].words
        times = Column(found["time"].codes, [word[1:18] for word in found["time"].words])
        return Requests(
            found["client"],
            times,
            found["status"],
            found[self._took] if self._took else None,
            b"".join([texts[code] + b"\n" for code in found["request"].codes.tolist()]),
        )

    def _count_requests(self, rows: Requests, part: int) -> None:
        tally, statuses = self.tally, rows.statuses
        if not len(statuses.codes):
            return
        tally.records += len(statuses.codes)
        meant = np.array([int(word) if _STATUS.fullmatch(word) else 0 for word in statuses.words], np.int64)
        self._count_statuses(meant.tolist(), statuses.counts)
        is_bad = meant[statuses.codes] >= _SERVER_FAULT
        minutes = LineMinutes(rows.times.codes, [self._minutes(word) for word in rows.times.words])
        minutes.count(tally.minutes, tally.bad_minutes, is_bad)
        self._clients.add(rows.clients.words, rows.clients.counts)
        numbers = self._shapes.numbers(rows.texts)
        met = np.flatnonzero(np.bincount(numbers)).tolist()
        kinds = {kind: place for place, kind in enumerate(dict.fromkeys(self._shapes.meanings[each] for each in met))}
        by_number = np.zeros(len(self._shapes.meanings), np.int64)
        by_number[met] = [kinds[self._shapes.meanings[each]] for each in met]
        kind_of = by_number[numbers]
        self._count_patterns(list(kinds), kind_of, statuses, part)
        self._count_kinds(list(kinds), kind_of, is_bad)
        if rows.took is not None:
            self._count_durations(list(kinds), kind_of, rows.took)

    def _count_statuses(self, meant: Sequence[int], counts: Sequence[int]) -> None:
        for number, count in zip(meant, counts, strict=True):
            if not number:
                self.tally.unread += count
                continue
            self.tally.statuses[number] += count
            self.tally.levels[_level(number)] += count

    def _count_patterns(self, kinds: Sequence[Kind], kind_of: Places, statuses: Column, part: int) -> None:
        size = len(statuses.words)
        counts = np.bincount(kind_of * size + statuses.codes)
        met = np.flatnonzero(counts)
        for code, count in zip(met.tolist(), counts[met].tolist(), strict=True):
            self.book.add(self._number(kinds[code // size], statuses.words[code % size]), part, count)

    def _count_kinds(self, kinds: Sequence[Kind], kind_of: Places, is_bad: npt.NDArray[np.bool_]) -> None:
        counts = np.bincount(kind_of, minlength=len(kinds)).tolist()
        errors = np.bincount(kind_of[is_bad], minlength=len(kinds)).tolist()
        for kind, count, faults in zip(kinds, counts, errors, strict=True):
            self.tally.methods[kind.method] += count
            row = self.tally.path(kind.path)
            row.requests += count
            row.errors += faults

    def _count_durations(self, kinds: Sequence[Kind], kind_of: Places, took: Column) -> None:
        seconds = np.array([_seconds(word) for word in took.words], np.float64)
        is_there = np.isfinite(seconds)[took.codes]
        codes, kind_of = took.codes[is_there], kind_of[is_there]
        bins, of_line = bins_of(np.nan_to_num(seconds))[codes], seconds[codes]
        self.tally.durations.add_bins(np.bincount(bins, minlength=BINS), float(of_line.max(initial=0.0)))
        longest = np.zeros(len(kinds))
        np.maximum.at(longest, kind_of, of_line)
        for first in range(0, len(kinds), _MOST_KINDS):
            some = kinds[first : first + _MOST_KINDS]
            is_some = slice(None) if len(some) == len(kinds) else (kind_of >= first) & (kind_of < first + len(some))
            joint = np.bincount((kind_of[is_some] - first) * BINS + bins[is_some], minlength=len(some) * BINS)
            for place, (kind, row) in enumerate(zip(some, joint.reshape(-1, BINS), strict=True)):
                self.tally.path(kind.path).durations.add_bins(row, float(longest[first + place]))

    def _number(self, kind: Kind, status: bytes) -> int:
        key = (kind, status)
        found = self._numbers.get(key)
        if found is None:
            if len(self._numbers) > 100_000:
                self._numbers.clear()
            said = status.decode("utf-8", "replace")
            level = _level(int(said)) if _STATUS.fullmatch(status) else "info"
            found = self._numbers[key] = self.book.exactly(f"{kind.method} {kind.path} {said}", level)
        return found


def _kinds_of(lines: Sequence[bytes]) -> list[Kind]:
    kinds = []
    for line in lines:
        method, _, rest = line.decode("utf-8", "replace").partition(" ")
        path = rest.rpartition(" ")[0] or rest
        kinds.append(Kind(method[:20], mask(path.partition("?")[0])[:300]))
    return kinds


def _level(status: int) -> str:
    return "error" if status >= _SERVER_FAULT else "warn" if status >= _CLIENT_FAULT else "info"


def _seconds(word: bytes) -> float:
    found = _NUMBER.fullmatch(word)
    if found is None:
        return np.nan
    return float(found[1]) if b"." in found[1] else float(found[1]) / 1e6
