"""How long a service was what: its turns from one verdict to another, and the times at which anybody watched.

Seconds that nobody watched, and those under maintenance, are known to be nothing: they lower the coverage, not the
uptime. All times here are seconds since 1970; nothing here reads a clock or a database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from holdfast.health.verdict import Verdict, worst

MAX_TURNS: Final = 5000  # of one service in memory; beyond it the oldest count as not known


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """From `at_s` on, this was the verdict; `is_spared` says that maintenance kept it from counting."""

    at_s: float
    verdict: Verdict
    is_spared: bool = False

    @property
    def counted(self) -> Verdict:
        """What it counts as for uptime."""
        return Verdict.UNKNOWN if self.is_spared else self.verdict


class WatchedTime:
    """The stretches at which some process watched; asks for the seconds of them between two instants."""

    def __init__(self, spans: Iterable[tuple[float, float]] = ()) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._before: list[float] = []
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            elif end > start:
                total = self._before[-1] + self._ends[-1] - self._starts[-1] if self._ends else 0.0
                self._starts.append(start)
                self._ends.append(end)
                self._before.append(total)

    def until(self, at_s: float) -> float:
        """Give the watched seconds up to an instant."""
        index = bisect_right(self._starts, at_s) - 1
        if index < 0:
            return 0.0
        return self._before[index] + min(at_s, self._ends[index]) - self._starts[index]

    def between(self, start_s: float, end_s: float) -> float:
        """Give the watched seconds of a stretch."""
        return max(0.0, self.until(end_s) - self.until(start_s))


@dataclass(frozen=True, slots=True)
class Uptime:
    """The share of the known time at which a service was usable (up or degraded), and how much time was known.

    `ratio` is None where nothing is known; `coverage` is 0 to 1.
    """

    ratio: float | None
    coverage: float


class Timeline:
    """The turns of one service, oldest first, bounded.

    Beside each turn stand the known and the usable seconds before it, so that an uptime costs two look-ups and no walk;
    the past of `watched` does not change, so they are summed up once.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._times: list[float] = []
        self._known_before: list[float] = []
        self._usable_before: list[float] = []

    @property
    def last(self) -> Turn | None:
        """The turn in force."""
        return self.turns[-1] if self.turns else None

    def add(self, turn: Turn) -> None:
        """Append a turn, not older than the last; the oldest goes when there are too many."""
        self.turns.append(turn)
        self._times.append(turn.at_s)
        self._drop(len(self.turns) - MAX_TURNS)

    def forget_before(self, at_s: float) -> None:
        """Drop turns that no stretch from `at_s` on needs."""
        self._drop(bisect_right(self._times, at_s) - 1)

    def uptime(self, start_s: float, end_s: float, watched: WatchedTime) -> Uptime:
        """Give the uptime between two instants."""
        known_s, usable_s = (
            after - before
            for before, after in zip(self._sums(start_s, watched), self._sums(end_s, watched), strict=True)
        )
        length_s = end_s - start_s
        return Uptime(usable_s / known_s if known_s > 0 else None, known_s / length_s if length_s > 0 else 0.0)

    def seconds(self, start_s: float, end_s: float, watched: WatchedTime) -> dict[Verdict, float]:
        """Give the seconds of each verdict between two instants; they add up to the stretch."""
        total = dict.fromkeys(Verdict, 0.0)
        for verdict, begin_s, finish_s in self._stretches(start_s, end_s):
            known_s = watched.between(begin_s, finish_s)
            total[verdict] += known_s
            total[Verdict.UNKNOWN] += finish_s - begin_s - known_s
        return total

    def strip(self, start_s: float, end_s: float, points: int, watched: WatchedTime) -> list[tuple[float, Verdict]]:
        """Cut a stretch into equal parts; give the beginning of each and the worst verdict that was seen in it."""
        step_s = (end_s - start_s) / points
        edges = [start_s + number * step_s for number in range(points)] + [end_s]
        return [(begin_s, self._worst(begin_s, finish_s, watched)) for begin_s, finish_s in pairwise(edges)]

    def _worst(self, start_s: float, end_s: float, watched: WatchedTime) -> Verdict:
        index = bisect_right(self._times, start_s)
        is_calm = index == len(self._times) or self._times[index] >= end_s
        if is_calm:
            return self.turns[index - 1].counted if index and watched.between(start_s, end_s) > 0 else Verdict.UNKNOWN
        seconds = self.seconds(start_s, end_s, watched)
        return worst(*(verdict for verdict, held_s in seconds.items() if held_s > 0 and verdict is not Verdict.UNKNOWN))

    def _sums(self, at_s: float, watched: WatchedTime) -> tuple[float, float]:
        """Give the known and the usable seconds up to an instant, counted from some instant in the past."""
        self.sum_up(watched)
        index = bisect_right(self._times, at_s) - 1
        if index < 0:
            return (self._known_before[0], self._usable_before[0]) if self.turns else (0.0, 0.0)
        known_s, usable_s = self._weigh(index, at_s, watched)
        return self._known_before[index] + known_s, self._usable_before[index] + usable_s

    def sum_up(self, watched: WatchedTime) -> None:
        """Count the seconds of new turns now rather than when the first answer needs them."""
        for index in range(len(self._known_before), len(self.turns)):
            known_s, usable_s = self._weigh(index - 1, self._times[index], watched) if index else (0.0, 0.0)
            self._known_before.append(known_s + (self._known_before[-1] if index else 0.0))
            self._usable_before.append(usable_s + (self._usable_before[-1] if index else 0.0))

    def _weigh(self, index: int, until_s: float, watched: WatchedTime) -> tuple[float, float]:
        """Give the known and the usable seconds from a turn on."""
        verdict = self.turns[index].counted
        if verdict is Verdict.UNKNOWN:
            return 0.0, 0.0
        known_s = watched.between(self._times[index], until_s)
        return known_s, 0.0 if verdict is Verdict.DOWN else known_s

    def _drop(self, count: int) -> None:
        if count > 0:
            for kept in (self.turns, self._times, self._known_before, self._usable_before):
                del kept[:count]

    def _stretches(self, start_s: float, end_s: float) -> Sequence[tuple[Verdict, float, float]]:
        first = max(0, bisect_right(self._times, start_s) - 1)
        last = bisect_right(self._times, end_s)
        cut = [(Verdict.UNKNOWN, start_s)]
        cut += [(turn.counted, max(start_s, turn.at_s)) for turn in self.turns[first:last]]
        ends = [at_s for _, at_s in cut[1:]] + [end_s]
        return [
            (verdict, begin_s, finish_s)
            for (verdict, begin_s), finish_s in zip(cut, ends, strict=True)
            if finish_s > begin_s
        ]
