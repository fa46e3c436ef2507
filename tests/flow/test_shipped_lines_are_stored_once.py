"""`holdfast ship` under load: its server is killed and started again, its file is copied and truncated."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fixtures.forks import Forked
from flow.trials.server import PATIENCE_S, Server

KILLS = 2
BURST, EVERY_S = 12, 0.02
LINES_AT_ONCE = 1440  # before each kill, and after the last: one query gives 5000
LINES_OF_A_FILE = 360


class Writer(threading.Thread):
    """A service that writes numbered lines, and whoever rotates its file between two of its writes."""

    def __init__(self, log: Path) -> None:
        super().__init__(daemon=True)
        self._log = log
        self._has_ended = threading.Event()
        self.rotations = 0
        self.written = self.most = 0
        log.parent.mkdir()
        self.write()

    def run(self) -> None:
        while not self._has_ended.wait(EVERY_S):
            if self.written < self.most:
                self.write()
                if self.written % LINES_OF_A_FILE == 0:
                    self._rotate()

    def write(self) -> None:
        with self._log.open("a") as file:
            file.writelines(f"order {number}\n" for number in range(self.written, self.written + BURST))
        self.written += BURST

    def _rotate(self) -> None:
        """Copy and truncate, as logrotate does where it is told `copytruncate`."""
        self.rotations += 1
        shutil.copy(self._log, self._log.with_name(f"{self._log.name}.{self.rotations}"))
        os.truncate(self._log, 0)

    def end(self) -> None:
        self._has_ended.set()
        self.join()


@contextmanager
def shipping(url: str, state: Path, pattern: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ["ship", "--to", url, "--state", str(state), *more, str(pattern)]
    process = Forked(*arguments, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def stored(client: httpx.AsyncClient) -> list[int]:
    """Give the numbers of all lines that the server has, each as often as it stands there."""
    asked = {"query": '{service_name="shop"}', "limit": "5000", "direction": "forward"}
    answer = (await client.get("/loki/api/v1/query_range", params=asked)).raise_for_status().json()
    lines = [line for stream in answer["data"]["result"] for _, line in stream["values"]]
    return sorted(int(line.removeprefix("order ")) for line in lines)


async def until_more_than(count: int, client: httpx.AsyncClient) -> int:
    until_s = time.monotonic() + PATIENCE_S
    while (found := len(await stored(client))) <= count:
        assert time.monotonic() < until_s, f"no more than {count} lines are stored"
        await asyncio.sleep(0.05)
    return found


@pytest.mark.slow
async def test_no_line_is_lost_or_stands_twice_over_kills_and_rotations(tmp_path: Path) -> None:
    server, writer = Server(tmp_path, start=Forked), Writer(tmp_path / "logs" / "shop.log")
    pattern, state, count = tmp_path / "logs" / "shop.log*", tmp_path / "state", 0
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            with shipping(server.url, state, pattern) as process:
                count = await until_more_than(count, client)
                writer.start()
                for _ in range(KILLS):
                    writer.most += LINES_AT_ONCE
                    count = await until_more_than(count, client)
                    server.kill()
                    await server.start()
                writer.most += LINES_AT_ONCE
                await until_more_than(count, client)
                writer.end()
                process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 30) == 0
            with shipping(server.url, state, pattern, "--once") as process:
                assert await asyncio.to_thread(process.wait, 60) == 0
            assert await stored(client) == list(range(writer.written))
            assert writer.rotations > KILLS
    finally:
        server.kill()
