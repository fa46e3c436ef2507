"""`ops/workflows/*.py` is imported as a whole or not at all, and what is wrong is told with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.kernel.errors import ConfigError
from holdfast.kernel.runs.loading import Loaded, find_doubles, load_folder

HEAD = "from holdfast.kernel.runs import Queue, Run, Schedule, workflow\n"
GREET = '''
@workflow("greet", version=1)
async def greet(ctx: Run, name: str) -> str:
    """Say hello."""
    return f"hello {name}"
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "workflows").mkdir()
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / "workflows" / name).write_text(text)


def load(folder: Path, before: Loaded | None = None) -> Loaded:
    return load_folder(folder, sorted(folder.glob("workflows/*.py")), before or Loaded())


def names(loaded: Loaded) -> list[str]:
    return [it.name for it, _ in loaded.offer.workflows]


def faults(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [str(problem) for problem in caught.value.problems]


def test_what_stands_at_the_top_of_a_file_is_offered_with_its_place(folder: Path) -> None:
    more = 'line = Queue("line", concurrency=2)\nnightly = Schedule("nightly", "greet", cron="0 3 * * *", input="x")\n'
    write(folder, "greetings.py", HEAD + GREET + more)
    offer = load(folder).offer
    assert [(it.name, place) for it, place in offer.workflows] == [("greet", "workflows/greetings.py")]
    assert [it.name for it, _ in offer.queues] == ["line"]
    assert [it.name for it, _ in offer.schedules] == ["nightly"]


def test_files_that_begin_with_an_underscore_are_there_for_the_others(folder: Path) -> None:
    write(folder, "_words.py", "WORD = 'hello'\n")
    write(folder, "greetings.py", HEAD + "from ._words import WORD\n" + GREET.replace("greet", "WORD", 0))
    assert names(load(folder)) == ["greet"]


def test_a_workflow_that_another_file_imports_counts_once(folder: Path) -> None:
    write(folder, "a.py", HEAD + "from .b import greet\n")
    write(folder, "b.py", HEAD + GREET)
    loaded = load(folder)
    assert names(loaded) == ["greet"]
    assert not list(find_doubles(loaded.offer))


def test_a_name_that_is_defined_twice_is_told_with_both_places(folder: Path) -> None:
    write(folder, "a.py", HEAD + GREET)
    write(folder, "b.py", HEAD + GREET)
    (fault,) = find_doubles(load(folder).offer)
    assert "workflow 'greet' version 1" in str(fault)
    assert "workflows/a.py" in str(fault)
    assert "workflows/b.py" in str(fault)


def test_every_file_that_fails_is_told_with_its_line(folder: Path) -> None:
    write(folder, "a.py", HEAD + "\nx = [\n")
    write(folder, "b.py", HEAD + "\n\nraise RuntimeError('no luck')\n")
    write(folder, "c.py", HEAD + "\nimport a_module_that_is_not_there\n")
    write(folder, "d.py", HEAD + "bad = Queue('bad', concurrency=0)\n")
    told = faults(folder)
    assert told[0].startswith("workflows/a.py:3: not valid Python")
    assert told[1] == "workflows/b.py:4: cannot be imported: RuntimeError: no luck"
    assert told[2].startswith("workflows/c.py:3: cannot be imported: ModuleNotFoundError")
    assert told[3].startswith("workflows/d.py:2: queue bad: concurrency is 0")


def test_unchanged_files_are_not_imported_again(folder: Path) -> None:
    write(folder, "a.py", HEAD + GREET)
    first = load(folder)
    assert load(folder, first) is first
    write(folder, "a.py", HEAD + GREET.replace("hello", "good day"))
    second = load(folder, first)
    assert second.offer.workflows[0][0].fingerprint != first.offer.workflows[0][0].fingerprint


def test_loading_leaves_no_files_behind(folder: Path) -> None:
    write(folder, "_words.py", "WORD = 'hello'\n")
    write(folder, "a.py", HEAD + "from . import _words\n" + GREET)
    load(folder)
    assert sorted(path.name for path in (folder / "workflows").rglob("*")) == ["_words.py", "a.py"]
