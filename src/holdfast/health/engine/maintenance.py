"""Which maintenance windows are open, kept current with few looks at the calendar.

It tells when windows open and close; writing that down and sparing uptime is the engine's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from holdfast.health.checks import Check, Window
from holdfast.kernel.ids import ServiceId

ServicesOf = Callable[[Check], frozenset[ServiceId]]


@dataclass(frozen=True, slots=True)
class Turn:
    """What opened and closed, as ids; a window that is gone closes too."""

    opened: tuple[str, ...]
    closed: tuple[str, ...]


class Calendar:
    """The windows of files and of people, and which of them are open now."""

    def __init__(self, services_of: ServicesOf) -> None:
        self._services_of = services_of
        self._windows: dict[str, Window] = {}
        self._open: set[str] = set()
        self._next_change: datetime | None = None
        self._is_new = True

    @property
    def windows(self) -> tuple[Window, ...]:
        """All windows, past ones too."""
        return tuple(self._windows.values())

    @property
    def next_change(self) -> datetime | None:
        """When a window opens or closes next."""
        return self._next_change

    def get(self, window_id: str) -> Window | None:
        """Give one window."""
        return self._windows.get(window_id)

    def restore(self, open_ids: Iterable[str]) -> None:
        """Remember which windows were open before the restart, so that they do not open twice."""
        self._open = set(open_ids)
        self._is_new = True

    def replace(self, windows: Iterable[Window]) -> None:
        """Take over a new set; it counts from the next `turn`."""
        self._windows = {window.id: window for window in windows}
        self._is_new = True

    def is_due(self, now: datetime) -> bool:
        """Tell whether `turn` has anything to do."""
        return self._is_new or (self._next_change is not None and now >= self._next_change)

    def turn(self, now: datetime) -> Turn:
        """Open and close what is due."""
        periods = {key: window.when.at(now) for key, window in self._windows.items()}
        is_open = {key for key, period in periods.items() if period is not None}
        turn = Turn(tuple(sorted(is_open - self._open)), tuple(sorted(self._open - is_open)))
        edges = [period.end for period in periods.values() if period is not None]
        edges += [start for window in self.windows if (start := window.when.next_start(now)) is not None]
        self._open, self._next_change, self._is_new = is_open, min(edges, default=None), False
        return turn

    def covering(self, check: Check) -> Window | None:
        """Give the first open window that covers `check`."""
        if not self._open:
            return None
        services = self._services_of(check)
        windows = (self._windows[key] for key in self._open if key in self._windows)
        return next((window for window in windows if window.selector.covers(check, services)), None)
