"""Nothing of a step's process outlives its time, its cancelling or our own death."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys

import psutil
import pytest

from fixtures import stepcode
from holdfast.kernel.runs.places import Command, Process, ProcessPlace

PATIENCE_S = 30

WORKER = """
import asyncio
from types import SimpleNamespace
from fixtures import stepcode
from holdfast.kernel.runs.places import ProcessPlace, Work

def write(stream, text, fields):
    print(*fields["pids"], flush=True)

work = Work("s", stepcode.hang_stubbornly, named={'step': SimpleNamespace()}, write=write)
asyncio.run(ProcessPlace().run(work))
"""


async def begin(place, work, heard, options=None):
    running = asyncio.create_task(place.run(work, options))
    async with asyncio.timeout(PATIENCE_S):
        await heard.has_begun.wait()
    return running


async def cancel(running):
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("function", [stepcode.hang, stepcode.hang_stubbornly])
async def test_cancelling_ends_the_process_and_its_children(processes, work_of, heard, until_gone, function):
    running = await begin(processes, work_of(function), heard, Process(grace_s=0.05))
    await cancel(running)
    for pid in heard.pids:
        until_gone(pid)


async def test_a_process_may_tidy_up_before_it_ends(processes, work_of, heard, tmp_path):
    mark = tmp_path / "mark"
    running = await begin(processes, work_of(stepcode.tidy_up_when_told, str(mark)), heard, Process(grace_s=PATIENCE_S))
    await cancel(running)
    assert mark.read_text() == "tidied"


async def test_a_timeout_ends_it_for_real(processes, work_of, heard, until_gone):
    running = await begin(processes, work_of(stepcode.hang), heard)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await running
    for pid in heard.pids:
        until_gone(pid)


async def test_what_a_step_leaves_behind_ends_with_it(processes, work_of, until_gone):
    until_gone(await processes.run(work_of(stepcode.leave_a_daemon_behind)))


async def test_a_process_that_answers_but_does_not_end_is_ended(processes, work_of, monkeypatch):
    monkeypatch.setattr("holdfast.kernel.runs.places.processes._AFTER_ANSWER_S", 0.05)
    assert await processes.run(work_of(stepcode.leave_a_thread_behind), Process(grace_s=0.05)) == "done"


async def test_a_command_and_what_it_started_are_ended(processes, work_of, heard, until_gone):
    script = "trap '' TERM; sleep 3600 & echo $$ $!; echo ready; wait; sleep 3600"
    running = await begin(processes, work_of(Command(("sh", "-c", script))), heard, Process(grace_s=0.05))
    await cancel(running)
    for pid in heard.texts("stdout")[0].split():
        until_gone(int(pid))


def test_the_death_of_the_worker_ends_its_processes(until_gone):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stdout=subprocess.PIPE, text=True) as worker:
        pids = [int(pid) for pid in worker.stdout.readline().split()]
        assert len(pids) == 2
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENCE_S)
        for pid in pids:
            until_gone(pid)


async def test_a_server_with_many_open_files_can_run_processes(processes, work_of):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("this system allows fewer open files than the test opens")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    with contextlib.ExitStack() as files:
        for _ in range(1100):
            files.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert await processes.run(work_of(stepcode.add, 1, 2)) == 3


async def test_the_death_of_the_guard_ends_its_process(processes, work_of, heard, until_gone):
    running = await begin(processes, work_of(stepcode.hang), heard)
    step_pid, _ = heard.pids
    guard = psutil.Process(step_pid).ppid()
    os.kill(guard, signal.SIGKILL)
    with pytest.raises(Exception, match="guard"):
        await asyncio.wait_for(running, PATIENCE_S)
    until_gone(step_pid)
    os.kill(heard.pids[1], signal.SIGKILL)  # it has left the group, and nobody is left to know of it


SERVER_LOOP = """
import asyncio, uvloop
from types import SimpleNamespace
from fixtures import stepcode
from holdfast.kernel.runs.places import Command, Process, ProcessPlace, Work

async def main():
    place, begun = ProcessPlace(), asyncio.Event()
    assert await place.run(Work("s", stepcode.add, (1, 2))) == 3
    cat = Command(("cat",), stdin=b"x" * 200_000, keep_bytes=10**6)
    assert (await place.run(Work("s", cat))).stdout == "x" * 200_000

    def write(stream, text, fields):
        print(*fields["pids"], flush=True)
        begun.set()

    work = Work("s", stepcode.hang_stubbornly, named={"step": SimpleNamespace()}, write=write)
    running = asyncio.create_task(place.run(work, Process(grace_s=0.05)))
    await begun.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

uvloop.run(main())
"""


def test_the_servers_event_loop_ends_processes_too(until_gone):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVER_LOOP],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    for pid in done.stdout.split():
        until_gone(int(pid))


async def test_only_so_many_run_at_once(work_of, heard, registry):
    place = ProcessPlace(most=1, registry=registry)
    first = await begin(place, work_of(stepcode.hang), heard, Process(grace_s=0.05))
    second = asyncio.create_task(place.run(work_of(stepcode.add, 1, 2)))
    await asyncio.sleep(0)
    assert registry.get_sample_value("holdfast_run_processes_queued") == 1
    await cancel(first)
    assert await asyncio.wait_for(second, PATIENCE_S) == 3
    assert registry.get_sample_value("holdfast_run_processes_ended_total", {"outcome": "killed"}) == 1
