"""Times as lines and documents write them, in ns of Unix time; a time without a zone is taken as UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?)?"
)
_COMBINED: Final = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})")
_NAMES: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS: Final = {name: place for place, name in enumerate(_NAMES, 1)}
_NS: Final = 10**9
_MOST_NS: Final = 2**63 - 1 - 2**50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))  # below which bound a number has how many ns


def from_text(text: str, *, is_whole: bool = True) -> int | None:
    """Give the time that a text is, or begins with; None where it is none.

    ISO 8601 and RFC 3339 with a point or comma before the fraction, that of nginx and Apache, and Unix time.
    """
    text = text.strip() if is_whole else text
    found = _ISO.match(text)
    if found and (not is_whole or found.end() == len(text)):
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        parts = (year, month, day, hour or "0", minute or "0", second or "0")
        return _instant(tuple(map(int, parts)), zone or "Z", (fraction or "").ljust(9, "0"))
    found = _COMBINED.match(text)
    if found and (not is_whole or found.end() == len(text)):
        day, name, year, hour, minute, second, zone = found.groups()
        parts = (year, str(_MONTHS.get(name, 0)), day, hour, minute, second)
        return _instant(tuple(map(int, parts)), zone, "0")
    return from_number(text) if is_whole and len(text) < _LONGEST_NUMBER else None


_LONGEST_NUMBER: Final = 32


def from_number(number: str | float) -> int | None:
    """Give the time of a Unix time in s, ms, us or ns, told apart by size; None where it is none."""
    try:
        is_whole = isinstance(number, int) or (isinstance(number, str) and number.isdigit())
        exact = int(number) if is_whole else None
        value = float(number)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(value) or value <= 0:
        return None
    factor = next((factor for bound, factor in _UNITS if value < bound), 1)
    if exact is None:  # a double holds us of today's seconds, no more
        ts_ns = round(value * 10**6) * 10**3 if factor == _NS else int(value * factor)
    else:
        ts_ns = exact * factor
    return ts_ns if ts_ns <= _MOST_NS else None


def time_in_year(text: str, now_ns: int, zone: tzinfo = UTC) -> int | None:
    """Give the time of `Nov 28 20:37:37` in a zone: the last one that does not lie ahead; None where it is none."""
    name, day, clock = text[:3], text[4:6], text[7:15].split(":")
    if name not in _MONTHS or len(clock) != 3 or not day.strip().isdecimal() or not all(map(str.isdecimal, clock)):
        return None
    now = _EPOCH + timedelta(microseconds=now_ns // 1000)
    for year in (now.year + 1, now.year, now.year - 1):
        found = _instant((year, _MONTHS[name], int(day), *map(int, clock)), zone, "0")
        if found is not None and found <= now_ns + 86_400 * _NS:
            return found
    return None


def _instant(parts: tuple[int, ...], zone: str | tzinfo, fraction: str) -> int | None:
    year, month, day, hour, minute, second = parts
    try:
        at = datetime(
            year, month, day, hour, minute, min(second, 59), tzinfo=_zone(zone) if isinstance(zone, str) else zone
        )
    except ValueError:
        return None
    since = at - _EPOCH
    ts_ns = (since.days * 86_400 + since.seconds) * _NS + int(fraction)
    return ts_ns if 0 <= ts_ns <= _MOST_NS else None


def _zone(zone: str) -> timezone:
    if zone in {"Z", "z", "UTC"}:
        return UTC
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return timezone(-offset if zone[0] == "-" else offset)
