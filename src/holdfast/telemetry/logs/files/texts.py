"""Reads lines of text: syslog, Python, Java, CRI, anything. Counts by shape, so that each distinct line is read once.

Records that are equal without digits are counted together. What is new in a block is first told apart by a coarser
shape, in which words with digits (ids) are one: so that a pattern is mined once and not for every id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from holdfast.telemetry.logs.files.tally import BAD, PatternBook, Tally
from holdfast.telemetry.logs.files.times import Minutes, TimeKeys
from holdfast.telemetry.logs.files.traces import JOINT, exception_of, join
from holdfast.telemetry.logs.levels import levels_of_lines
from holdfast.telemetry.logs.patterns.masks import DIGITS

_MOST_SHAPES: Final = 200_000
_ID: Final = r"[0-9A-Za-z_.:/-]*[0-9][0-9A-Za-z_.:/-]*"
_LONGEST: Final = 2_000
_SEVERITIES: Final = ("fatal", "fatal", "critical", "error", "warn", "info", "info", "debug")
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
        level_of: Callable[[bytes], str] | None = None,
    ) -> None:
        """Prepare.

        Args:
            sample: first lines, as they are after `unwrap`.
            unwrap: changes a block before it is cut into lines.
            level_of: tells the level of a line that says it outside its words, or "".
        """
        self.tally, self.book = Tally(), PatternBook()
        self._unwrap = unwrap
        self._level_of = level_of
        self._times = TimeKeys(sample)
        self._minutes = Minutes()
        self._known: dict[bytes, Meaning] = {}
        self._coarse: dict[str, Meaning] = {}

    def read(self, data: bytes, part: int) -> None:
        """Count the records of a block."""
        joined = join(self._unwrap(data) if self._unwrap else data)
        lines = joined.split(b"\n")
        shapes = joined.translate(None, DIGITS).split(b"\n")
        unknown = set(shapes) - self._known.keys()
        unknown.discard(b"")
        if unknown:
            self._learn(unknown, lines, shapes)
        for (key, shape), count in Counter(zip(self._times.of(lines), shapes, strict=True)).items():
            if shape:
                self._count(self._known[shape], self._minutes(key) if key else None, part, count)
        self.tally.trim()
        self.book.trim()

    def _count(self, meaning: Meaning, minute: int | None, part: int, count: int) -> None:
        tally = self.tally
        tally.records += count
        tally.levels[meaning.level] += count
        if meaning.exception:
            tally.exceptions[meaning.exception] += count
        self.book.add(meaning.pattern, part, count)
        if minute is not None:
            tally.minutes[minute] += count
            if meaning.level in BAD:
                tally.bad_minutes[minute] += count

    def _learn(self, unknown: set[bytes], lines: list[bytes], shapes: list[bytes]) -> None:
        if len(self._known) + len(unknown) > _MOST_SHAPES:
            self._known.clear()
            self._coarse.clear()
            unknown = set(shapes) - {b""}
        found: dict[bytes, bytes] = {}
        for shape, line in zip(shapes, lines, strict=True):
            if shape in unknown and shape not in found:
                found[shape] = line
        heads = [line.partition(JOINT)[0][:_LONGEST].decode("utf-8", "replace") for line in found.values()]
        coarse = pc.replace_substring_regex(pa.array(heads, pa.large_string()), _ID, "0").to_pylist()
        keys = [
            f"{key}\x1e{exception_of(line)}" if JOINT in line else key
            for key, line in zip(coarse, found.values(), strict=True)
        ]
        self._understand(keys, heads, list(found.values()))
        for shape, key in zip(found, keys, strict=True):
            self._known[shape] = self._coarse[key]

    def _understand(self, keys: list[str], heads: list[str], lines: list[bytes]) -> None:
        new = {key: place for place, key in enumerate(keys) if key not in self._coarse}
        levels = levels_of_lines([heads[place] for place in new.values()]) if new else []
        for (key, place), level in zip(new.items(), levels, strict=True):
            said = self._level_of(lines[place]) if self._level_of else ""
            exception = exception_of(lines[place])
            meant = said or level
            if meant == "unknown":
                meant = "error" if exception else _java(lines[place])
            head = f"{heads[place]} {exception}" if exception else heads[place]
            self._coarse[key] = Meaning(self.book.find(head, meant), str(meant), exception)


def _java(line: bytes) -> str:
    return next((level for word, level in _SEVERE.items() if word in line[:200]), "unknown")


def syslog_level(line: bytes) -> str:
    """Give the level of syslog's priority; empty if the line has none."""
    if not line.startswith(b"<"):
        return ""
    number = line[1 : line.find(b">", 1, 6)]
    return _SEVERITIES[int(number) % 8] if number.isdigit() else ""


SYSLOG: Final[Mapping[str, Callable[[bytes], str]]] = {"syslog-5424": syslog_level, "syslog-3164": syslog_level}
