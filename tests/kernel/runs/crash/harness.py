"""The crash trial: kills engines with SIGKILL at random moments, or freezes them past their lease, and judges.

PostgreSQL has two workers at a time, of which one, both, or none is killed while the other goes on. The whole trial is
benchmarks/runs_crashes.py; the tests run a short one.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import mmap
import os
import random
import signal
import struct
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast import journal
from holdfast.kernel.sql import migrate
from kernel.runs.crash.judge import Ended, Verdict, judge
from kernel.runs.crash.worker import Trial, finish, serve, serve_once
from kernel.runs.crash.workload import EXPECTED

MIGRATIONS = ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"]
LONGEST_LIFE_S = 0.08
PATIENCE_S = 90
JUMP_S = 3600.0
Body = Callable[[Trial, int], Coroutine[Any, Any, None]]


def spawn(trial: Trial, body: Body) -> int:
    """Fork a process that runs `body`, and wait until it says that it is ready."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            journal.configure(level="error")
            asyncio.run(body(trial, writing))
            code = 0
        except BaseException:  # noqa: BLE001 -- fence: a forked child must not return into its parent's code
            import traceback  # noqa: PLC0415 -- the parent never needs it

            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    if os.read(reading, 1) != b"1":
        os.waitpid(pid, 0)
        raise RuntimeError("a worker did not come up; its error stands above")
    os.close(reading)
    return pid


def end(pid: int) -> None:
    if os.waitpid(pid, os.WNOHANG)[0]:
        raise RuntimeError("a worker ended by itself; its error stands above")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def torment(trial: Trial, kills: int, workers: int, dice: random.Random) -> int:
    """Kill until `kills` processes died; give how many were frozen past their lease."""
    living = [spawn(trial, serve) for _ in range(workers)]
    killed = frozen = 0
    while killed < kills:
        time.sleep(dice.uniform(0, LONGEST_LIFE_S))
        if dice.random() < 0.1:  # the wall clock of the machine is set, forwards or back
            trial.offset[:8] = struct.pack("d", dice.choice([-JUMP_S, 0.0, JUMP_S]))
        if workers > 1 and dice.random() < 0.05:
            frozen += 1
            trial.ledger.record("frozen", pid=living[0])
            os.kill(living[0], signal.SIGSTOP)
            time.sleep(trial.lease_s * 1.5)
            os.kill(living[0], signal.SIGCONT)
            continue
        dying = living if dice.random() < 0.2 else [dice.choice(living)]
        for pid in list(dying):
            end(pid)
            living.remove(pid)
            killed += 1
        living += [spawn(trial, serve) for _ in range(workers - len(living))]
    for pid in living:
        end(pid)
    return frozen


def die_at_every_commit(trial: Trial) -> int:
    """Kill processes, each at the next edge of a commit, until one outlives its work; give how many died."""
    for kill_at in itertools.count(1):
        pid = spawn(replace(trial, kill_at=kill_at), serve_once)
        if not wait_for_end(pid, may_die=True):
            return kill_at - 1
    raise AssertionError("unreachable: counting has no end")


def wait_for_end(pid: int, *, may_die: bool = False) -> bool:
    """Wait until the process is through; tell whether it was killed."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            if may_die and os.WIFSIGNALED(status):
                return True
            if status:
                raise RuntimeError("a process failed; its error stands above")
            return False
        time.sleep(0.02)
    end(pid)
    raise RuntimeError(f"a process is not through after {PATIENCE_S} s")


async def lay_out(trial: Trial, ready: int) -> None:
    db = trial.open()
    await migrate(db, MIGRATIONS)
    await db.close()
    os.write(ready, b"1")


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial did, and the verdict on it."""

    what: str
    kills: int
    frozen: int
    verdict: Verdict

    def line(self) -> str:
        """Tell it in one line."""
        seen = self.verdict
        return (
            f"{self.kills} kills {self.what}, {self.frozen} freezes, {seen.runs} runs, {seen.effects} effects: "
            f"{seen.run_again} run again before their commit, "
            f"{seen.thawed} finished by a thawed process in vain, {len(seen.faults)} faults"
        )


def run_trial(folder: Path, *, kills: int, postgres_url: str = "", seed: int = 0) -> Report:
    """Kill at random moments, in an empty folder or database."""
    trial = Trial(folder, postgres_url, mmap.mmap(-1, mmap.PAGESIZE))
    wait_for_end(spawn(trial, lay_out))
    frozen = torment(trial, kills, 2 if postgres_url else 1, random.Random(seed))
    return Report("at random moments", kills, frozen, conclude(trial))


def run_edges(folder: Path, *, postgres_url: str = "", **_unused: int) -> Report:
    """Kill before and after every commit of one run of each kind, in an empty folder or database."""
    trial = Trial(folder, postgres_url, mmap.mmap(-1, mmap.PAGESIZE))
    wait_for_end(spawn(trial, lay_out))
    return Report("at the edges of commits", die_at_every_commit(trial), 0, conclude(trial))


def conclude(trial: Trial) -> Verdict:
    """Let one process finish every run, once all that sleeps is due, and judge."""
    trial.offset[:8] = struct.pack("d", 2 * JUMP_S)
    wait_for_end(spawn(trial, finish))
    ended = {run: Ended(**fields) for run, fields in json.loads((trial.folder / "ended.json").read_text()).items()}
    return judge(trial.ledger.read(), ended, EXPECTED)
