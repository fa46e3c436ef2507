"""What stands beside the door costs nobody who does not ask for it."""

from __future__ import annotations

import subprocess
import sys

DOORS = ("locks", "leaders", "redis", "sql", "http", "concurrency", "testing")


def test_importing_the_package_imports_none_of_its_side_doors():
    script = "import sys, holdfast.resilience; print(*sorted(sys.modules))"
    taken = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    names = taken.stdout.split()
    assert "holdfast.resilience" in names
    assert [name for name in names if name.startswith(tuple(f"holdfast.resilience.{door}" for door in DOORS))] == []
    assert not {"sqlalchemy", "redis", "httpx", "multiprocessing"} & set(names)


def test_plain_engines_need_no_greenlet():
    script = "import sys; sys.modules['greenlet'] = None; import holdfast.resilience.sql"
    subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": ":".join(sys.path)}, check=True)
