"""The door: everything it offers is there, loads nothing before it is asked for, and types see the same."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys

import pytest

import holdfast.resilience


def declared_homes():
    """Give what the door imports for type checkers, by module."""
    tree = ast.parse(inspect.getsource(holdfast.resilience))
    return {
        node.module.rpartition(".")[2]: {alias.name for alias in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("holdfast.")
    }


def test_types_and_run_time_see_the_same_door():
    homes = {home: set(names.split()) for home, names in holdfast.resilience._HOMES.items()}
    assert homes == declared_homes()
    assert set().union(*homes.values()) == set(holdfast.resilience.__all__)


@pytest.mark.parametrize("name", holdfast.resilience.__all__)
def test_everything_offered_is_there(name):
    assert getattr(holdfast.resilience, name) is not None


def test_what_is_not_offered_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'rety'"):
        holdfast.resilience.rety  # noqa: B018 -- the access is the test


def test_importing_loads_no_pattern_before_one_is_asked_for():
    code = (
        "import sys, holdfast.resilience as r;"
        "before = {n for n in sys.modules if n.startswith('holdfast.resilience.')};"
        "r.retry; after = {n.rpartition('.')[2] for n in sys.modules if n.startswith('holdfast.resilience.')};"
        "print(len(before), 'retries' in after, 'breakers' in after, 'caches' in after)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == ["0", "True", "False", "False"]
