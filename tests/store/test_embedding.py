"""An open store stays small, in a process of its own where nothing else has been imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from holdfast.store import embedding

PROGRAM = """
import asyncio, json, pathlib, re, sys
from datetime import datetime, UTC
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
heavy = [name for name in ("pyarrow", "clickhouse_connect", "chdb", "pandas") if name in sys.modules]
from store.samples import SAMPLES, SCHEMA, rows

def resident_mib():
    return int(re.search(r"VmRSS:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024

async def main():
    store = Store(StoreSettings(), folder=pathlib.Path(sys.argv[1]))
    await store.register(SCHEMA)
    await store.open()
    idle = resident_mib()
    for number in range(20):
        await store.writer(SAMPLES).write(rows(range(1000)), tenant=DEFAULT_TENANT)
        await store.query("SELECT count() FROM samples WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT)
    has_pandas = "pandas" in sys.modules
    table = await store.query("SELECT count() AS n FROM samples WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT)
    frame = table.to_pandas()
    await store.close()
    print(json.dumps({"heavy": heavy, "idle": idle, "pandas": has_pandas, "frame": int(frame["n"][0])}))

asyncio.run(main())
"""


def test_opening_is_what_costs_and_it_does_not_cost_much(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "columns")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["heavy"] == []  # declaring tables needs no engine
    assert said["pandas"] is False  # Arrow would import it, and half of what we may use would be gone
    assert said["frame"] == 20_000  # and whoever wants it still gets it
    assert said["idle"] < 260


SIGNALS = """
import asyncio, faulthandler, pathlib, signal, sys, time
from holdfast.store import Store, StoreSettings

faulthandler.enable()

async def main():
    for _ in range(2):
        async with Store(StoreSettings(), folder=pathlib.Path(sys.argv[1])) as store:
            await store.check()
    async with Store(StoreSettings(), folder=pathlib.Path(sys.argv[1])):
        print("open", flush=True)
        await asyncio.to_thread(time.sleep, 60)

signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
asyncio.run(main())
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with an open store."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SIGNALS, str(tmp_path / "columns")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A group of its own: the kernel does not stop members of an orphaned one, as that of a build machine's job is.
    with subprocess.Popen(command, env=environment, text=True, process_group=0, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS])
def test_a_crash_ends_the_process_at_once_and_says_where(program, number):
    program.send_signal(number)
    _, said = program.communicate(timeout=15)
    assert program.returncode == -number
    assert "Fatal Python error" in said


def test_the_process_can_be_put_to_sleep(program):
    program.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(program.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    program.send_signal(signal.SIGCONT)


SMALL_PAGES = """
import pathlib, re, sys
from holdfast.store import embedding

def huge_kib():
    return int(re.search(r"AnonHugePages:\\s+(\\d+)", pathlib.Path("/proc/self/smaps_rollup").read_text())[1])

import numpy as np
declined = embedding.decline_huge_pages()
array = np.ones(8_000_000)
print(declined, huge_kib())
"""


def test_arrays_are_written_to_small_pages():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", SMALL_PAGES], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "0"]


def test_giving_memory_back_leaves_what_is_used_as_it_is():
    kept, gone = pa.array(range(100_000)), pa.array(range(1_000_000))
    before = pa.default_memory_pool().bytes_allocated()
    size = gone.nbytes
    del gone
    embedding.release_heap()
    assert pa.default_memory_pool().bytes_allocated() <= before - size
    assert kept.to_pylist() == list(range(100_000))
