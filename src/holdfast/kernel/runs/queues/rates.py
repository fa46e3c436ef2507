"""How often a queue may start runs: `10/1m` allows ten starts in any minute, wherever the minute begins.

Pure: the starts that still count are a short list of integers that the queue's row carries. Up to 100 starts a period
are remembered exactly; above that, starts are gathered into hundredths of the period, each counted until all of it is
past.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic_core import PydanticCustomError

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import format_duration, parse_duration

# (when, how many), oldest first; microseconds since 1970.
Starts: TypeAlias = tuple[tuple[int, int], ...]

_SLICES: Final = 100
_RATE: Final = re.compile(r"\s*(\d+)\s*/\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` starts in any `period_us` microseconds."""

    limit: int
    period_us: int

    def __str__(self) -> str:
        """Give the rate as people write it."""
        return f"{self.limit}/{format_duration(self.period_us / 1_000_000)}"

    def recent(self, starts: Starts, now_us: int) -> Starts:
        """Give the starts that still count.

        A start further ahead than one period was stamped by a clock that has since been set back: it is forgotten,
        because it would hold the queue for as long as the clock was wrong.
        """
        latest = now_us + self.period_us + self._slice_us
        return tuple((at, count) for at, count in starts if now_us - self.period_us < at <= latest)

    def room(self, starts: Starts, now_us: int) -> int:
        """Tell how many runs may start now."""
        return max(0, self.limit - sum(count for _, count in self.recent(starts, now_us)))

    def record(self, starts: Starts, now_us: int, count: int) -> Starts:
        """Give the list with `count` more starts, and without those that no longer count."""
        at = now_us if self._slice_us <= 1 else now_us - now_us % self._slice_us + self._slice_us - 1
        merged = dict(self.recent(starts, now_us))
        merged[at] = merged.get(at, 0) + count
        return tuple(sorted(merged.items()))

    def free_at(self, starts: Starts, now_us: int) -> int:
        """Give the moment from which at least one run may start, in microseconds since 1970."""
        recent = self.recent(starts, now_us)
        over = sum(count for _, count in recent) - self.limit
        for at, count in recent:
            if over < 0:
                break
            over -= count
            if over < 0:
                return at + self.period_us
        return now_us

    @property
    def _slice_us(self) -> int:
        return 0 if self.limit <= _SLICES else max(1, self.period_us // _SLICES)


def parse_rate(text: str) -> Rate:
    """Read `starts/period`, such as `10/1m` or `5/1s`.

    Raises:
        InvalidError: it is not a rate.
    """
    match = _RATE.fullmatch(text)
    try:
        period_s = parse_duration(match[2]) if match else 0.0
    except PydanticCustomError as error:
        raise InvalidError(f"{text!r} is not a rate: {error.message()}", hint="write one such as 10/1m") from None
    if match is None or period_s <= 0 or int(match[1]) < 1:
        raise InvalidError(f"{text!r} is not a rate", hint="write starts/period, such as 10/1m or 5/1s")
    return Rate(int(match[1]), round(period_s * 1_000_000))
