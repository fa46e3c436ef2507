"""Edges that are new, gone or worse are told; what chance explains is not."""

from __future__ import annotations

import pytest

from holdfast.telemetry.traces.findings import Change, EdgeState, find_drift
from holdfast.telemetry.traces.statistics import Edge, Rates, ServiceMap, ServiceRates


def rates(calls: float = 1000, errors: float = 0, p95: float = 10) -> Rates:
    return Rates(calls, errors, p95 / 2, p95, p95 * 2)


def map_of(*edges: Edge) -> ServiceMap:
    return ServiceMap([ServiceRates("shop", 1, rates())], list(edges), 1)


def drift(now: Rates, before: Rates):
    (edge,) = find_drift(map_of(Edge("shop", "cart", "call", now)), map_of(Edge("shop", "cart", "call", before))).edges
    return list(edge.changes), edge.state


def test_new_and_gone_edges_are_told():
    found = find_drift(map_of(Edge("shop", "cart", "call", rates())), map_of(Edge("shop", "bank", "call", rates())))
    new, gone = found.edges
    assert (new.edge.target, new.changes, new.before, new.state) == ("cart", [Change.NEW], None, EdgeState.FINE)
    assert (gone.edge.target, gone.changes, gone.state) == ("bank", [Change.GONE], EdgeState.GONE)
    assert (gone.edge.rates.calls, gone.before) == (0, rates())


def test_without_spans_before_nothing_is_new():
    found = find_drift(map_of(Edge("shop", "cart", "call", rates())), ServiceMap([], [], 1))
    assert not found.is_compared
    assert [list(edge.changes) for edge in found.edges] == [[]]
    assert not find_drift(map_of(), None).is_compared


@pytest.mark.parametrize(
    ("now", "before", "changes", "state"),
    [
        (rates(), rates(1050, 0, 11), [], EdgeState.FINE),
        (rates(3000), rates(), [Change.BUSIER], EdgeState.FINE),
        (rates(100), rates(), [Change.QUIETER], EdgeState.FINE),
        (rates(5), rates(2), [], EdgeState.FINE),
        (rates(errors=30), rates(), [Change.MORE_ERRORS], EdgeState.WORSE),
        (rates(errors=100), rates(errors=100), [], EdgeState.FAILING),
        (rates(), rates(errors=100), [Change.FEWER_ERRORS], EdgeState.FINE),
        (rates(errors=1), rates(), [], EdgeState.FINE),
        (rates(p95=20), rates(), [Change.SLOWER], EdgeState.WORSE),
        (rates(p95=5), rates(), [Change.FASTER], EdgeState.FINE),
        (rates(p95=0.9), rates(p95=0.2), [], EdgeState.FINE),
        (rates(calls=10, p95=100), rates(calls=10), [], EdgeState.FINE),
        (rates(3000, 600, 99), rates(), [Change.BUSIER, Change.MORE_ERRORS, Change.SLOWER], EdgeState.FAILING),
    ],
)
def test_rates_errors_and_durations_drift(now, before, changes, state):
    assert drift(now, before) == (changes, state)
