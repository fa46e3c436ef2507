"""The hard cases that resilience libraries are compared by; benchmarks/resilience_twenty_cases.py asks the others.

Each test is Holdfast's cell in the row of its name.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import threading
import traceback
import typing
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from holdfast.resilience import (
    BreakerOpen,
    DeadlineExceeded,
    RetryBudget,
    breaker,
    bulkhead,
    cache,
    deadline,
    hedge,
    per_key,
    rate_limit,
    remaining,
    retry,
    timeout,
)
from holdfast.resilience.sql import SqlLimiterStore
from holdfast.resilience.testing import FakeClock

ROOT = Path(__file__).resolve().parents[2]


def down():
    raise ConnectionError("down")


def open_one(clock, **how):
    guard = breaker(**{"name": "x", "failures": 2, "reset_s": 1, "clock": clock} | how)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            guard.call_sync(down)
    return guard


async def test_cancellation_during_back_off(fake_clock):
    calls = []

    async def fail():
        calls.append(1)
        down()

    task = asyncio.ensure_future(retry(attempts=3, base_s=30, jitter="none", clock=fake_clock).call(fail))
    await fake_clock.advance(1)
    task.cancel()
    await fake_clock.advance(100)
    assert task.cancelled()
    assert len(calls) == 1


def test_exception_groups(fake_clock):
    errors = [ExceptionGroup("both", [ConnectionError()]), ExceptionGroup("mixed", [ConnectionError(), KeyError()])]

    def fail():
        raise errors.pop(0)

    with pytest.raises(ExceptionGroup, match="mixed"):
        retry(attempts=5, clock=fake_clock).call_sync(fail)
    assert errors == []


def test_generators():
    for policy in (retry(), breaker(name="x"), bulkhead(1), rate_limit(rate=1), timeout(1), cache(ttl_s=1)):
        with pytest.raises(TypeError, match="generator"):

            @policy
            def rows():
                yield 1


async def test_a_half_open_probe_that_never_returns(fake_clock):
    guard = open_one(fake_clock, probe_s=5)
    await fake_clock.advance(1)
    hung = asyncio.ensure_future(guard.call(fake_clock.sleep, 10_000))
    await fake_clock.advance(4)
    with pytest.raises(BreakerOpen):
        guard.call_sync(lambda: "one probe at a time")
    await fake_clock.advance(1)
    assert guard.call_sync(lambda: "up") == "up"
    hung.cancel()


def test_slow_call_rate():
    clock = FakeClock()
    guard = breaker(name="x", slow_rate=0.5, slow_call_s=1, minimum_calls=5, clock=clock)
    for _ in range(5):
        guard.call_sync(clock.sleep_sync, 2)
    with pytest.raises(BreakerOpen):
        guard.call_sync(lambda: None)


def test_a_wall_clock_set_back():
    clock = FakeClock()
    guard = open_one(clock)
    clock._elapsed_s += 1
    clock.jump(timedelta(hours=-1))
    assert guard.call_sync(lambda: "up") == "up"


def test_retry_after_as_a_date():
    clock = FakeClock()

    class BusyError(ConnectionError):
        headers: typing.ClassVar = {"Retry-After": format_datetime(clock.now() + timedelta(seconds=20), usegmt=True)}

    errors = [BusyError()]
    retry(attempts=2, base_s=0.01, clock=clock).call_sync(lambda: errors and (_ for _ in ()).throw(errors.pop()))
    assert 20 <= clock.slept_s[0] < 22


def test_a_budget_shared_by_callers():
    calls, clock, budget = [], FakeClock(), RetryBudget(tokens=5)

    def fail():
        calls.append(1)
        down()

    for _ in range(20):
        with pytest.raises(ConnectionError):
            retry(attempts=3, budget=budget, clock=clock).call_sync(fail)
    assert len(calls) == 20 + 5


def test_a_timeout_around_plain_code():
    let_go = threading.Event()
    with pytest.raises(DeadlineExceeded):
        timeout(0.01).call_sync(let_go.wait, 30)
    let_go.set()


async def test_nested_deadlines(fake_clock):
    async def work():
        assert remaining() == pytest.approx(1)
        await timeout(60, name="inner", clock=fake_clock).call(fake_clock.sleep, 100)

    task = asyncio.ensure_future(deadline(1, name="outer", clock=fake_clock).call(work))
    await fake_clock.advance(2)
    with pytest.raises(DeadlineExceeded) as error:
        await task
    assert error.value.policy == "outer"


def test_hedging_what_may_not_be_done_twice():
    async def charge(): ...

    with pytest.raises(TypeError, match="idempotent"):
        hedge(after_s=1)(charge)


async def test_single_flight_when_the_leader_is_cancelled(fake_clock):
    look = cache(ttl_s=10, clock=fake_clock)(lambda_of_sleep(fake_clock))
    asking = [asyncio.ensure_future(look()) for _ in range(3)]
    await fake_clock.advance(0)
    asking[0].cancel()
    await fake_clock.advance(1)
    assert await asyncio.gather(*asking[1:]) == ["answer", "answer"]


def lambda_of_sleep(clock):
    async def fetch():
        await clock.sleep(1)
        return "answer"

    return fetch


async def test_a_bulkhead_is_fair(fake_clock):
    wall, order = bulkhead(1, queue=100, clock=fake_clock), []

    async def work(number):
        order.append(number)
        await fake_clock.sleep(1)

    tasks = [asyncio.ensure_future(wall.call(work, number)) for number in range(10)]
    await fake_clock.advance(0)
    tasks[3].cancel()
    await fake_clock.advance(20)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 2, 4, 5, 6, 7, 8, 9]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, where threads run
def test_a_rate_across_processes(tmp_path):
    url = f"sqlite:///{tmp_path / 'rates.db'}"
    engine = create_engine(url)
    SqlLimiterStore(engine).create_tables()
    engine.dispose()

    def take_in_a_child(_):
        read, write = os.pipe()
        if os.fork() == 0:
            limit = rate_limit(rate=0.001, burst=5, name="api", store=SqlLimiterStore(create_engine(url)))
            os.write(write, bytes([sum(limit.try_acquire() == 0 for _ in range(4))]))
            os._exit(0)
        os.wait()
        return os.read(read, 1)[0]

    assert sum(map(take_in_a_child, range(3))) == 5


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, where threads run
def test_a_fork_while_a_call_is_under_way():
    guard, wall, limit = breaker(name="x"), bulkhead(1), rate_limit(rate=1, burst=9)
    with guard, wall, guard._lock, wall._places.lock, limit._lone._lock:
        child = os.fork()
        if child == 0:
            os._exit(guard.call_sync(lambda: wall.call_sync(lambda: limit.call_sync(lambda: 0))))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_guarded_call_inside_itself():
    guard = breaker(name="x")
    assert guard.call_sync(lambda: guard.call_sync(lambda: "inner")) == "inner"


def test_memory_is_bounded_per_key():
    limit = rate_limit(rate=1, max_keys=100)
    hosts = per_key(lambda host: breaker(name=str(host)), key=lambda host: host, max_keys=100)
    for number in range(20_000):
        limit.try_acquire(number)
        hosts.of(number).record_failure()
    assert len(limit) == 100
    assert len(hosts) == 100


def test_an_error_keeps_its_traceback():
    clock = FakeClock()
    policy = retry(attempts=2, clock=clock) | breaker(name="x", clock=clock) | bulkhead(1)
    with pytest.raises(ConnectionError) as error:
        policy.call_sync(down)
    assert "down" in [frame.name for frame in traceback.extract_tb(error.value.__traceback__)]


def test_type_hints_survive():
    async def look(sku: str, *, twice: bool = False) -> int:
        return len(sku) * (1 + twice)

    for policy in (retry(), breaker(name="x"), bulkhead(1), rate_limit(rate=1), timeout(1), cache(ttl_s=1)):
        guarded = policy(look)
        assert inspect.signature(guarded) == inspect.signature(look)
        assert typing.get_type_hints(guarded) == typing.get_type_hints(look)
        assert inspect.iscoroutinefunction(guarded)


def test_callers_do_not_wait_for_one_another():
    guard, inside, let_go = breaker(name="x"), threading.Event(), threading.Event()

    def hold():
        inside.set()
        let_go.wait(30)

    slow = threading.Thread(target=guard.call_sync, args=(hold,))
    slow.start()
    inside.wait(30)
    assert guard.call_sync(lambda: "at once") == "at once"
    let_go.set()
    slow.join(30)


def test_the_page_shows_what_was_recorded_and_every_row_has_its_test():
    recorded = json.loads((ROOT / "benchmarks" / "resilience_twenty_cases.json").read_text())
    page = (ROOT / "docs" / "guide" / "resilience" / "hard-cases.md").read_text()
    assert len(recorded["rows"]) == 20
    for row in recorded["rows"]:
        assert f"test_{row['test']}" in globals(), row
        assert row["cells"]["holdfast"] == "yes"
        shown = re.search(rf"^\| {re.escape(row['title'])} \|(.*)\|$", page, re.MULTILINE)
        assert shown, row["title"]
        assert [cell.strip() for cell in shown[1].split("|")] == list(row["cells"].values())
    for name, version in recorded["versions"].items():
        assert f"{name} {version}" in page
