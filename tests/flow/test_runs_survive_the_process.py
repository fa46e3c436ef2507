"""A run of the real server goes on where it stood after `kill -9`, over HTTP and nothing else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from fixtures.forks import Forked

ENVIRON = {
    **{k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")},
    "PYTHONPATH": os.pathsep.join(sys.path),
}
WORKFLOW = '''\
import asyncio
from pathlib import Path

from holdfast.kernel.runs import Run, workflow


async def note(folder: str, word: str) -> str:
    with (Path(folder) / "notes").open("a") as notes:
        notes.write(word + "\\n")
    return word


async def wait_for_gate(folder: str) -> None:
    await note(folder, "waiting")
    while not (Path(folder) / "gate").exists():
        await asyncio.sleep(0.02)


@workflow("crossing", version=1)
async def crossing(ctx: Run, folder: str) -> str:
    """Note that it begins, wait for the gate, ask, note that it ends."""
    await ctx.step("begin", note, folder, "begun")
    await ctx.step("gate", wait_for_gate, folder)
    answer = await ctx.signal("go", type=str)
    return await ctx.step("end", note, folder, answer)
'''


class Server:
    """`holdfast up` over one folder and one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run it until the block ends; it is ready."""
        (self.folder / "ops").mkdir(exist_ok=True)
        options = ["--data", str(self.folder / "data"), "--ops", str(self.folder / "ops"), "--auth", "off"]
        command = ["up", *options, "--listen", f"127.0.0.1:{self.port}"]
        log = self.folder / "log"
        with log.open("ab") as output:
            process = Forked(*command, env=ENVIRON, stdout=output, stderr=output)
        try:
            self.until(
                "the server is ready", lambda: process.poll() is None and self.get("/readyz", root=True)["ready"]
            )
            yield process
        finally:
            process.kill()
            process.wait(timeout=30)

    def get(self, path: str, *, root: bool = False) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}{'' if root else '/api/v1'}{path}", timeout=10) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: object) -> Any:
        address = f"http://127.0.0.1:{self.port}/api/v1{path}"
        request = Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")
        with urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def until(self, what: str, is_so: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if is_so():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        pytest.fail(f"not within 60 s: {what}\n{(self.folder / 'log').read_text()[-3000:]}")


@pytest.mark.slow
def test_a_run_goes_on_after_kill_9_and_repeats_no_finished_step(tmp_path: Path) -> None:
    (tmp_path / "ops" / "workflows").mkdir(parents=True)
    (tmp_path / "ops" / "workflows" / "crossing.py").write_text(WORKFLOW)
    notes = tmp_path / "notes"
    server = Server(tmp_path)
    body = {"workflow": "crossing", "input": str(tmp_path), "key": "once"}
    with server.running() as first:
        run_id = server.post("/runs", body)["run"]["id"]
        server.until("the run waits for the gate", lambda: "waiting" in notes.read_text())
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
    (tmp_path / "gate").touch()
    with server.running() as second:
        again = server.post("/runs", body)
        assert (again["run"]["id"], again["is_new"]) == (run_id, False)
        server.until("the run asks", lambda: server.get(f"/runs/{run_id}")["waits"])
        second.send_signal(signal.SIGKILL)
        second.wait(timeout=30)
    with server.running():
        server.post(f"/runs/{run_id}/signals/go", {"payload": "ended"})
        server.until("the run succeeded", lambda: server.get(f"/runs/{run_id}")["state"] == "succeeded")
        assert server.get(f"/runs/{run_id}")["output"]["value"] == "ended"
        steps = server.get(f"/runs/{run_id}/steps")["items"]
        assert [step["key"] for step in steps] == ["begin", "gate", "go", "end"]
        assert [signal["actor"] for signal in server.get(f"/runs/{run_id}")["signals"]] == ["anonymous"]
    # The gate was open in the first process, so nobody knows what it did: it is entered again. The others are not.
    assert notes.read_text().split() == ["begun", "waiting", "waiting", "ended"]
