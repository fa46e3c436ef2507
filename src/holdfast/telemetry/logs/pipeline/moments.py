"""Times of templates, to the nanosecond, which Python's own do not hold; printed as Go prints them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gotpl.funcs import sprig

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION: Final = re.compile(r"(?<=5)[.,](0|9)\1*(?![0-9])")
_MARKS: Final = ("\ue000", "\ue001")  # stand for a fraction of nines and one of zeros while the rest is written
_OF_A_ZONE: Final = ("Z07", "-07", "MST")


class Moment(datetime):
    """A time; `nanosecond` is the whole of its fraction of a second."""

    nanosecond: int

    @classmethod
    def at(cls, when: datetime, nanosecond: int) -> Self:
        """Give a time with its fraction."""
        parts = when.year, when.month, when.day, when.hour, when.minute, when.second
        made = cls(*parts, nanosecond // 1000, when.tzinfo)
        made.nanosecond = nanosecond
        return made

    def __str__(self) -> str:
        fraction = f".{self.nanosecond:09d}".rstrip("0") if self.nanosecond else ""
        return f"{self.year:04d}{self:-%m-%d %H:%M:%S}{fraction} {self:%z %Z}"


def moment_of(ts_ns: int) -> Moment:
    """Give the time of a count of nanoseconds."""
    seconds, nanosecond = divmod(ts_ns, 10**9)
    return Moment.at(_EPOCH + timedelta(seconds=seconds), nanosecond)


def moment_in(layout: str, zone: str, text: str) -> Moment:
    """Read a time by a layout of Go's; the zone is that of a text that names none, `Local` that of the server.

    A zone that there is not is UTC.
    """
    parsed = sprig.generic_func_map()["toDate"](layout, text)
    assert isinstance(parsed, datetime)
    nanosecond = getattr(parsed, "nanosecond", parsed.microsecond * 1000)
    if zone != "Local" and not any(part in layout for part in _OF_A_ZONE):
        parsed = parsed.replace(tzinfo=_zone(zone))
    return Moment.at(parsed, nanosecond)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def write_moment(layout: str, when: object) -> str:
    """Write a time by a layout of Go's, in the zone of the server; what is none of ours is Sprig's matter."""
    write = sprig.generic_func_map()["date"]
    if not isinstance(when, Moment):
        return str(write(layout, when))
    text = str(write(_FRACTION.sub(lambda found: _MARKS[found[1] == "0"] * len(found[0]), layout), when))
    digits = f".{when.nanosecond:09d}"
    for mark, is_whole in zip(_MARKS, (False, True), strict=True):
        text = re.sub(f"{mark}+", lambda found: _cut(digits, len(found[0]), is_whole=is_whole), text)  # noqa: B023 -- used at once
    return text


def _cut(digits: str, length: int, *, is_whole: bool) -> str:
    return digits[:length] if is_whole else digits[:length].rstrip("0").rstrip(".")


def ns_of(when: datetime) -> int:
    """Give the count of nanoseconds of a time."""
    seconds = (when.replace(microsecond=0) - _EPOCH) // timedelta(seconds=1)
    return seconds * 10**9 + int(getattr(when, "nanosecond", when.microsecond * 1000))
