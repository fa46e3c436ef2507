"""The last results of one check, for the bars of the console: small, because there are 40 for each of thousands.

Plain numbers in one array: 200,000 objects less for the garbage collector, whose passes the schedule would feel.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from holdfast.health.verdict import Verdict

MOST: Final = 40
_VERDICTS: Final = tuple(Verdict)
_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Recent:
    """One point of the uptime bar."""

    at: datetime
    verdict: Verdict
    duration_s: float


class Recents:
    """Up to 40 points, oldest first; times are kept to the microsecond."""

    __slots__ = ("_numbers",)

    def __init__(self, points: Iterable[Recent] = ()) -> None:
        self._numbers = array("d")
        for point in points:
            self.add(point)

    def __len__(self) -> int:
        """Count the points."""
        return len(self._numbers) // _FIELDS

    def __iter__(self) -> Iterator[Recent]:
        """Go through the points, oldest first."""
        for start in range(0, len(self._numbers), _FIELDS):
            yield self._point(start)

    def _point(self, start: int) -> Recent:
        at_s, verdict, duration_s = self._numbers[start : start + _FIELDS]
        return Recent(datetime.fromtimestamp(at_s, UTC), _VERDICTS[int(verdict)], duration_s)

    @property
    def newest(self) -> Recent | None:
        """Give the last point."""
        return self._point(len(self._numbers) - _FIELDS) if self._numbers else None

    def add(self, point: Recent) -> None:
        """Append a point; the oldest one beyond 40 is forgotten."""
        self._numbers.extend((point.at.timestamp(), _VERDICTS.index(point.verdict), point.duration_s))
        if len(self) > MOST:
            del self._numbers[:_FIELDS]
