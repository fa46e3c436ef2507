"""Planned maintenance: windows of files and of people, opened and closed in time, kept over restarts.

The calendar itself is `maintenance`; what an open window means for a check is decided in `runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from holdfast.health import events
from holdfast.health.checks import Period, Window
from holdfast.health.engine.ledger import Ledger
from holdfast.health.engine.maintenance import Calendar
from holdfast.health.metrics import HealthMetrics
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConflictError, HoldfastError, NotFoundError


class Upkeep:
    """All maintenance windows. People's windows go once they are over; the event log remembers them."""

    def __init__(
        self, calendar: Calendar, ledger: Ledger, clock: Clock, metrics: HealthMetrics, wake: Callable[[], None]
    ) -> None:
        """Prepare; `wake` is called when the calendar should be turned at once."""
        self._calendar = calendar
        self._ledger = ledger
        self._clock = clock
        self._metrics = metrics
        self._wake = wake
        self._of_files: tuple[Window, ...] = ()
        self._of_people: dict[str, Window] = {}

    @property
    def windows(self) -> tuple[Window, ...]:
        """All windows."""
        return self._calendar.windows

    @property
    def next_change(self) -> datetime | None:
        """When a window opens or closes next."""
        return self._calendar.next_change

    def is_of_people(self, window_id: str) -> bool:
        """Tell whether a person planned it, and so may call it off."""
        return window_id in self._of_people

    def restore(self, of_people: Iterable[Window], open_ids: Iterable[str]) -> None:
        """Go on where the last process stopped."""
        self._of_people = {window.id: window for window in of_people}
        self._calendar.restore(open_ids)
        self._replace()

    def replace(self, of_files: tuple[Window, ...]) -> None:
        """Take over the windows of the files."""
        self._of_files = of_files
        self._replace()

    async def add(self, window: Window, period: Period, by: str) -> None:
        """Plan maintenance for a period; kept over restarts."""
        news = events.window_added(window, period.start.isoformat(), period.end.isoformat(), by)
        await self._ledger.add_window(window, (news,))
        self._of_people[window.id] = window
        self._replace()

    async def remove(self, window_id: str, by: str) -> None:
        """Call a person's maintenance off, or end it.

        Raises:
            NotFoundError: there is no such window.
            ConflictError: it comes from a file.
        """
        window = self._of_people.get(window_id)
        if window is None:
            if any(window_id == known.id for known in self._of_files):
                raise ConflictError(f"the window {window_id!r} comes from a file", hint="remove it there")
            raise NotFoundError(f"there is no maintenance window {window_id!r}")
        await self._ledger.remove_window(window_id, (events.window_removed(window, by),))
        self._of_people.pop(window_id, None)
        self._replace()

    async def turn(self) -> None:
        """Open and close what is due, and tell it."""
        now = self._clock.now()
        if not self._calendar.is_due(now):
            return
        names = {window.id: window.name for window in self.windows}
        turn = self._calendar.turn(now)
        news = [events.window_started(window) for key in turn.opened if (window := self._calendar.get(key))]
        news += [events.window_ended(key, names.get(key, key)) for key in turn.closed]
        try:
            if news:
                await self._ledger.save_turn(dict.fromkeys(turn.opened, now), turn.closed, tuple(news))
            await self._forget_past(now)
        except HoldfastError:
            self._metrics.uncommitted.inc()

    async def _forget_past(self, now: datetime) -> None:
        past = [
            window.id
            for window in self._of_people.values()
            if window.when.at(now) is None and window.when.next_start(now) is None
        ]
        for window_id in past:
            await self._ledger.remove_window(window_id, ())
            self._of_people.pop(window_id, None)
        if past:
            self._calendar.replace((*self._of_files, *self._of_people.values()))

    def _replace(self) -> None:
        self._calendar.replace((*self._of_files, *self._of_people.values()))
        self._wake()
