"""When each check is due: a heap of times on fixed grids, evenly spread, that never drift.

It knows names and seconds only; running what is due is the engine's work.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass
from typing import Final

# Multiples of the golden ratio, modulo 1, stay even however many there will be (Knuth, TAOCP 3, 6.4).
_GOLDEN: Final = 0.618033988749895
FIRST_RUN_WITHIN_S: Final = 10.0
_JITTER: Final = 0.02
_MAX_JITTER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Due:
    """A check whose time has come. `missed` are the earlier times on its grid that passed unused."""

    name: str
    at_s: float
    missed: int


@dataclass(slots=True)
class _Slot:
    """The grid of one check; `turn` is the next point on it that has not been used."""

    every_s: float
    anchor_s: float
    turn: int
    due_s: float
    token: int


class Agenda:
    """The times of all checks, in seconds of one monotonic clock.

    A check runs on a grid of its own: `anchor + n * every`, so that a late run does not move the next one. Anchors are
    spread evenly over the period. Each run is put off by up to 2 % of the period (at most 1 s), so that it does
    not beat in time with what it watches. The first run comes within 10 s, however long the period.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - spreads load, guards nothing
        self._slots: dict[str, _Slot] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._tokens = itertools.count()
        self._spread: dict[float, int] = {}

    def __len__(self) -> int:
        """Count the checks on the agenda."""
        return len(self._slots)

    def put(self, name: str, every_s: float, now_s: float) -> None:
        """Begin to run `name` every `every_s` seconds; a check with the same period keeps its times."""
        slot = self._slots.get(name)
        if slot is not None and slot.every_s == every_s:
            return
        turn = self._spread.get(every_s, 0)
        self._spread[every_s] = turn + 1
        fraction = turn * _GOLDEN % 1.0
        first_s = now_s + fraction * min(every_s, FIRST_RUN_WITHIN_S)
        anchor_s = now_s + fraction * every_s
        is_too_close = first_s < anchor_s < first_s + every_s / 2
        self._slots[name] = slot = _Slot(every_s, anchor_s, int(is_too_close), first_s, 0)
        self._push(name, slot, first_s)

    def drop(self, name: str) -> None:
        """Forget `name`."""
        self._slots.pop(name, None)

    def hasten(self, name: str, at_s: float) -> None:
        """Let `name` run at `at_s` too, if that is sooner than its next turn; its grid stays."""
        slot = self._slots.get(name)
        if slot is not None and at_s < slot.due_s:
            self._push(name, slot, at_s)

    def next_s(self) -> float | None:
        """Give the earliest time that is due, or None when the agenda is empty."""
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due_s(self, name: str) -> float | None:
        """Give the next time of `name`."""
        slot = self._slots.get(name)
        return slot.due_s if slot else None

    def take(self, now_s: float) -> list[Due]:
        """Take every check that is due by `now_s`, earliest first, and put each on its next turn after now."""
        taken = []
        while self._heap and self._heap[0][0] <= now_s:
            entry = heapq.heappop(self._heap)
            if self._is_current(entry):
                taken.append(self._advance(entry[2], now_s))
        return taken

    def _advance(self, name: str, now_s: float) -> Due:
        slot = self._slots[name]
        was_due_s = slot.due_s
        turn = max(slot.turn, int((now_s - slot.anchor_s) // slot.every_s) + 1)
        missed = max(0, turn - slot.turn - 1)
        slot.turn = turn
        jitter_s = self._random.random() * min(slot.every_s * _JITTER, _MAX_JITTER_S)
        self._push(name, slot, slot.anchor_s + turn * slot.every_s + jitter_s)
        return Due(name, was_due_s, missed)

    def _push(self, name: str, slot: _Slot, at_s: float) -> None:
        slot.due_s = at_s
        slot.token = next(self._tokens)
        heapq.heappush(self._heap, (at_s, slot.token, name))

    def _is_current(self, entry: tuple[float, int, str]) -> bool:
        slot = self._slots.get(entry[2])
        return slot is not None and slot.token == entry[1]
