"""Kinds of checks, ours and those of plugins."""

from __future__ import annotations

from importlib.metadata import EntryPoint

from holdfast.health.heartbeats import HEARTBEAT
from holdfast.health.kinds import KINDS, find_kinds
from holdfast.health.probes import ENTRY_POINT_GROUP, ProbeKind
from holdfast.health.probes import KINDS as ASKING

ODD = ProbeKind("odd", dict, lambda _: object())
TCP_AGAIN = ProbeKind("tcp", dict, lambda _: object())


def point(name: str) -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{name}", ENTRY_POINT_GROUP)


def test_the_heartbeat_stands_beside_the_kinds_that_ask():
    assert set(KINDS) == {*ASKING, "heartbeat"}
    assert KINDS["heartbeat"] is HEARTBEAT


def test_a_plugin_adds_a_kind_and_cannot_replace_one():
    found = find_kinds(found=[point("ODD"), point("TCP_AGAIN"), point("HEARTBEAT"), point("nothing")])
    assert set(found.kinds) == {*KINDS, "odd"}
    assert found.kinds["tcp"] is KINDS["tcp"]
    assert len(found.faults) == 3
    assert any("there is a kind 'tcp' already" in fault for fault in found.faults)
