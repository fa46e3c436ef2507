"""Finds the minute in which a line was logged: where its time stands, and what it says.

Times are taken as they stand in the file, without their zone; a day without a year is of this one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.logs.files.columns import Letters, Places, coded
from holdfast.telemetry.logs.files.traces import belongs

_MONTHS: Final = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)  # noqa: SIM905 -- reads as a list
}
_ISO: Final = rb"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d"
_SYSLOG: Final = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d"
_ACCESS: Final = rb"\d\d/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\d{4}:\d\d:\d\d"
_ANY: Final = re.compile(_ISO + rb"|" + _SYSLOG + rb"|" + _ACCESS)
_PARTS: Final = re.compile(
    r"(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d)"
    r"|(?P<month2>[A-Z][a-z]{2}) (?P<day2>[ \d]\d) (?P<hour2>\d\d):(?P<minute2>\d\d)"
    r"|(?P<day3>\d\d)/(?P<month3>[A-Z][a-z]{2})/(?P<year3>\d{4}):(?P<hour3>\d\d):(?P<minute3>\d\d)"
)
_LOOKED_AT: Final = 120  # bytes of a line
_SHARE: Final = 0.6
_FIXED_SHARE: Final = 0.95
_MOST: Final = 200_000
_MINUTE_S: Final = 60
EPOCH_DIGITS: Final = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}


class Minutes:
    """What minute a text means, remembered."""

    def __init__(self) -> None:
        self._known: dict[bytes | str, int | None] = {}

    def __call__(self, text: bytes | str) -> int | None:
        """Give minutes of Unix time; None if the text is no time."""
        if text in self._known:
            return self._known[text]
        if len(self._known) >= _MOST:
            self._known.clear()
        found = _parse(text.decode("ascii", "replace") if isinstance(text, bytes) else text)
        self._known[text] = found
        return found


def _parse(text: str) -> int | None:
    digits = text.partition(".")[0]
    if digits.isascii() and digits.isdigit():
        scale = EPOCH_DIGITS.get(len(digits))
        return int(digits) // scale // _MINUTE_S if scale else None
    found = _PARTS.search(text[:_LOOKED_AT])
    if found is None:
        return None
    said = {name.rstrip("23"): value for name, value in found.groupdict().items() if value is not None}
    month = said["month"] if said["month"].isdigit() else str(_MONTHS.get(said["month"], 0))
    year = said.get("year") or str(datetime.now(UTC).year)
    try:
        at = datetime(int(year), int(month), int(said["day"]), int(said["hour"]), int(said["minute"]), tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) // _MINUTE_S


@dataclass(frozen=True, slots=True)
class LineMinutes:
    """The minutes of some lines: `minutes[codes[n]]` is that of line n; None where it has none."""

    codes: Places
    minutes: Sequence[int | None]

    def count(self, counts: Counter[int], bad: Counter[int], is_bad: npt.NDArray[np.bool_]) -> None:
        """Add up lines, and those that are bad, by minute."""
        size = len(self.minutes)
        for counter, codes in ((counts, self.codes), (bad, self.codes[is_bad])):
            for minute, count in zip(self.minutes, np.bincount(codes, minlength=size).tolist(), strict=True):
                if minute is not None and count:
                    counter[minute] += count


class TimeKeys:
    """Finds the minutes of lines: at one place in all of them if there is such a place."""

    def __init__(self, sample: Sequence[bytes]) -> None:
        """Look where the times of sample lines stand."""
        records = [line for line in sample if not belongs(line)]
        spans = [found.span() for line in records if (found := _ANY.search(line, 0, _LOOKED_AT))]
        self.is_there = len(spans) >= _SHARE * max(len(records), 1) and bool(spans)
        common = max(set(spans), key=spans.count) if spans else (0, 0)
        is_fixed = self.is_there and spans.count(common) >= _FIXED_SHARE * len(spans)
        self._part = slice(*common) if is_fixed else None
        self._mark = None if is_fixed else _mark_of(records)
        self._width = common[1] - common[0]
        self._known = Minutes()

    def minutes(self, letters: Letters, starts: Places, ends: Places) -> LineMinutes:
        """Give the minutes of lines, which stand in `letters` from `starts` to `ends`."""
        if not self.is_there or not len(starts):
            return LineMinutes(np.zeros(len(starts), np.int64), [None])
        if self._part is None and self._mark is None:
            return self._looked_up(letters, starts, ends)
        places = self._behind_mark(letters, starts, ends) if self._part is None else starts + self._part.start
        codes, texts = coded(letters, np.minimum(places, ends), np.minimum(places + self._width, ends))
        return LineMinutes(codes, [self._known(each) if each else None for each in texts])

    def _behind_mark(self, letters: Letters, starts: Places, ends: Places) -> Places:
        letter, number = self._mark or (0, 1)
        marks = np.flatnonzero(letters == letter)
        marks = np.append(marks, np.full(number, len(letters)))
        return np.minimum(marks[np.searchsorted(marks, starts) + number - 1] + 1, ends)

    def _looked_up(self, letters: Letters, starts: Places, ends: Places) -> LineMinutes:
        text = letters.tobytes()
        found = [self._search(text[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        numbers = {each: number for number, each in enumerate(dict.fromkeys(found))}
        codes = np.array([numbers[each] for each in found], np.int64)
        return LineMinutes(codes, [self._known(each) if each else None for each in numbers])

    def _search(self, line: bytes) -> bytes:
        found = _ANY.search(line, 0, _LOOKED_AT)
        return found[0] if found else b""


def _mark_of(records: Sequence[bytes]) -> tuple[int, int] | None:
    """Give the letter before the times, and its number among such letters of its line, if they are always these."""
    found = [(line, match) for line in records if (match := _ANY.search(line, 0, _LOOKED_AT))]
    marks = Counter(
        (line[match.start() - 1], line.count(line[match.start() - 1], 0, match.start()), match.end() - match.start())
        for line, match in found
        if match.start()
    )
    (letter, number, _), count = marks.most_common(1)[0] if marks else ((0, 0, 0), 0)
    return (letter, number) if count >= _FIXED_SHARE * max(len(found), 1) else None
