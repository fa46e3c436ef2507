"""Cron expressions in a time zone: when they match next and when they last did, across daylight saving.

Pure arithmetic; nothing here waits or runs. Five fields as in crontab(5), with names, steps and `@daily` and its kin.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from holdfast.kernel import decoding
from holdfast.kernel.errors import InvalidError

_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_HORIZON_DAYS: Final = 366 * 28  # 29 February on a given weekday comes back after 28 years at the latest, bar 2100
_PART: Final = re.compile(r"(?:(\*)|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/(\d+))?")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    first_word: int = 0


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS), 1),
    _Field("day of week", 0, 7, tuple(_WEEKDAYS), 0),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression; make one with `parse_cron`.

    A local time that the clocks skip in spring counts at the moment of the jump; one that they repeat in autumn
    counts once, the first time. As in crontab(5), a day matches when either the day of month or the
    day of week does, if both are restricted.
    """

    text: str
    zone: tzinfo
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either_day: bool

    def next_after(self, moment: datetime) -> datetime | None:
        """Give the first match later than `moment`, in UTC; None when there is none within 28 years."""
        local = moment.astimezone(self.zone)
        for offset in range(-1, _HORIZON_DAYS):
            times = self._times_on(local.date() + timedelta(days=offset))
            place = bisect.bisect_right(times, moment)
            if place < len(times):
                return times[place]
        return None

    def last_before(self, moment: datetime) -> datetime | None:
        """Give the last match at or before `moment`, in UTC; None when there is none within 28 years."""
        local = moment.astimezone(self.zone)
        for offset in range(-1, _HORIZON_DAYS):
            times = self._times_on(local.date() - timedelta(days=offset))
            place = bisect.bisect_right(times, moment)
            if place > 0:
                return times[place - 1]
        return None

    def _times_on(self, day: date) -> tuple[datetime, ...]:
        return _instants_on(day, self.hours, self.minutes, self.zone) if self._matches_day(day) else ()

    def _matches_day(self, day: date) -> bool:
        is_day, is_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (is_day or is_weekday if self.is_either_day else is_day and is_weekday)


def parse_cron(text: str, zone: tzinfo = UTC) -> Cron:
    """Parse `minute hour day-of-month month day-of-week`, or a macro such as `@daily`.

    Raises:
        InvalidError: it is not a cron expression; the message names the field and what it may hold.
    """
    parts = _MACROS.get(text.strip().lower(), text).lower().split()
    if len(parts) != len(_FIELDS):
        raise InvalidError(
            f"{text!r} is not a cron expression: it has {len(parts)} fields",
            hint="write minute, hour, day of month, month, day of week, such as '0 3 * * sun', or @daily",
        )
    minutes, hours, days, months, weekdays = (
        _parse_field(part, field, text) for part, field in zip(parts, _FIELDS, strict=True)
    )
    return Cron(
        text=text,
        zone=zone,
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % 7 for day in weekdays),
        is_either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
    )


def parse_zone(name: str) -> ZoneInfo:
    """Give the time zone of that IANA name.

    Raises:
        InvalidError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidError(f"unknown time zone {name!r}", hint="write an IANA name such as Europe/Berlin") from error


def to_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Give the UTC instant of a time on the wall in `zone`; an aware time keeps its own zone."""
    return wall.astimezone(UTC) if wall.tzinfo else _first_instant(wall, zone)


@lru_cache(maxsize=512)
def _instants_on(day: date, hours: tuple[int, ...], minutes: tuple[int, ...], zone: tzinfo) -> tuple[datetime, ...]:
    walls = [datetime.combine(day, time(hour, minute)) for hour in hours for minute in minutes]
    return tuple(sorted({_first_instant(wall, zone) for wall in walls}))


def _first_instant(wall: datetime, zone: tzinfo) -> datetime:
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The wall skipped this time. With fold=1 the offset from after the jump applies, so `early` lies before the jump by
    # as much as `wall` lies past the skipped hour's end; the jump itself is where both offsets meet.
    late, early = instant, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _find_jump(early, late, zone)


def _find_jump(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def _parse_field(text: str, field: _Field, whole: str) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _bad_field(part, field, whole)
        star, first, last, step = match.groups()
        low = field.low if star else _parse_value(first, field, whole)
        high = field.high if star or (step and not last) else _parse_value(last or first, field, whole)
        if high < low or step == "0":
            raise _bad_field(part, field, whole)
        values.update(range(low, high + 1, int(step or 1)))
    return values


def _parse_value(text: str, field: _Field, whole: str) -> int:
    if text in field.words:
        return field.words.index(text) + field.first_word
    if not text.isdigit() or not field.low <= int(text) <= field.high:
        raise _bad_field(text, field, whole)
    return int(text)


def _bad_field(text: str, field: _Field, whole: str) -> InvalidError:
    hint = decoding.suggest(text, field.words) if field.words and text.isalpha() else ""
    return InvalidError(
        f"{text!r} is not a {field.name} in the cron expression {whole!r}",
        hint=hint or f"it is {field.low} to {field.high}, *, a range ({field.low}-{field.low + 2}) or a step (*/2)",
    )
