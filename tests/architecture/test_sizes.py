"""Files, functions and parameter lists stay small enough to be read at one sitting."""

from __future__ import annotations

import ast
import subprocess
import tomllib

import pytest

from architecture.sources import ROOT, all_modules

MOST_FILE_LINES = 400
MOST_TEST_FILE_LINES = 500
MOST_FUNCTION_LINES = 60
MOST_POSITIONAL_PARAMETERS = 6

LEDGER = "tests/architecture/ledger.toml"


def count_lines(function):
    """Count a function's lines without its docstring and decorators."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= first.end_lineno - first.lineno + 1
    return lines


def count_positional(function):
    """Count the parameters that may be given by position, without self and cls."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def measure_excesses():
    """Map each place that is over a limit to its measure."""
    excesses = {}
    for module in all_modules():
        is_test = module.place.startswith("tests/") or "/tests/" in module.place
        if len(module.lines) > (MOST_TEST_FILE_LINES if is_test else MOST_FILE_LINES):
            excesses[module.place] = len(module.lines)
        for function in module.functions():
            where = f"{module.place}::{function.name}"
            if count_lines(function) > MOST_FUNCTION_LINES:
                excesses[where] = count_lines(function)
            if not is_test and count_positional(function) > MOST_POSITIONAL_PARAMETERS:
                excesses[where] = count_positional(function)
    return excesses


def read_ledger(text):
    return {place: entry["measure"] for place, entry in tomllib.loads(text).items()}


def test_everything_over_a_limit_stands_in_the_ledger_with_its_measure():
    assert measure_excesses() == read_ledger((ROOT / LEDGER).read_text())


def test_every_entry_of_the_ledger_has_a_reason():
    for place, entry in tomllib.loads((ROOT / LEDGER).read_text()).items():
        assert set(entry) == {"measure", "reason"}, place
        assert len(entry["reason"].split()) >= 3, place


def test_the_ledger_only_shrinks():
    log = subprocess.run(
        ["git", "log", "--format=%H", "-n", "20", "--", LEDGER], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if log.returncode or not log.stdout.strip():
        pytest.skip("the ledger has no history here")
    now = read_ledger((ROOT / LEDGER).read_text())
    for commit in log.stdout.split():
        shown = subprocess.run(
            ["git", "show", f"{commit}:{LEDGER}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        before = read_ledger(shown.stdout)
        grown = {place for place, measure in now.items() if measure > before.get(place, 0)}
        assert not grown, f"compared with {commit[:10]}: make these smaller instead"
        now = before
