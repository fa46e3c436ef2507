"""Lazy doors offer at run time what types see, and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect

import pytest

LAZY = (
    "health",
    "health.host",
    "kernel.sql",
    "telemetry",
    "telemetry.logs",
    "telemetry.logs.patterns",
    "telemetry.logs.pipeline",
    "telemetry.metrics",
    "telemetry.metrics.transfer",
)


@pytest.mark.parametrize("name", LAZY)
def test_types_and_run_time_see_the_same_door(name):
    door = importlib.import_module(f"holdfast.{name}")
    declared = {
        (node.module.removeprefix(f"{door.__name__}."), alias.asname or alias.name, alias.name)
        for node in ast.walk(ast.parse(inspect.getsource(door)))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{door.__name__}.")
        for alias in node.names
    }
    homes = {
        (home, offered, inner or offered)
        for home, names in door._HOMES.items()
        for offered, _, inner in (each.partition("=") for each in names.split())
    }
    assert homes == declared
    assert {offered for _, offered, _ in homes} == set(door.__all__)
    assert all(getattr(door, each) is not None for each in door.__all__)


def test_what_is_not_offered_is_an_attribute_error():
    telemetry = importlib.import_module("holdfast.telemetry")
    with pytest.raises(AttributeError, match=r"'holdfast\.telemetry' has no attribute 'wier'"):
        telemetry.wier  # noqa: B018 -- the access is the test
