"""The times that are compared: a window around a moment, as long a time before it, and the same window last week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from holdfast.kernel.errors import InvalidError

LEAST: Final = timedelta(minutes=1)
WEEK: Final = timedelta(days=7)
_STEPS: Final = 60
_LEAST_STEP_S: Final = 15
_LEAST_RANGE_S: Final = 120  # two scrapes a minute apart
_AFTER: Final = 3  # a third of the window lies after the moment: causes come before it
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC) + 2 * WEEK


@dataclass(frozen=True, slots=True)
class Moment:
    """What is asked about: `at`, and a window [start, end) of whole steps that holds it.

    The window is two thirds before the moment and one third after it, moved back where that would be after now.
    """

    at: datetime
    start: datetime
    steps: int
    step_s: int

    @property
    def step(self) -> timedelta:
        """Give the step."""
        return timedelta(seconds=self.step_s)

    @property
    def end(self) -> datetime:
        """Give the end of the window."""
        return self.start + self.length

    @property
    def length(self) -> timedelta:
        """Give how long the window is."""
        return self.steps * self.step

    @property
    def before(self) -> datetime:
        """Give when the time before begins; it ends where the window begins."""
        return self.start - self.length

    @property
    def range_s(self) -> int:
        """Give over which time rates are taken."""
        return max(_LEAST_RANGE_S, 2 * self.step_s)

    def time_of(self, step: int) -> datetime:
        """Give when a step of the window begins."""
        return self.start + step * self.step


def read_moment(at: datetime | None, window: timedelta, now: datetime, *, longest: timedelta) -> Moment:
    """Give the window around a moment, now if none is given.

    Raises:
        InvalidError: the window is too short or too long, or lies before 1970.
    """
    if not LEAST <= window <= longest:
        raise InvalidError(f"a window of {window} is not between {LEAST} and {longest}", hint="such as 15m")
    at = min(at or now, now)
    if at < _EPOCH + 2 * longest:
        raise InvalidError(f"there is nothing around {at.isoformat()}", hint="give a time after 1970")
    step_s = max(_LEAST_STEP_S, -(-int(window.total_seconds()) // _STEPS))
    steps = max(2, int(window.total_seconds()) // step_s)
    end = min(at + window / _AFTER, now)
    end_s = -(-end.timestamp() // step_s) * step_s  # whole steps, so that counts and curves lie on one grid
    start = datetime.fromtimestamp(end_s - steps * step_s, UTC)
    return Moment(at, start, steps, step_s)
