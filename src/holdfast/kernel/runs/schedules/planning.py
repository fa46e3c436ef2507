"""What a schedule owes at a given moment: which instants to start, which are past, when to look again. Pure.

An instant is on time when it is handled within a minute and before the next one has come; otherwise it was missed,
because no process ran or the clock leapt, and the catch-up policy decides. An instant that is planned twice (the clock
was set back) starts nothing twice: its dedupe key holds the instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from holdfast.kernel.runs.schedules.triggers import Trigger, spread

CatchUp: TypeAlias = Literal["skip", "last", "all"]

GRACE: Final = timedelta(minutes=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MOST_COUNTED: Final = 1000


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule is due, and what it does about instants that it missed.

    Attributes:
        name: the schedule's; the jitter is drawn from it.
        trigger: the instants.
        jitter_s: each start is delayed by up to this, never up to the next instant.
        catch_up: `skip` misses them, `last` starts one run for all of them, `all` one for each.
        catch_up_limit: with `all`, at most so many, the newest.
    """

    name: str
    trigger: Trigger
    jitter_s: float = 0.0
    catch_up: CatchUp = "last"
    catch_up_limit: int = 100

    def start_of(self, due: datetime) -> datetime:
        """Give the moment at which the run of the instant `due` starts, jitter included."""
        if self.jitter_s <= 0:
            return due
        following = self.trigger.next_after(due)
        room_s = (following - due).total_seconds() if following else self.jitter_s
        return spread(self.name, due, min(self.jitter_s, room_s))

    def preview(self, moment: datetime, count: int) -> list[datetime]:
        """Give the next `count` starts after `moment`, jitter included; fewer when the series ends."""
        starts: list[datetime] = []
        due = self.trigger.next_after(moment)
        while due is not None and len(starts) < count:
            starts.append(self.start_of(due))
            due = self.trigger.next_after(due)
        return starts


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now.

    Attributes:
        due: the instants to start, oldest first.
        missed: how many instants are passed over; counted up to 1,000.
        next_due: the next instant, None when the series has ended.
        is_set_back: the clock was set back, so the next instant is earlier than it was.
    """

    due: tuple[datetime, ...]
    missed: int
    next_due: datetime | None
    is_set_back: bool = False


def make_plan(timing: Timing, next_due: datetime | None, now: datetime) -> Plan:
    """Decide about everything from `next_due`, the first instant not yet handled, up to `now`."""
    trigger = timing.trigger
    natural = trigger.next_after(now)
    if next_due is None or (natural is not None and next_due > natural):
        return Plan((), 0, natural, is_set_back=natural is not None)
    latest = _latest_startable(timing, next_due, now)
    if latest is None:
        return Plan((), 0, next_due)
    is_on_time = now - timing.start_of(latest) <= GRACE
    if timing.catch_up == "all":
        due = _walk_back(timing, next_due, latest)
    elif timing.catch_up == "last" or is_on_time:
        due = (latest,)
    else:
        due = ()
    first_kept = due[0] if due else latest + _MICROSECOND
    return Plan(due, _count(trigger, next_due, first_kept), trigger.next_after(latest))


def _latest_startable(timing: Timing, next_due: datetime, now: datetime) -> datetime | None:
    latest = timing.trigger.last_before(now)
    if latest is not None and timing.start_of(latest) > now:
        latest = timing.trigger.last_before(latest - _MICROSECOND)
    return latest if latest is not None and latest >= next_due else None


def _walk_back(timing: Timing, next_due: datetime, latest: datetime) -> tuple[datetime, ...]:
    found: list[datetime] = []
    due: datetime | None = latest
    while due is not None and due >= next_due and len(found) < timing.catch_up_limit:
        found.append(due)
        due = timing.trigger.last_before(due - _MICROSECOND)
    return tuple(reversed(found))


def _count(trigger: Trigger, start: datetime, end: datetime) -> int:
    """Count the instants from `start`, itself one, to before `end`."""
    count = 0
    due: datetime | None = start
    while due is not None and due < end and count < _MOST_COUNTED:
        count += 1
        due = trigger.next_after(due)
    return count
