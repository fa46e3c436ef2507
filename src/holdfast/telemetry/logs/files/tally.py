"""What is counted while files are read: plain counters that processes add up; each is bounded."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.logs.files.blocks import PARTS
from holdfast.telemetry.logs.level_words import Level
from holdfast.telemetry.logs.patterns import ClusterTree, mask

MOST_VALUES: Final = 200_000  # of a counter of values; beyond twice that, the rare ones are counted together
MOST_PATTERNS: Final = 2_000
MOST_PATHS: Final = 2_000
OTHERS: Final = "(others)"
_RATIO: Final = 1.02  # between two bins of durations
_LEAST_S: Final = 1e-6
BINS: Final = 1200
_LEVELS: Final = frozenset(Level)
BAD: Final = frozenset({"error", "critical", "fatal"})


@dataclass(slots=True)
class Durations:
    """Seconds in bins two percent apart."""

    bins: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    longest_s: float = 0.0

    def add(self, seconds: npt.NDArray[np.float64]) -> None:
        """Take durations; what is none (negative, infinite) is passed over."""
        good = seconds[np.isfinite(seconds) & (seconds >= 0)]
        if len(good):
            self.add_bins(np.bincount(bins_of(good), minlength=BINS), float(good.max()))

    def add_bins(self, counts: npt.NDArray[np.int64], longest_s: float) -> None:
        """Take durations that are counted already."""
        self.bins += counts
        self.longest_s = max(self.longest_s, longest_s)

    def merge(self, other: Durations) -> None:
        """Add another's."""
        self.bins += other.bins
        self.longest_s = max(self.longest_s, other.longest_s)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.bins.sum())

    def quantile(self, share: float) -> float:
        """Give the seconds below which a share of them lies, to one percent."""
        if not self.count:
            return math.nan
        place = int(np.searchsorted(np.cumsum(self.bins), share * self.count))
        return float(min(_LEAST_S * _RATIO ** (place + 0.5), self.longest_s))


def bins_of(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Give the bin of each duration."""
    logs = np.log(np.maximum(seconds, _LEAST_S) / _LEAST_S) / math.log(_RATIO)
    return np.clip(logs.astype(np.int64), 0, BINS - 1)


@dataclass(slots=True)
class PathTally:
    """Requests to one path, ids in it masked."""

    requests: int = 0
    errors: int = 0
    durations: Durations = field(default_factory=Durations)


@dataclass(slots=True)
class PatternTally:
    """Records of one pattern, by the part of the input in which they stand."""

    text: str
    sample: str
    level: str
    parts: list[int] = field(default_factory=lambda: [0] * PARTS)
    is_exact: bool = False

    @property
    def records(self) -> int:
        """In all parts."""
        return sum(self.parts)


class PatternBook:
    """The patterns of what one process reads, and of all together in the end."""

    def __init__(self) -> None:
        self._trees: dict[str, ClusterTree] = {}  # by level: what differs in its level is no one pattern
        self.rows: dict[int, PatternTally] = {}
        self.others = 0

    def find(self, line: str, level: str, *, masked: str | None = None) -> int:
        """Give the number of a line's pattern."""
        known = level if level in _LEVELS else ""
        tree = self._trees.get(known) or self._trees.setdefault(known, ClusterTree(known, MOST_PATTERNS))
        cluster, _ = tree.add(mask(line) if masked is None else masked, line)
        row = self.rows.get(cluster.identity)
        if row is None:
            self.rows[cluster.identity] = PatternTally(cluster.text, line[:500], level)
        else:
            row.text = cluster.text
        return cluster.identity

    def exactly(self, text: str, level: str) -> int:
        """Give the number of a pattern that is alike to no other."""
        number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        self.rows.setdefault(number, PatternTally(text, text, level, is_exact=True))
        return number

    def add(self, number: int, part: int, count: int) -> None:
        """Count records of a pattern."""
        row = self.rows.get(number)
        if row is None:
            self.others += count
        else:
            row.parts[part] += count

    def trim(self) -> None:
        """Forget the rarest once they are too many, and count them together."""
        if len(self.rows) > 4 * MOST_PATTERNS:
            by_count = sorted(self.rows, key=lambda number: -self.rows[number].records)
            for number in by_count[2 * MOST_PATTERNS :]:
                self.others += self.rows.pop(number).records

    def merge(self, rows: Iterable[PatternTally], others: int) -> None:
        """Add another's, patterns that are alike together."""
        self.others += others
        for row in rows:
            exact = row.is_exact
            number = self.exactly(row.text, row.level) if exact else self.find(row.sample, row.level, masked=row.text)
            for part, count in enumerate(row.parts):
                self.add(number, part, count)
        self.trim()


@dataclass(slots=True)
class Tally:
    """All counts of some input. Minutes are of Unix time."""

    lines: int = 0
    records: int = 0
    size: int = 0
    unread: int = 0
    cut: int = 0
    unread_samples: list[str] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    minutes: Counter[int] = field(default_factory=Counter)
    bad_minutes: Counter[int] = field(default_factory=Counter)
    paths: dict[str, PathTally] = field(default_factory=dict)
    durations: Durations = field(default_factory=Durations)
    patterns: list[PatternTally] = field(default_factory=list)
    others: int = 0

    def path(self, name: str) -> PathTally:
        """Give the tally of a path."""
        found = self.paths.get(name)
        if found is None:
            if len(self.paths) >= MOST_PATHS:
                name = OTHERS
            found = self.paths.setdefault(name, PathTally())
        return found

    def refuse(self, line: bytes, count: int = 1) -> None:
        """Count lines that are not of the format."""
        self.unread += count
        if len(self.unread_samples) < 5:
            self.unread_samples.append(line[:200].decode("utf-8", "replace"))

    def trim(self) -> None:
        """Bring counters back to their bounds."""
        for counter in (self.clients, self.exceptions, self.methods):
            trim(counter)

    def merge(self, other: Tally) -> None:
        """Add another's; patterns are merged by a `PatternBook`."""
        for name in ("lines", "records", "size", "unread", "cut"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("levels", "statuses", "clients", "methods", "exceptions", "minutes", "bad_minutes"):
            getattr(self, name).update(getattr(other, name))
        self.unread_samples = (self.unread_samples + other.unread_samples)[:5]
        self.durations.merge(other.durations)
        for name, theirs in other.paths.items():
            mine = self.path(name)
            mine.requests += theirs.requests
            mine.errors += theirs.errors
            mine.durations.merge(theirs.durations)
        self.trim()


def trim(counter: Counter[str]) -> None:
    """Count the rare values together where there are too many."""
    if len(counter) > 2 * MOST_VALUES:
        rare = counter.most_common()[MOST_VALUES:]
        counter[OTHERS] += sum(count for _, count in rare)
        for value, _ in rare:
            if value != OTHERS:
                del counter[value]
