"""The demo's children end with it, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from holdfast.cli.demo import places
from holdfast.cli.demo.children import started
from holdfast.kernel.errors import ConflictError, NotFoundError, UnavailableError

ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
PARENT = """
import os, sys
from pathlib import Path
from holdfast.cli.demo.children import started
with started("sleeper", ["-c", "import time; time.sleep(60)"], Path(sys.argv[1]), os.environ) as child:
    print(child.process.pid, flush=True)
    sys.stdin.read()
"""


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.05)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent(tmp_path: Path, end: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRON) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(end)
    wait_gone(child)


def test_a_child_that_ends_early_shows_its_last_words(tmp_path: Path) -> None:
    with started("sad", ["-c", "print('no luck'); raise SystemExit(3)"], tmp_path, os.environ) as child:
        child.process.wait(timeout=30)
        with pytest.raises(UnavailableError, match="exit code 3") as caught:
            child.demand_alive()
    assert "no luck" in str(caught.value)


def test_a_missing_shop_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=str(tmp_path)):
        places.find_shop(tmp_path)


def test_a_taken_port_of_the_shop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        monkeypatch.setattr(places, "SHOP_PORTS", (port,))
        with pytest.raises(ConflictError, match=f"port {port} is in use"):
            places.demand_shop_ports()


def test_the_console_moves_when_its_port_is_taken() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert places.free_port(taken) not in {0, taken}
