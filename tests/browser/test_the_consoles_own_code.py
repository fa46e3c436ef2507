"""The console's own tests run with all others, and its types are those of the committed API; its build compiles it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures.consoles import ROOT, refuse

UI = ROOT / "ui"

pytestmark = pytest.mark.timeout(300)  # a compiler on a busy machine


def run_tool(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None or not (UI / "node_modules" / path).exists():
        refuse("the console's packages are not installed; run make ui")
    command = [node, str(UI / "node_modules" / path), *arguments]
    return subprocess.run(command, cwd=UI, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.slow
def test_its_own_tests_pass():
    done = run_tool("vitest/vitest.mjs", "run", "--reporter=dot")
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_types_are_those_of_the_committed_api(tmp_path: Path):
    made = tmp_path / "schema.d.ts"
    done = run_tool("openapi-typescript/bin/cli.js", "openapi.json", "--output", str(made), "--alphabetize")
    assert done.returncode == 0, done.stderr
    assert made.read_text() == (UI / "src/api/schema.d.ts").read_text(), "the API changed: run npm run types in ui/"
