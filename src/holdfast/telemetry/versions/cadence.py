"""How often a version is heard, and whether its silence means anything.

A batch job is heard by the hour and a canary seldom, so no fixed time says that a version is gone. It is silent when
others of the service were heard for longer than it usually pauses: time in which nobody was heard counts for nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Row

_PAUSES: Final = 2  # so many usual pauses are a silence
_FADES: Final = 0.99  # a pause counts for so much less at each hearing; one night does not rule the next day
_ONCE: Final = 12  # times as patient with a version that was heard once: it may be heard by the hour
_TWICE: Final = 4  # times as patient with one that was heard twice, or as long as two of the pause that is known


def heard_again(row: Row[Any], at: datetime, now: datetime, floor: timedelta) -> dict[str, Any]:
    """Give what a hearing says of how often a version is heard.

    Args:
        row: the version as it is known.
        at: when it was heard.
        now: the time; what is said to have been heard later comes from a clock that was wrong.
        floor: a pause that is never remarkable.
    """
    if row.last_seen is None or row.last_seen > now:
        return {"last_seen": at, "heard_since": at}
    gap_s = max((at - row.last_seen).total_seconds(), 0.0)
    longest, usual = _add(row.longest_gap_s, row.usual_gap_s, gap_s)
    is_broken = row.heard_since is None or gap_s > max(floor.total_seconds(), _PAUSES * (usual or 0.0))
    return {
        "last_seen": max(at, row.last_seen),
        "heard_since": at if is_broken else row.heard_since,
        "longest_gap_s": longest,
        "usual_gap_s": usual,
    }


def is_silent(row: Row[Any], heard: Iterable[Row[Any]], floor: timedelta) -> bool:
    """Tell whether a version pauses for longer than it ever does while one of the others is heard."""
    others = [other for other in heard if other is not row]
    patience = _patience(row, others, floor)
    return any(_overlap(row.last_seen, other) >= patience for other in others)


def has_stood(row: Row[Any], floor: timedelta) -> bool:
    """Tell whether a version has been heard for long enough since it was deployed."""
    return bool(_overlap(row.began_at, row) >= floor)


def _overlap(since: datetime, other: Row[Any]) -> timedelta:
    """Give for how long another one was surely heard since then, less a pause of its own."""
    begin = max(since, other.heard_since or other.last_seen)
    heard_for: timedelta = other.last_seen - begin
    return heard_for - timedelta(seconds=other.usual_gap_s or 0.0)


def _patience(row: Row[Any], others: Iterable[Row[Any]], floor: timedelta) -> timedelta:
    if row.usual_gap_s is not None:
        return max(floor, timedelta(seconds=_PAUSES * row.usual_gap_s))
    known_s = max((other.usual_gap_s or 0.0 for other in others), default=0.0)
    if row.longest_gap_s is None and row.last_seen == row.first_seen:
        return max(_ONCE * floor, timedelta(seconds=_PAUSES * known_s))
    return max(_TWICE * floor, timedelta(seconds=_PAUSES * max(known_s, row.longest_gap_s or 0.0)))


def _add(longest: float | None, usual: float | None, gap_s: float) -> tuple[float, float | None]:
    """Add a pause to the longest one and the one next to it: what happened once is an outage, and no habit."""
    if longest is None:
        return gap_s, None
    pauses = sorted((longest * _FADES, (usual or 0.0) * _FADES, gap_s), reverse=True)
    return pauses[0], pauses[1]
