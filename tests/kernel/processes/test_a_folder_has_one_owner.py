"""Two processes on one folder: the second is told who the first is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.kernel.errors import ConflictError, UnavailableError
from holdfast.kernel.processes import DataFolder

CLAIM = "import sys; from pathlib import Path; from holdfast.kernel.processes import DataFolder; "


def test_a_second_claim_names_the_first_owner(tmp_path: Path) -> None:
    folder = DataFolder.claim(tmp_path / "data")
    with pytest.raises(ConflictError, match=f"in use by process {os.getpid()}") as caught:
        DataFolder.claim(tmp_path / "data")
    assert "--data" in caught.value.hint
    folder.release()
    DataFolder.claim(tmp_path / "data").release()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    script = CLAIM + "f = DataFolder.claim(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(ConflictError, match=str(owner.pid)):
            DataFolder.claim(tmp_path)
        owner.kill()
    DataFolder.claim(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be used"):
        DataFolder.claim(tmp_path / "file" / "data")
