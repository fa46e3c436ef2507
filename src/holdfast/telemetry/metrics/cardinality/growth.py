"""How many series there were over time, from the lives that the store knows: no sample is read, nothing is recorded.

A life is known to the hour, so a series that has ended is counted up to an hour longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.store import Store
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

MOST_POINTS: Final = 1000
_TURNS: Final = """
    SELECT turn.1 AS place, sum(turn.2) AS change, sum(turn.3) AS fresh
    FROM (
      SELECT arrayJoin([
          (toInt64(greatest(0, ceil((first - {start:Int64}) / {step:Int64}))), 1, toUInt8(first > {start:Int64})),
          (toInt64(floor((last + {late:Int64} - {start:Int64}) / {step:Int64}) + 1), -1, toUInt8(0))]) AS turn
      FROM (SELECT toUnixTimestamp64Milli(first_seen) AS first, toUnixTimestamp64Milli(last_seen) AS last
            FROM metric_series FINAL
            WHERE tenant = {tenant:String} AND ({name:String} = '' OR name = {name:String}))
      WHERE first <= {end:Int64} AND last + {late:Int64} >= {start:Int64})
    WHERE place < {points:Int64} GROUP BY place"""


@dataclass(frozen=True, slots=True)
class Window:
    """The times at which series are counted: from `start` every `step` to `end`."""

    start: datetime
    end: datetime
    step: timedelta

    @property
    def points(self) -> int:
        """Give how many times there are.

        Raises:
            InvalidError: none or too many.
        """
        if self.step <= timedelta(0) or self.end < self.start:
            raise InvalidError("the window is none", hint="give a start before the end, and a step above 0")
        points = (self.end - self.start) // self.step + 1
        if points > MOST_POINTS:
            raise InvalidError(f"that makes {points} points; at most {MOST_POINTS}", hint="give a longer step")
        return points


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """How many series lived at a time, and how many of them began since the point before."""

    at: datetime
    active: int
    new: int


async def growth(store: Store, tenant: TenantId, window: Window, name: str = "") -> tuple[GrowthPoint, ...]:
    """Count a tenant's series over time, or those of one metric; raises InvalidError for a window that is none."""
    points, start_ms = window.points, _milliseconds(window.start)
    bounds = {"start": start_ms, "end": _milliseconds(window.end), "step": window.step // timedelta(milliseconds=1)}
    asked = {**bounds, "points": points, "late": ANNOUNCE_EVERY_MS, "name": name}
    table = await store.query(_TURNS, asked, tenant=tenant)
    changes, fresh = [0] * points, [0] * points
    for row in table.to_pylist():
        changes[row["place"]] += row["change"]
        fresh[row["place"]] += row["fresh"]
    start = datetime.fromtimestamp(start_ms / 1000, UTC)
    return tuple(
        GrowthPoint(start + place * window.step, active, fresh[place])
        for place, active in enumerate(accumulate(changes))
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
