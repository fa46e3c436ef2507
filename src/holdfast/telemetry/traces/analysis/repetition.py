"""Calls that a span makes again and again: one after the other (N+1), or many at once (fan-out)."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.traces.analysis.tree import NO_ROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.telemetry.traces.analysis.tree import Tree

LEAST_IN_TURN: Final = 5
LEAST_AT_ONCE: Final = 10
_IN_TURN: Final = 0.8  # of the calls' time, that no other call of the group ran in
_STATEMENTS: Final = ("db.query.text", "db.statement", "url.path", "http.target", "url.full", "http.url")
VARYING: Final = r"'(?:[^']|'')*'|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b[0-9a-f]{12,}\b|\d+"
_VARYING: Final = re.compile(VARYING, re.IGNORECASE)
_LISTS: Final = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)")


class RepetitionKind(StrEnum):
    """How calls are repeated."""

    N_PLUS_ONE = "n_plus_one"
    FAN_OUT = "fan_out"


@dataclass(frozen=True, slots=True)
class Repetition:
    """The same call, made many times by one span.

    Attributes:
        kind: one after the other, or at once.
        parent: the row of the span that makes the calls.
        service, name: of the calls.
        statement: what they have in common, with `?` where they differ; empty if they say nothing.
        rows: of the calls, by time.
        distinct: how many different statements there are; 1 says that the very same was asked again.
        busy_ns: how long at least one of them ran.
        at_once: how many ran at the same time, at most.
    """

    kind: RepetitionKind
    parent: int
    service: str
    name: str
    statement: str
    rows: Sequence[int]
    distinct: int
    busy_ns: int
    at_once: int


def find_repetitions(tree: Tree) -> list[Repetition]:
    """Give the repeated calls of a trace, those that take longest first."""
    statements = _Statements(tree)
    groups: dict[tuple[int, str, str, str], list[int]] = defaultdict(list)
    for row, parent in _often_named(tree):
        service, name = tree.spans.services[row], tree.spans.names[row]
        groups[parent, service, name, statements.pattern(row)].append(row)
    found = []
    for key, rows in groups.items():
        if len(rows) >= LEAST_IN_TURN and (one := _judge(tree, key, rows, statements)):
            found.append(one)
    return sorted(found, key=lambda each: (-each.busy_ns, each.parent))


def _often_named(tree: Tree) -> Iterator[tuple[int, int]]:
    """Give the rows, with their parents, beside which enough others of their service and name have the same parent."""
    rows = np.flatnonzero(tree.parents != NO_ROW)
    parents = tree.parents[rows]
    names, services = tree.spans.names.distinct(), tree.spans.services.distinct()
    kinds = services.codes[rows].astype(np.int64) * len(names.values) + names.codes[rows]
    _, kinds = np.unique(kinds, return_inverse=True)
    _, places, counts = np.unique(parents * len(rows) + kinds, return_inverse=True, return_counts=True)
    chosen = np.flatnonzero(counts[places] >= LEAST_IN_TURN)
    chosen = chosen[np.argsort(parents[chosen], kind="stable")]
    return zip(rows[chosen].tolist(), parents[chosen].tolist(), strict=True)


def generalise(statement: str) -> str:
    """Give a statement or path with `?` for numbers, texts and ids, so that those of one kind read the same."""
    return _LISTS.sub("(?)", _VARYING.sub("?", statement))


class _Statements:
    """What calls say, each different text generalised once."""

    def __init__(self, tree: Tree) -> None:
        self._pairs = tree.spans.attributes
        self._codes = self._pairs.first_of(_STATEMENTS)
        self._patterns: dict[int, str] = {NO_ROW: ""}

    def text(self, row: int) -> str:
        """Give the statement of a row; empty if it has none."""
        place = int(self._codes[row])
        return "" if place == NO_ROW else str(self._pairs.value(place))

    def pattern(self, row: int) -> str:
        """Give the statement with `?` for what varies."""
        place = int(self._codes[row])
        if place not in self._patterns:
            self._patterns[place] = generalise(self.text(row))
        return self._patterns[place]


def _judge(tree: Tree, key: tuple[int, str, str, str], rows: list[int], statements: _Statements) -> Repetition | None:
    starts, ends = tree.starts_ns[rows], tree.ends_ns[rows]
    busy, at_once = _overlap(list(zip(starts.tolist(), ends.tolist(), strict=True)))
    total = int((ends - starts).sum())
    is_in_turn = busy >= _IN_TURN * total
    if not is_in_turn and (len(rows) < LEAST_AT_ONCE or at_once < LEAST_IN_TURN):
        return None
    kind = RepetitionKind.N_PLUS_ONE if is_in_turn else RepetitionKind.FAN_OUT
    distinct = len({statements.text(row) for row in rows})
    return Repetition(kind, *key, rows, distinct, busy, at_once)


def _overlap(times: list[tuple[int, int]]) -> tuple[int, int]:
    """Give how long at least one ran, and how many ran at once at most."""
    edges = sorted([(start, 1) for start, _ in times] + [(end, -1) for _, end in times])
    busy = most = running = since = 0
    for at, step in edges:
        if running == 0:
            since = at
        running += step
        most = max(most, running)
        if running == 0:
            busy += at - since
    return busy, most
