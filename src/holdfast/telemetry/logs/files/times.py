"""Finds the minute in which a line was logged: where its time stands, and what it says.

Times are taken as they stand in the file, without their zone; a day without a year is of this one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

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
_MOST: Final = 200_000
_MINUTE_S: Final = 60
_EPOCH_DIGITS: Final = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}


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
        scale = _EPOCH_DIGITS.get(len(digits))
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


class TimeKeys:
    """Takes the text of the time out of lines: at one place in all of them if there is such a place."""

    def __init__(self, sample: Sequence[bytes]) -> None:
        """Look where the times of sample lines stand."""
        records = [line for line in sample if not belongs(line)]
        spans = [found.span() for line in records if (found := _ANY.search(line, 0, _LOOKED_AT))]
        self.is_there = len(spans) >= _SHARE * max(len(records), 1) and bool(spans)
        common = max(set(spans), key=spans.count) if spans else (0, 0)
        is_fixed = self.is_there and spans.count(common) >= 0.95 * len(spans)
        self._part = slice(*common) if is_fixed else None

    def of(self, lines: Sequence[bytes]) -> list[bytes]:
        """Give the text of each line's time; empty where it has none."""
        if not self.is_there:
            return [b""] * len(lines)
        if self._part is not None:
            part = self._part
            return [line[part] for line in lines]
        search = _ANY.search
        return [found[0] if (found := search(line, 0, _LOOKED_AT)) else b"" for line in lines]
