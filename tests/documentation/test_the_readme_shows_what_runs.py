"""The example in the README is the file beside it, runs with the standard library alone, and prints what is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLE = ROOT / "examples" / "resilience.py"


def test_the_readme_shows_the_example_as_it_is():
    shown = re.search(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert shown[1] == EXAMPLE.read_text()


def test_the_example_needs_nothing_that_is_installed_and_prints_what_the_readme_says():
    shown = re.search(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    done = subprocess.run(
        [sys.executable, "-S", str(EXAMPLE)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown[1]
