"""A process that is killed while it appends has lost no record that it acknowledged, nor the labels of its stream."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.logs import bodies
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.logs import SCHEMA, LogSource, RecordSelection
from holdfast.telemetry.metrics import Matcher, MatchOp

ROUNDS = 3
LINES = 60


def append_until_killed(folder: Path, first: int) -> set[int]:
    program = Path(__file__).with_name("writing_logs_until_killed.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(program), str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        heard = [writer.stdout.readline() for _ in range(random.randint(1, LINES))]
        os.kill(writer.pid, signal.SIGKILL)
        heard += writer.stdout.readlines()
    return {int(line) for line in heard if line.endswith("\n")}


@pytest.mark.slow
async def test_what_was_acknowledged_is_read_after_kill_9(tmp_path: Path):
    acknowledged: set[int] = set()
    for number in range(ROUNDS):
        acknowledged |= append_until_killed(tmp_path / "columns", number * 1_000_000)
    async with Store(StoreSettings(), folder=tmp_path / "columns") as store:
        await store.register(SCHEMA)
        wish = RecordSelection((Matcher("service_name", MatchOp.MATCHES, ".+"),), 0, 10**12)
        found = await bodies(LogSource(store), wish)
    assert len(acknowledged) >= ROUNDS
    assert acknowledged <= set(map(int, found))
    assert len(set(found)) == len(found)
