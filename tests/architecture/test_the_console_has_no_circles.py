"""Files of the console import each other in one direction, types included: each can be read without what uses it."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from architecture.sources import ROOT

SOURCES = ROOT / "ui" / "src"
ENDINGS = ("", ".ts", ".tsx", "/index.ts", "/index.tsx")
IMPORT = re.compile(r'^(?:import|export)\b[^;]*?from "([^"]+)";', re.MULTILINE)


def imported(file: Path) -> set[str]:
    """Give the files of the console that a file imports, but not those that it loads later."""
    found = set()
    for target in IMPORT.findall(file.read_text()):
        if target.startswith("@/"):
            path = SOURCES / target.removeprefix("@/")
        elif target.startswith("."):
            path = file.parent / target
        else:
            continue
        found |= {str(one.resolve()) for ending in ENDINGS if (one := Path(f"{path}{ending}")).is_file()}
    return found


def test_no_file_of_the_console_imports_itself_by_way_of_others():
    files = [*SOURCES.rglob("*.ts"), *SOURCES.rglob("*.tsx")]
    graph = {str(file.resolve()): imported(file) for file in files}
    assert sum(map(len, graph.values())) > len(files)  # else the pattern reads nothing
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" < ".join(str(Path(one).relative_to(SOURCES)) for one in error.args[1])) from None
