"""Files are named by what they are about, and each says so at its top."""

from __future__ import annotations

import ast

from architecture.sources import ROOT, all_modules, tracked_files

EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "core", "misc"}
OURS = ("src/", "tests/", "examples/", "benchmarks/", "ui/src/")
MOST_DOCSTRING_LINES = 6


def test_no_file_has_a_name_that_says_nothing():
    places = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    empty = [
        place
        for place in places
        if place.startswith(OURS) and EMPTY_WORDS & {part.split(".")[0].lower() for part in place.split("/")}
    ]
    assert not empty, "\n".join(empty)


def test_every_module_says_in_one_to_six_lines_why_it_exists():
    faults = []
    for module in all_modules():
        docstring = ast.get_docstring(module.tree, clean=False) or ""
        is_test = "tests/" in module.place  # a test says it in its name
        if len(docstring.strip().splitlines()) > MOST_DOCSTRING_LINES:
            faults.append(f"{module.place}: more than {MOST_DOCSTRING_LINES} lines")
        if not docstring.strip() and module.text.strip() and not is_test:
            faults.append(f"{module.place}: none")
    assert not faults, "\n".join(faults)
