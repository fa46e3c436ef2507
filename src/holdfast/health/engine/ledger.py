"""The port behind which verdicts, pauses and open windows survive a restart, and its shipped in-memory twin.

The adapter over SQL is `sqlledger`; what a transition means is decided in `runs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from holdfast.health.checks import Window
from holdfast.health.engine.watches import Saved
from holdfast.kernel.events import NewEvent


@dataclass(frozen=True, slots=True)
class Memory:
    """All that survived."""

    states: Mapping[str, Saved] = field(default_factory=dict)
    open_windows: frozenset[str] = frozenset()
    windows: tuple[Window, ...] = ()


class Ledger(Protocol):
    """Where state is kept; each call commits its state together with its events, or raises a HoldfastError."""

    async def recall(self) -> Memory:
        """Give what was kept."""
        ...

    async def save_state(self, check: str, saved: Saved, events: tuple[NewEvent, ...]) -> None:
        """Keep the state of one check."""
        ...

    async def save_turn(
        self, opened: Mapping[str, datetime], closed: tuple[str, ...], events: tuple[NewEvent, ...]
    ) -> None:
        """Keep which windows are open now."""
        ...

    async def add_window(self, window: Window, events: tuple[NewEvent, ...]) -> None:
        """Keep a window that a person made."""
        ...

    async def remove_window(self, window_id: str, events: tuple[NewEvent, ...]) -> None:
        """Forget a window that a person made."""
        ...


class MemoryLedger:
    """Keeps everything in the process: for `holdfast check` and for tests of the engine."""

    def __init__(self) -> None:
        self.states: dict[str, Saved] = {}
        self.open_windows: set[str] = set()
        self.windows: dict[str, Window] = {}
        self.events: list[NewEvent] = []

    async def recall(self) -> Memory:
        """Give what was kept."""
        return Memory(dict(self.states), frozenset(self.open_windows), tuple(self.windows.values()))

    async def save_state(self, check: str, saved: Saved, events: tuple[NewEvent, ...]) -> None:
        """Keep the state of one check."""
        self.states[check] = saved
        self.events += events

    async def save_turn(
        self, opened: Mapping[str, datetime], closed: tuple[str, ...], events: tuple[NewEvent, ...]
    ) -> None:
        """Keep which windows are open now."""
        self.open_windows = (self.open_windows | set(opened)) - set(closed)
        self.events += events

    async def add_window(self, window: Window, events: tuple[NewEvent, ...]) -> None:
        """Keep a window that a person made."""
        self.windows[window.id] = window
        self.events += events

    async def remove_window(self, window_id: str, events: tuple[NewEvent, ...]) -> None:
        """Forget a window that a person made."""
        self.windows.pop(window_id, None)
        self.events += events
