"""The days that a question about usage is for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from holdfast.kernel.errors import InvalidError

_MOST_DAYS: Final = 400
_USUAL: Final = timedelta(days=6)  # before the last day
_FIRST, _LAST = date(1970, 1, 1), date(2149, 6, 5)  # of which the store can tell


def days_asked(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    """Give the first and the last day: what was asked for, or the last seven.

    Raises:
        InvalidError: they are more than 400 days, none, or none that the store can tell of.
    """
    last = end or today
    if not _FIRST <= last <= _LAST:
        raise InvalidError(f"end={last} is not between {_FIRST} and {_LAST}", hint="such as end=2026-01-31")
    first = start or max(_FIRST, last - _USUAL)
    if not 0 <= (last - first).days < _MOST_DAYS or first < _FIRST:
        raise InvalidError(f"start to end must be 1 to {_MOST_DAYS} days", hint="such as start=2026-01-01")
    return first, last
