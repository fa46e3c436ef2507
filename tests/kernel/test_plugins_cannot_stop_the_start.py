"""Plugins are found by entry points; a broken one is named and left out."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, PathDistribution

import pytest

from holdfast.kernel.plugins import load_plugins

GROUP = "holdfast.test_things"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with one good plugin and three broken ones."""
    info = tmp_path / "acme_things-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-things\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\ngood = acme_things:GOOD\nabsent = acme_gone:X\nraises = acme_raises:X\nwrong = acme_things:WRONG\n"
    )
    (tmp_path / "acme_things.py").write_text("GOOD = 'fine'\nWRONG = 7\n")
    (tmp_path / "acme_raises.py").write_text("raise ZeroDivisionError('at import')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield PathDistribution(info)
    for name in ("acme_things", "acme_raises"):
        sys.modules.pop(name, None)


def accept_text(value):
    if not isinstance(value, str):
        raise TypeError("a thing must be text")
    return value


def test_a_good_plugin_comes_with_its_package_and_version(package):
    plugins = load_plugins(GROUP, accept_text)
    assert plugins.values() == {"good": "fine"}
    assert (plugins.loaded[0].package, plugins.loaded[0].version) == ("acme-things", "1.2")


def test_broken_plugins_are_named_with_the_reason(package):
    faults = {fault.name: str(fault) for fault in load_plugins(GROUP, accept_text).faults}
    assert sorted(faults) == ["absent", "raises", "wrong"]
    assert "acme-things 1.2" in faults["absent"]
    assert "No module named" in faults["absent"]
    assert "ZeroDivisionError: at import" in faults["raises"]
    assert "a thing must be text" in faults["wrong"]


def test_two_plugins_of_one_name_are_both_refused():
    twice = [EntryPoint("same", "json:dumps", GROUP), EntryPoint("same", "json:loads", GROUP)]
    plugins = load_plugins(GROUP, accept_text, found=twice)
    assert plugins.loaded == ()
    assert [fault.message for fault in plugins.faults] == ["2 plugins have this name; uninstall all but one"] * 2


def test_an_empty_group_is_no_fault():
    assert load_plugins("holdfast.nobody", accept_text).faults == ()
