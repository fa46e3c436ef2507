"""Calls that a span makes again and again: one after the other (N+1), or many at once (fan-out)."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.traces.analysis.tree import Tree
    from holdfast.telemetry.traces.spans import Span

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
    found = []
    for parent, children in enumerate(tree.children):
        if len(children) < LEAST_IN_TURN:
            continue
        groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for child in children:
            span = tree.spans[child]
            groups[span.service, span.name, generalise(_statement(span))].append(child)
        for key, rows in groups.items():
            if len(rows) >= LEAST_IN_TURN and (one := _judge(tree, parent, key, rows)):
                found.append(one)
    return sorted(found, key=lambda each: (-each.busy_ns, each.parent))


def generalise(statement: str) -> str:
    """Give a statement or path with `?` for numbers, texts and ids, so that those of one kind read the same."""
    return _LISTS.sub("(?)", _VARYING.sub("?", statement))


def _statement(span: Span) -> str:
    return next((str(span.attributes[name]) for name in _STATEMENTS if name in span.attributes), "")


def _judge(tree: Tree, parent: int, key: tuple[str, str, str], rows: list[int]) -> Repetition | None:
    times = [(tree.starts_ns[row], tree.ends_ns[row]) for row in rows]
    busy, at_once = _overlap(times)
    total = sum(end - start for start, end in times)
    is_in_turn = busy >= _IN_TURN * total
    if not is_in_turn and (len(rows) < LEAST_AT_ONCE or at_once < LEAST_IN_TURN):
        return None
    kind = RepetitionKind.N_PLUS_ONE if is_in_turn else RepetitionKind.FAN_OUT
    distinct = len({_statement(tree.spans[row]) for row in rows})
    return Repetition(kind, parent, *key, rows, distinct, busy, at_once)


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
