"""Decides what goes when metrics take more room than they may: raw samples first, then sums, the oldest of each first.

Whole days go, except within the newest 24 hours, which are touched last of all, two hours at a time; the newest two
slots never go. It only plans: `size` carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from holdfast.telemetry.metrics.downsampling import Kept
from holdfast.telemetry.metrics.tables import SLOT_MS

DAY_SLOTS: Final = 12
_NEWEST: Final = 2  # slots that are being written

Shares = Mapping[Kept, Mapping[int, float]]
"""About how many bytes each slot of each kind takes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Everything of a kind before a slot goes."""

    kind: Kept
    slot: int
    size_bytes: int
    is_newest_day: bool = False

    @property
    def before_ms(self) -> int:
        """The time before which it goes."""
        return self.slot * SLOT_MS


def plan(shares: Shares, surplus_bytes: float, now_ms: int) -> list[Cut]:
    """Give the cuts that free the surplus, or as much of it as there is."""
    today = now_ms // SLOT_MS - DAY_SLOTS + 1
    cuts: list[Cut] = []
    for kind in Kept:
        cut = _cut(kind, shares.get(kind, {}), surplus_bytes, range(-(2**31), today), DAY_SLOTS)
        if cut is not None:
            cuts.append(cut)
            surplus_bytes -= cut.size_bytes
    newest = range(today, now_ms // SLOT_MS + 1 - _NEWEST)
    last = _cut(Kept.RAW, shares.get(Kept.RAW, {}), surplus_bytes, newest, 1)
    return cuts if last is None else [*cuts, last]


def _cut(kind: Kept, shares: Mapping[int, float], surplus_bytes: float, within: range, unit: int) -> Cut | None:
    """Give the cut after the fewest units of so many slots that free the surplus."""
    freed, end = 0.0, within.start
    for slot in sorted(slot for slot in shares if slot in within):
        if slot >= end:
            if freed >= surplus_bytes:
                break
            end = min((slot // unit + 1) * unit, within.stop)
        freed += shares[slot]
    if end == within.start or freed <= 0:
        return None
    return Cut(kind, end, int(freed), is_newest_day=unit == 1)
