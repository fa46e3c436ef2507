"""Reads lines of text: syslog, Python, Java, CRI, anything. Counts by shape: each distinct one is read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from holdfast.telemetry.logs.files.columns import Letters, Places, ends_of, starts_of
from holdfast.telemetry.logs.files.shapes import Shapes
from holdfast.telemetry.logs.files.tally import BAD, PatternBook, Tally
from holdfast.telemetry.logs.files.times import LineMinutes, TimeKeys
from holdfast.telemetry.logs.files.traces import JOINT, exception_of, join
from holdfast.telemetry.logs.levels import levels_of_lines

_LONGEST: Final = 2_000
_SEVERITIES: Final = ("fatal", "fatal", "critical", "error", "warn", "info", "info", "debug")
_PRIORITY: Final = len("<191>")
_SEVERE: Final = {b"SEVERE": "error", b"NOTICE": "info"}


class Meaning(NamedTuple):
    """What a shape says."""

    pattern: int
    level: str
    exception: str


class TextReader:
    """Counts records of text."""

    def __init__(
        self,
        sample: Sequence[bytes],
        *,
        unwrap: Callable[[bytes], bytes] | None = None,
        is_syslog: bool = False,
    ) -> None:
        """Prepare.

        Args:
            sample: first lines, as they are after `unwrap`.
            unwrap: changes a block before it is cut into lines.
            is_syslog: lines may begin with a priority, which says their level.
        """
        self.tally, self.book = Tally(), PatternBook()
        self._unwrap = unwrap
        self._is_syslog = is_syslog
        self._times = TimeKeys(sample)
        self._shapes = Shapes(self._learn, _head)
        self._level_numbers: dict[str, int] = {}

    def read(self, data: bytes, part: int) -> None:
        """Count the records of a block of whole lines."""
        text = join(self._unwrap(data) if self._unwrap else data)
        if not text.strip(b"\n"):
            return
        ends = ends_of(text)
        starts = starts_of(ends)
        is_there = ends > starts
        numbers = self._shapes.numbers(text)[is_there]
        letters = np.frombuffer(text, np.uint8)
        minutes = self._times.minutes(letters, starts[is_there], ends[is_there])
        self.tally.records += len(numbers)
        counts = np.bincount(numbers)
        levels = np.zeros(len(counts), np.int64)
        met = np.flatnonzero(counts).tolist()
        for number, count in zip(met, counts[met].tolist(), strict=True):
            meaning = self._shapes.meanings[number]
            levels[number] = self._level_number(meaning.level)
            self.book.add(meaning.pattern, part, count)
            if meaning.exception:
                self.tally.exceptions[meaning.exception] += count
        self._count(self._said(levels[numbers], letters, starts[is_there]), minutes)
        self.tally.trim()
        self.book.trim()

    def finish(self) -> None:
        """Do nothing: all is counted."""

    def _said(self, levels: Places, letters: Letters, starts: Places) -> Places:
        """Give the levels, those of priorities first."""
        if not self._is_syslog:
            return levels
        said = severities(letters, starts)
        by_severity = np.array([self._level_number(name) for name in _SEVERITIES], np.int64)
        return np.where(said < 0, levels, by_severity[said])

    def _level_number(self, level: str) -> int:
        return self._level_numbers.setdefault(level, len(self._level_numbers))

    def _count(self, levels: Places, minutes: LineMinutes) -> None:
        names = list(self._level_numbers)
        for name, count in zip(names, np.bincount(levels, minlength=len(names)).tolist(), strict=True):
            if count:
                self.tally.levels[name] += count
        is_bad = np.array([name in BAD for name in names], np.bool_)[levels]
        minutes.count(self.tally.minutes, self.tally.bad_minutes, is_bad)

    def _learn(self, lines: Sequence[bytes]) -> list[Meaning]:
        heads = [line.partition(JOINT)[0][:_LONGEST].decode("utf-8", "replace") for line in lines]
        found = []
        for line, head, level in zip(lines, heads, levels_of_lines(heads), strict=True):
            said = syslog_level(line) if self._is_syslog else ""
            exception = exception_of(line)
            meant = said or level
            if meant == "unknown":
                meant = "error" if exception else _java(line)
            shown = f"{head} {exception}" if exception else head
            found.append(Meaning(self.book.find(shown, meant), str(meant), exception))
        return found


def _java(line: bytes) -> str:
    return next((level for word, level in _SEVERE.items() if word in line[:200]), "unknown")


def _head(line: bytes) -> bytes:
    """Give what makes the shape of a record: its first line, and the exception that it names."""
    head, joint, _ = line.partition(JOINT)
    return b"%b %b%b" % (head[:_LONGEST], JOINT, exception_of(line).encode()) if joint else head[:_LONGEST]


def syslog_level(line: bytes) -> str:
    """Give the level of syslog's priority; empty if the line has none."""
    number = severities(np.frombuffer(line, np.uint8), np.zeros(1, np.int64))[0]
    return _SEVERITIES[number] if number >= 0 else ""


def severities(letters: Letters, starts: Places) -> Places:
    """Give the severity in the priority with which each line begins, such as `<11>`; -1 where there is none."""
    padded = np.concatenate((letters, np.zeros(_PRIORITY, np.uint8)))
    heads = np.lib.stride_tricks.sliding_window_view(padded, _PRIORITY)[starts].astype(np.int64)
    found = np.full(len(starts), -1, np.int64)
    number = np.zeros(len(starts), np.int64)
    is_number = heads[:, 0] == ord("<")
    for place in range(1, _PRIORITY):
        digit = heads[:, place] - ord("0")
        is_end = is_number & (heads[:, place] == ord(">")) & (place > 1)
        found[is_end] = number[is_end] % len(_SEVERITIES)
        is_number &= (digit >= 0) & (digit <= 9)
        number = number * 10 + digit
    return found
