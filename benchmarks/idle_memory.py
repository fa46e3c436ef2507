"""How much memory an idle `holdfast up` holds: the limit is 450 MB resident in all.

Starts the server on an empty folder, lets it settle, and prints what Linux accounts to it.
Run: python benchmarks/idle_memory.py [seconds]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import psutil

LIMIT_MB = 450
PORT = 4699


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "holdfast.cli", "up", "--auth", "off", "--listen", f"127.0.0.1:{PORT}"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1] / "src"), *sys.path])}
    (folder / "ops").mkdir(exist_ok=True)
    options = ["--data", str(folder / "data"), "--ops", str(folder / "ops")]
    return subprocess.Popen([*command, *options], env=environ, stderr=subprocess.DEVNULL)


def wait_ready() -> float:
    started = time.monotonic()
    while time.monotonic() - started < 30:
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=1):
                return time.monotonic() - started
        except OSError:
            time.sleep(0.05)
    sys.exit("the server was not ready within 30 s")


def measure(process: psutil.Process) -> list[float]:
    family = [process, *process.children(recursive=True)]
    infos = [member.memory_full_info() for member in family]
    return [sum(getattr(info, field) for info in infos) / 1e6 for field in ("rss", "pss", "uss")]


def main() -> None:
    settle_s = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder))
        try:
            ready_s = wait_ready()
            process = psutil.Process(server.pid)
            time.sleep(settle_s)
            cpu = process.cpu_times()
            time.sleep(10)
            spent = process.cpu_times()
            rss, pss, uss = measure(process)
        finally:
            server.terminate()
            server.wait()
    busy = (spent.user + spent.system - cpu.user - cpu.system) / 10
    print(f"start to ready      {ready_s:8.2f} s")
    print(f"idle CPU            {busy:8.2%} of a core")
    print(f"resident (RSS)      {rss:8.0f} MB   limit {LIMIT_MB} MB: {rss / LIMIT_MB:.2f} of it")
    print(f"proportional (PSS)  {pss:8.0f} MB")
    print(f"private (USS)       {uss:8.0f} MB")


if __name__ == "__main__":
    main()
