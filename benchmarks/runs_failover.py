"""How long runs stand still when their process is lost, by real clocks and with the settings as they come.

On PostgreSQL the owner of many runs is killed, or frozen and thawed when the other worker has finished them; on SQLite
the one process is killed and started anew. Ends non-zero unless all are finished within 30 s, and a restarted engine
begins a step within 1 s.
Run: python benchmarks/runs_failover.py
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunFilter, Runs, RunState, workflow
from holdfast.kernel.sql import Database, migrate, open_postgres, open_sqlite

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from fixtures.databases import fresh_database  # noqa: E402 -- the tests' folder is on the path only now
from fixtures.services import DEFAULT_URLS  # noqa: E402 -- the same

MIGRATIONS = ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"]
STEPS = 8
STEP_S = 0.4
MIDDLE_S = 1.5  # after the start of the runs: the moment of the loss
PROMISED_FAILOVER_S = 30.0
PROMISED_RECOVERY_S = 1.0
PATIENCE_S = 90.0
_told: set[str] = set()


def tell(word: str, *, once: bool = False) -> None:
    """Say a word with the machine's monotonic time, which all processes share."""
    if not once or word not in _told:
        _told.add(word)
        print(word, time.monotonic(), flush=True)


async def work(number: int) -> int:
    tell("step", once=True)
    await asyncio.sleep(STEP_S)
    return number


@workflow("failover")
async def failover(ctx: Run) -> int:
    return sum([await ctx.step(f"step-{number}", work, number) for number in range(STEPS)])


def open_database(place: str) -> Database:
    return open_postgres(place) if place.startswith("postgres") else open_sqlite(Path(place))


async def serve(place: str, count: int) -> None:
    """Be one worker process: start so many runs, then carry out whatever there is until killed."""
    tell("born")
    db, clock = open_database(place), SystemClock()
    runs = Runs(db, EventLog(db, clock), clock, url=place if place.startswith("postgres") else "")
    runs.register(failover)
    async with runs.running():
        await asyncio.gather(*(runs.start(failover) for _ in range(count)))
        tell("ready")
        if not count and not place.startswith("postgres"):
            await finish(runs)
            return
        await asyncio.Event().wait()


async def finish(runs: Runs) -> None:
    """Return when every run has succeeded."""
    under_way = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
    while (await runs.list(DEFAULT_TENANT, RunFilter(states=under_way), limit=1)).items:  # noqa: ASYNC110 -- it looks into a database
        await asyncio.sleep(0.05)
    succeeded = await runs.list(DEFAULT_TENANT, RunFilter(states=(RunState.SUCCEEDED,)), limit=1000)
    tell(f"finished {len(succeeded.items)}")


class Worker:
    """One worker process and what it says."""

    def __init__(self, place: str, count: int) -> None:
        command = [sys.executable, __file__, "--worker", place, "--runs", str(count)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def hear(self, word: str) -> float:
        """Wait for a word; give its time."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said, _, moment = line.rpartition(" ")
            if said.startswith(word):
                return float(moment)
        raise RuntimeError(f"the worker ended before it said {word!r}")

    def send(self, number: signal.Signals) -> float:
        """Send a signal; give its time."""
        self.process.send_signal(number)
        return time.monotonic()

    def end(self) -> None:
        """Kill it, if it is alive."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def worker(place: str, count: int = 0) -> Iterator[Worker]:
    """Have a worker as long as the block lasts."""
    started = Worker(place, count)
    try:
        yield started
    finally:
        started.end()


def lay_out(place: str) -> None:
    async def make() -> None:
        db = open_database(place)
        await migrate(db, MIGRATIONS)
        await db.close()

    asyncio.run(make())


def find_owner(url: str) -> str:
    """Give the id of the one worker that has all the runs."""
    with psycopg.connect(url) as connection:
        ((owner,),) = connection.execute("SELECT DISTINCT owner FROM runs").fetchall()
    return str(owner)


def watch(url: str, owner: str, lost_at: float) -> tuple[float, float, float]:
    """Give the seconds from the loss to the first run taken over, to the last one, and to the end of all."""
    first = last = 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() - lost_at < PATIENCE_S:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE owner = %s), count(*) FILTER (WHERE owner IS NOT NULL AND owner <> %s),"
                " count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state <> 'succeeded') FROM runs",
                [owner, owner],
            ).fetchone()
            assert row is not None
            passed = time.monotonic() - lost_at
            lost, theirs, queued, unfinished = row
            first = first or (passed if theirs else 0.0)
            last = last or (passed if first and not lost and not queued else 0.0)
            if not unfinished:
                return first, last, passed
            time.sleep(0.02)
    raise RuntimeError(f"{unfinished} runs are unfinished after {PATIENCE_S:g} s")


def fail_over(count: int, loss: signal.Signals) -> float:
    """Lose the owner of all runs in the middle of them; print and give the seconds until all are finished."""
    with fresh_database(DEFAULT_URLS["postgres"]) as url:
        lay_out(url)
        with worker(url) as other:
            other.hear("ready")
            with worker(url, count) as owner:
                owner.hear("ready")
                name = find_owner(url)
                time.sleep(MIDDLE_S)
                lost_at = owner.send(loss)
                first, last, all_done = watch(url, name, lost_at)
                if loss == signal.SIGSTOP:
                    owner.send(signal.SIGCONT)
                    time.sleep(STEP_S + 2)  # the thawed owner tries to write what it was at
        judge(url, count)
    print(
        f"postgres {loss.name}: {count} runs of {STEPS} steps, the first goes on after {first:.2f} s, "
        f"the last after {last:.2f} s, all are finished after {all_done:.2f} s",
        flush=True,
    )
    return all_done


def judge(url: str, count: int) -> None:
    """See that every run has succeeded with every step once."""
    with psycopg.connect(url) as connection:
        runs = connection.execute("SELECT count(*) FROM runs WHERE state = 'succeeded' AND result = '28'").fetchone()
        steps = connection.execute("SELECT count(*) FROM run_steps WHERE state = 'succeeded'").fetchone()
    if (runs, steps) != ((count,), (count * STEPS,)):
        raise RuntimeError(f"{runs} of {count} runs succeeded with {steps} steps")


def recover(count: int) -> float:
    """Kill the one process of a SQLite folder and start it anew; print and give the seconds to the first step."""
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "holdfast.db")
        lay_out(place)
        with worker(place, count) as owner:
            owner.hear("ready")
            time.sleep(MIDDLE_S)
            killed_at = owner.send(signal.SIGKILL)
            owner.process.wait()
        with worker(place) as heir:
            born = heir.hear("born")
            goes_on = heir.hear("step")
            heir.hear(f"finished {count}")
    print(
        f"sqlite SIGKILL: {count} runs of {STEPS} steps go on {goes_on - killed_at:.2f} s after the kill, "
        f"{goes_on - born:.3f} s after the new interpreter has imported everything",
        flush=True,
    )
    return goes_on - born


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--worker", metavar="PLACE", help="used by itself")
    chosen = parser.parse_args()
    if chosen.worker:
        asyncio.run(serve(chosen.worker, chosen.runs))
        return
    is_kept = recover(chosen.runs) < PROMISED_RECOVERY_S
    for loss in (signal.SIGKILL, signal.SIGSTOP):
        is_kept &= fail_over(chosen.runs, loss) < PROMISED_FAILOVER_S
    sys.exit(not is_kept)


if __name__ == "__main__":
    main()
