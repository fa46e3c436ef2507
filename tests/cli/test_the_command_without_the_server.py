"""`pip install holdfast` brings the command, too, but not what it stands on."""

from __future__ import annotations

import subprocess
import sys

RUN = "import sys; sys.modules['typer'] = None; from holdfast.cli import main; main()"


def test_the_base_install_says_what_the_command_lacks() -> None:
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the command needs the server's packages, and 'typer' is not installed\n"
        '       pip install "holdfast[server]"\n'
    )
    assert done.stdout == ""
