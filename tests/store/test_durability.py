"""What was acknowledged is there after `kill -9` at any moment, and the store opens again in a moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from store.samples import SCHEMA

VALUES = "SELECT value FROM samples WHERE tenant = {tenant:String}"
ROUNDS = 3
OPEN_WORK_S = 2.0
OPEN_WITHIN_S = 5.0  # on a machine that is busy with other tests


def write_until_killed(folder: Path, first: int, acknowledgements: int) -> set[int]:
    """Give the numbers that were acknowledged before the process died."""
    program = Path(__file__).with_name("killed.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(program), str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        heard = [writer.stdout.readline() for _ in range(acknowledgements)]
        os.kill(writer.pid, signal.SIGKILL)
        heard += writer.stdout.readlines()
    return {int(line) for line in heard if line.endswith("\n")}


@pytest.mark.slow
async def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path):
    folder, acknowledged = tmp_path / "columns", set()
    for round_number in range(ROUNDS):
        acknowledged |= write_until_killed(folder, round_number * 1_000_000, random.randint(1, 100))
    store = Store(StoreSettings(), folder=folder)
    await store.register(SCHEMA)
    started, worked = time.monotonic(), time.process_time()
    await store.open()
    took_s, worked_s = time.monotonic() - started, time.process_time() - worked
    found = (await store.query(VALUES, tenant=DEFAULT_TENANT))["value"].to_pylist()
    await store.close()
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    assert worked_s < OPEN_WORK_S
    assert took_s < OPEN_WITHIN_S
