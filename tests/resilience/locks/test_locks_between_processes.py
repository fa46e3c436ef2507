"""Locks hold between real processes, and a process that is killed is followed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.resilience.locks import Fence, StaleToken, lock

LONG_S = 60.0

# Adds one to a number in a file so slowly that two at once would lose an addition.
ADD = """
import sys, time
from pathlib import Path
from holdfast.resilience.locks import lock
{backend}
counter = lock("counter", backend, ttl_s=60, wait_s=60)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(6):
    with counter:
        file = Path(sys.argv[1])
        number = int(file.read_text())
        time.sleep(0.002)
        file.write_text(str(number + 1))
"""

HOLD = """
import sys, time
from holdfast.resilience.locks import lock
{backend}
held = lock("counter", backend, ttl_s=2, wait_s=60).acquire_sync()
print(held.token, flush=True)
time.sleep(600)
"""

MAKE = {
    "sqlite": """
from sqlalchemy import create_engine
from holdfast.resilience.sql import SqlLocks
backend = SqlLocks(create_engine({url!r}), poll_s=0.005)
""",
    "postgres": """
from sqlalchemy import create_engine
from holdfast.resilience.sql import SqlLocks
backend = SqlLocks(create_engine({url!r}), poll_s=0.005)
""",
    "advisory": """
from sqlalchemy import create_engine
from holdfast.resilience.sql import AdvisoryLocks
backend = AdvisoryLocks(create_engine({url!r}), poll_s=0.005)
""",
    "redis": """
from holdfast.resilience.redis import RedisLocks, RedisServer
backend = RedisLocks(RedisServer({url!r}, prefix={prefix!r}))
""",
}
KINDS = ["sqlite", *(pytest.param(kind, marks=pytest.mark.service) for kind in ("postgres", "advisory", "redis"))]


@pytest.fixture(params=KINDS)
def shared(request, make_backend, tmp_path):
    """A backend, and the code that makes another one on the same store in another process."""
    kind = request.param
    backend = make_backend(kind)
    if kind == "redis":
        url, prefix = request.getfixturevalue("redis_url"), backend._server.prefix.strip("{}")
        return backend, MAKE[kind].format(url=url, prefix=prefix)
    url = f"sqlite:///{tmp_path / 'locks.db'}"
    if kind != "sqlite":
        url = request.getfixturevalue("lock_database_url").replace("postgresql:", "postgresql+psycopg:")
    return backend, MAKE[kind].format(url=url)


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def test_processes_never_write_at_the_same_time(shared, tmp_path):
    _, make = shared
    number = tmp_path / "number"
    number.write_text("0")
    workers = [start(ADD.format(backend=make), str(number)) for _ in range(2)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=LONG_S)
    assert [worker.returncode for worker in workers] == [0, 0]
    assert number.read_text() == "12"


def test_a_killed_holder_is_followed_and_its_token_refused(shared):
    backend, make = shared
    holder = start(HOLD.format(backend=make))
    old = int(holder.stdout.readline())
    holder.kill()
    holder.communicate(timeout=LONG_S)
    with lock("counter", backend, wait_s=LONG_S) as held:
        fence = Fence("counter")
        fence.admit(held.token)
        with pytest.raises(StaleToken):
            fence.admit(old)
