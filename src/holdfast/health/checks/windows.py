"""Maintenance windows: when planned work makes a check's verdict expected. They hide nothing and stop no check.

A window only knows times and which checks it covers; what maintenance means for uptime is the engine's decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from holdfast.health.checks.check import Check
from holdfast.kernel.ids import ServiceId
from holdfast.kernel.schedule import Cron


@dataclass(frozen=True, slots=True)
class Selector:
    """Which checks: those named, those of the named services, those with all the labels; all three widen it."""

    checks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def covers(self, check: Check, services: frozenset[ServiceId] = frozenset()) -> bool:
        """Tell whether `check` is meant; `services` are those that it attaches to by its selector."""
        return (
            check.name in self.checks
            or (check.service or "") in self.services
            or not services.isdisjoint(self.services)
            or (bool(self.labels) and self.labels.items() <= check.labels.items())
        )

    def is_empty(self) -> bool:
        """Tell whether it can mean no check at all."""
        return not (self.checks or self.services or self.labels)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, from `start` up to but not including `end`; aware, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Once:
    """A window that happens one time."""

    period: Period

    def at(self, moment: datetime) -> Period | None:
        """Give the period that holds `moment`."""
        return self.period if self.period.start <= moment < self.period.end else None

    def next_start(self, moment: datetime) -> datetime | None:
        """Give the first start after `moment`."""
        return self.period.start if self.period.start > moment else None


@dataclass(frozen=True, slots=True)
class Recurring:
    """A window that opens at every match of a cron expression and stays open for `duration`, elapsed time."""

    cron: Cron
    duration: timedelta

    def at(self, moment: datetime) -> Period | None:
        """Give the period that holds `moment`; where periods overlap, the latest."""
        start = self.cron.last_before(moment)
        return Period(start, start + self.duration) if start is not None and moment < start + self.duration else None

    def next_start(self, moment: datetime) -> datetime | None:
        """Give the first start after `moment`."""
        return self.cron.next_after(moment)


@dataclass(frozen=True, slots=True)
class Window:
    """A named maintenance window. `id` is its name when it comes from a file, a UUID when a person made it."""

    id: str
    name: str
    selector: Selector
    when: Once | Recurring
    reason: str = ""
