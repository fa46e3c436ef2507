"""A real `holdfast up` in its own process, which a trial may kill with SIGKILL and start again on the same folder."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

PATIENCE_S = 120.0
QUERY = "/prometheus/api/v1/query"
WRITE = "/prometheus/api/v1/write"


class Server:
    """The process on one data folder and one port; `environ` holds settings as `HOLDFAST_...`.

    By default it is a new interpreter; `start` gives another process for the arguments of `holdfast`.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        program: str = "holdfast.cli",
        *,
        start: Callable[..., subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._folder = folder
        self._start = start or partial(_interpreter, program)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        paths = os.pathsep.join(path for path in sys.path if path)
        self._environ = {**inherited, "PYTHONPATH": paths, "HOLDFAST_OTLP_GRPC_LISTEN": "", **(environ or {})}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> float:
        """Start, and give the seconds until a query is answered."""
        started_s = time.monotonic()
        process = self._process = self._spawn()
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            while not await _answers(client):
                if process.poll() is not None or time.monotonic() - started_s > PATIENCE_S:
                    raise RuntimeError(f"the server does not come up: {self.last_words()}")
                await asyncio.sleep(0.05)
        return time.monotonic() - started_s

    def _spawn(self) -> subprocess.Popen[bytes]:
        (self._folder / "ops").mkdir(exist_ok=True)
        argv = ["up", "--auth", "off", "--listen", f"127.0.0.1:{self._port}"]
        argv += ["--data", str(self._folder / "data"), "--ops", str(self._folder / "ops")]
        with (self._folder / "server.log").open("ab") as log:
            return self._start(*argv, env=self._environ, stdout=log, stderr=log)

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end of the process; one that had ended by itself is an error."""
        process = self._process
        if process is None:
            return
        if process.poll() is not None:
            raise RuntimeError(f"the server ended by itself with {process.returncode}: {self.last_words()}")
        process.kill()
        process.wait(timeout=30)
        self._process = None

    def resident_bytes(self) -> int:
        """Give the resident memory of the process."""
        assert self._process is not None
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def last_words(self) -> str:
        return (self._folder / "server.log").read_text(errors="replace")[-1500:]


def _interpreter(program: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", program, *arguments], **options)


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get(QUERY, params={"query": "1"})).status_code == 200
    except httpx.TransportError:
        return False
