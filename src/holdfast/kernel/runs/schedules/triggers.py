"""When a schedule is due: at the matches of a cron expression, every so often, or once. Pure arithmetic.

The rules for daylight saving are `kernel.schedule`'s: a time that the clocks skip counts at the jump, one that they
repeat counts once. What happens with instants that were missed is `planning`'s matter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from holdfast.kernel.schedule import Cron

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Trigger(Protocol):
    """A series of instants."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Give the first instant later than `moment`, in UTC; None when there is none."""
        ...

    def last_before(self, moment: datetime) -> datetime | None:
        """Give the last instant at or before `moment`, in UTC; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Every `every`, counted from `anchor`, so that all processes and restarts agree on the instants."""

    every: timedelta
    anchor: datetime = _EPOCH

    def next_after(self, moment: datetime) -> datetime:
        """Give the first instant later than `moment`."""
        return self.anchor + ((moment - self.anchor) // self.every + 1) * self.every

    def last_before(self, moment: datetime) -> datetime:
        """Give the last instant at or before `moment`."""
        return self.anchor + ((moment - self.anchor) // self.every) * self.every


@dataclass(frozen=True, slots=True)
class Once:
    """One instant."""

    at: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """Give the instant while it lies ahead."""
        return self.at if self.at > moment else None

    def last_before(self, moment: datetime) -> datetime | None:
        """Give the instant once it has come."""
        return self.at if self.at <= moment else None


@dataclass(frozen=True, slots=True)
class Bounded:
    """Another trigger's instants from `starts_at` on and up to `ends_at`, both included."""

    inner: Cron | Interval | Once
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """Give the first instant later than `moment` within the bounds."""
        if self.starts_at is not None and moment < self.starts_at:
            moment = self.starts_at - timedelta(microseconds=1)
        found = self.inner.next_after(moment)
        return None if found is None or (self.ends_at is not None and found > self.ends_at) else found

    def last_before(self, moment: datetime) -> datetime | None:
        """Give the last instant at or before `moment` within the bounds."""
        if self.ends_at is not None and moment > self.ends_at:
            moment = self.ends_at
        found = self.inner.last_before(moment)
        return None if found is None or (self.starts_at is not None and found < self.starts_at) else found


def spread(name: str, due: datetime, jitter_s: float) -> datetime:
    """Give the moment to start what is due at `due`: up to `jitter_s` later, the same for every process that asks."""
    if jitter_s <= 0:
        return due
    drawn = int.from_bytes(hashlib.blake2b(f"{name}\0{due.isoformat()}".encode(), digest_size=8).digest())
    return due + timedelta(seconds=jitter_s * (drawn / 2**64))
