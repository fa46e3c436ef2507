"""What has changed on the map: edges that are new or gone, and edges whose rate, errors or durations moved.

A change is told where chance does not explain it and it is large enough to matter; every bound stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.telemetry.traces.statistics import Edge, Rates, ServiceMap

FAILING: Final = 0.05  # of the calls, from which an edge is failing
LEAST_CALLS: Final = 20  # on either side, for rates and durations
LEAST_ERRORS: Final = 2
RATE: Final = 1.5
SLOWER: Final = 1.25  # of p95
LEAST_MS: Final = 1.0
LEAST_SHARE: Final = 0.005  # of the calls, by which errors must have moved
SIGMAS: Final = 3.0


class Change(StrEnum):
    """How an edge differs from before."""

    NEW = "new"
    GONE = "gone"
    BUSIER = "busier"
    QUIETER = "quieter"
    MORE_ERRORS = "more_errors"
    FEWER_ERRORS = "fewer_errors"
    SLOWER = "slower"
    FASTER = "faster"


class EdgeState(StrEnum):
    """How an edge fares: `failing` by its errors, `worse` than before, `fine`, or `gone`."""

    FAILING = "failing"
    WORSE = "worse"
    FINE = "fine"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class EdgeDrift:
    """An edge now and before; a gone edge has the rates of before in `before` and no calls now."""

    edge: Edge
    before: Rates | None
    changes: Sequence[Change]
    state: EdgeState


@dataclass(frozen=True, slots=True)
class Drift:
    """Edges with their changes; without `is_compared` there were no spans before, and nothing is called new."""

    edges: Sequence[EdgeDrift]
    is_compared: bool


def find_drift(now: ServiceMap, before: ServiceMap | None) -> Drift:
    """Compare the map of a time with that of an earlier time of the same length."""
    is_compared = before is not None and bool(before.services)
    earlier = {_key(edge): edge for edge in before.edges} if before is not None else {}
    edges = []
    for edge in now.edges:
        old = earlier.pop(_key(edge), None)
        changes = ([Change.NEW] if old is None else _changes(edge.rates, old.rates)) if is_compared else []
        edges.append(EdgeDrift(edge, old.rates if old else None, changes, _state(edge.rates, changes)))
    edges += [EdgeDrift(old.idle(), old.rates, [Change.GONE], EdgeState.GONE) for old in earlier.values()]
    return Drift(edges, is_compared)


def _key(edge: Edge) -> tuple[str, str, str]:
    return edge.source, edge.target, edge.connection


def _state(rates: Rates, changes: Sequence[Change]) -> EdgeState:
    if rates.errors >= LEAST_ERRORS and rates.errors >= FAILING * rates.calls:
        return EdgeState.FAILING
    is_worse = Change.MORE_ERRORS in changes or Change.SLOWER in changes
    return EdgeState.WORSE if is_worse else EdgeState.FINE


def _changes(now: Rates, before: Rates) -> list[Change]:
    found = [_rate(now.calls, before.calls), _errors(now, before), _duration(now, before)]
    return [change for change in found if change is not None]


def _rate(now: float, before: float) -> Change | None:
    if max(now, before) < LEAST_CALLS or abs(now - before) <= SIGMAS * sqrt(now + before):
        return None
    if now >= RATE * before:
        return Change.BUSIER
    return Change.QUIETER if before >= RATE * now else None


def _errors(now: Rates, before: Rates) -> Change | None:
    if not now.calls or not before.calls or max(now.errors, before.errors) < LEAST_ERRORS:
        return None
    ours, theirs = now.errors / now.calls, before.errors / before.calls
    both = (now.errors + before.errors) / (now.calls + before.calls)
    spread = sqrt(both * (1 - both) * (1 / now.calls + 1 / before.calls))
    if abs(ours - theirs) < LEAST_SHARE or abs(ours - theirs) <= SIGMAS * spread:
        return None
    return Change.MORE_ERRORS if ours > theirs else Change.FEWER_ERRORS


def _duration(now: Rates, before: Rates) -> Change | None:
    if min(now.calls, before.calls) < LEAST_CALLS or now.p95_ms is None or before.p95_ms is None:
        return None
    if abs(now.p95_ms - before.p95_ms) < LEAST_MS:
        return None
    if now.p95_ms >= SLOWER * before.p95_ms:
        return Change.SLOWER
    return Change.FASTER if before.p95_ms >= SLOWER * now.p95_ms else None
