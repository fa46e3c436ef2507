"""Runs the guides: their files are written, their commands executed, their output compared.

A fenced block whose first line is a comment with a path is a file. In a `console` block, a line after `$ ` is a command
and the lines below it are its output, where `...` stands for anything. A `python` block is executed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "guide"
GUIDES = sorted(FOLDER.rglob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^(?:#|//|<!--) (\S+\.\w+)(?: -->)?\n")


@pytest.fixture
def shell(holdfast_command: Path) -> dict[str, str]:
    """An environment in which `holdfast` is this checkout's command."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return {
        **clean,
        "PATH": f"{holdfast_command.parent}:{clean['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.relative_to(FOLDER).with_suffix("").as_posix())
def test_the_guide_does_what_it_says(guide: Path, tmp_path: Path, shell: dict[str, str]) -> None:
    for language, body in BLOCK.findall(guide.read_text()):
        named = FILE.match(body)
        if named and language != "console":
            target = tmp_path / named[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(body)
        elif language == "console":
            run_console(body, tmp_path, shell)
        elif language == "python":
            run(f"{sys.executable} - <<'CODE'\n{body}\nCODE", tmp_path, shell)


def run_console(body: str, folder: Path, shell: dict[str, str]) -> None:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command += "\n" + more
        told = run(command, folder, shell)
        pattern = "".join(
            ".*" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + r"\s*\n"
            for line in expected.rstrip().splitlines()
        )
        if expected.strip():
            plain = "\n".join(line.rstrip() for line in told.splitlines()) + "\n"
            assert re.fullmatch(pattern, plain, re.DOTALL), f"$ {command}\n{told}"


def run(command: str, folder: Path, shell: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=shell, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr
