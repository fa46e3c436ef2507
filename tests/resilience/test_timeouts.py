"""Timeouts and deadlines: who is ended, whose time it was, and what becomes of plain code."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from holdfast.resilience import (
    BulkheadFull,
    DeadlineExceeded,
    check_deadline,
    deadline,
    deadline_headers,
    read_deadline,
    remaining,
    timeout,
    without_deadline,
)


async def test_a_call_within_its_time_answers(fake_clock):
    async def answer(value, *, twice):
        return value * twice

    assert await timeout(1, clock=fake_clock).call(answer, 21, twice=2) == 42


async def test_a_call_over_its_time_is_cancelled(fake_clock):
    seen = []

    async def hang():
        try:
            await fake_clock.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(timeout(2, clock=fake_clock).call(hang))
    await fake_clock.advance(1.9)
    assert not task.done()
    await fake_clock.advance(0.1)
    with pytest.raises(DeadlineExceeded, match="not finished within 2 s"):
        await task
    assert seen == ["cancelled"]


async def test_the_machines_own_clock_ends_a_call_too():
    with pytest.raises(DeadlineExceeded):
        await timeout(0.001).call(asyncio.sleep, 60)


async def test_a_timeout_error_of_the_call_itself_is_not_called_a_deadline():
    async def fail():
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs") as caught:
        await timeout(1).call(fail)
    assert not isinstance(caught.value, DeadlineExceeded)


async def test_cancelling_the_caller_is_not_called_a_deadline(fake_clock):
    task = asyncio.ensure_future(timeout(5, clock=fake_clock).call(fake_clock.sleep, 60))
    await fake_clock.advance(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_timeout_that_has_already_passed_is_refused():
    with pytest.raises(ValueError):
        timeout(0)


async def test_a_result_that_beats_the_cancellation_is_kept(fake_clock):
    async def stubborn():
        try:
            await fake_clock.sleep(60)
        except asyncio.CancelledError:
            return "saved"

    task = asyncio.ensure_future(timeout(1, clock=fake_clock).call(stubborn))
    await fake_clock.advance(1)
    assert await task == "saved"
    await asyncio.sleep(0)


async def test_of_nested_times_the_tighter_ends_the_call_and_is_named(fake_clock):
    inner = timeout(30, name="query", clock=fake_clock)

    async def handle():
        async with deadline(2, name="request", clock=fake_clock):
            await inner.call(fake_clock.sleep, 60)

    task = asyncio.ensure_future(handle())
    await fake_clock.advance(2)
    with pytest.raises(DeadlineExceeded, match="'request': not finished within 2 s") as late:
        await task
    assert late.value.policy == "request"


async def test_a_tighter_inner_time_is_named_too(fake_clock):
    policy = timeout(30, name="all", clock=fake_clock) | timeout(2, name="one", clock=fake_clock)
    task = asyncio.ensure_future(policy.call(fake_clock.sleep, 60))
    await fake_clock.advance(2)
    with pytest.raises(DeadlineExceeded) as late:
        await task
    assert late.value.policy == "one"


async def test_a_child_task_inherits_the_deadline(fake_clock):
    async def child():
        await timeout(30, name="query", clock=fake_clock).call(fake_clock.sleep, 60)

    async def handle():
        async with deadline(2, name="request", clock=fake_clock):
            return await asyncio.gather(asyncio.ensure_future(child()), return_exceptions=True)

    task = asyncio.ensure_future(handle())
    await fake_clock.advance(2)
    with pytest.raises(DeadlineExceeded):
        await task


@pytest.mark.parametrize("work_s", [1, 9], ids=["in-time", "late"])
async def test_a_background_task_outlives_the_request_that_happened_to_start_it(fake_clock, work_s):
    started = []

    async def background():
        await timeout(30, clock=fake_clock).call(fake_clock.sleep, 20)
        return remaining()

    async def handle():
        async with deadline(2, name="request", clock=fake_clock):
            started.append(asyncio.ensure_future(background()))
            await fake_clock.sleep(work_s)

    task = asyncio.ensure_future(handle())
    await fake_clock.advance(25)
    await asyncio.gather(task, return_exceptions=True)
    assert (task.exception() is None) == (work_s == 1)
    if work_s == 1:
        assert await started[0] is None
    else:  # it was still the request's when the request ran out of time
        with pytest.raises(DeadlineExceeded, match="'request'"):
            await started[0]


async def test_the_own_time_of_a_task_that_outlives_its_request_still_holds(fake_clock):
    async def handle():
        async with deadline(2, name="request", clock=fake_clock):
            return asyncio.ensure_future(timeout(5, name="own", clock=fake_clock).call(fake_clock.sleep, 60))

    child = await handle()
    await fake_clock.advance(2)
    assert not child.done()
    await fake_clock.advance(3)
    with pytest.raises(DeadlineExceeded, match="'own'"):
        await child


def test_plain_code_that_was_left_behind_learns_that_its_time_is_over():
    began, learned = threading.Event(), threading.Event()

    def work():
        began.wait(30)
        try:
            check_deadline()
        except DeadlineExceeded:
            learned.set()

    with pytest.raises(DeadlineExceeded):
        timeout(0.01).call_sync(work)
    began.set()
    assert learned.wait(30)


async def test_work_that_must_outlive_the_request_can_forget_its_deadline(fake_clock):
    async with deadline(2, clock=fake_clock):
        with without_deadline():
            child = asyncio.ensure_future(timeout(30, clock=fake_clock).call(fake_clock.sleep, 5))
        assert remaining() == 2
    await fake_clock.advance(5)
    await child


async def test_a_call_after_the_deadline_is_not_made(fake_clock):
    calls = []
    with deadline(1, name="job", clock=fake_clock):
        fake_clock.sleep_sync(1)
        with pytest.raises(DeadlineExceeded, match="'job'"):
            await timeout(5, clock=fake_clock).call(calls.append, 1)
        with pytest.raises(DeadlineExceeded, match="'job'"):
            timeout(5, clock=fake_clock).call_sync(calls.append, 1)
        with pytest.raises(DeadlineExceeded, match="'job'"):
            check_deadline()
    assert calls == []
    check_deadline()


async def test_one_policy_guards_many_tasks_at_once(fake_clock):
    policy = timeout(2, clock=fake_clock)

    async def hold(seconds):
        async with policy:
            await fake_clock.sleep(seconds)
            return remaining()

    tasks = [asyncio.ensure_future(hold(seconds)) for seconds in (0.5, 1.5, 9)]
    await fake_clock.advance(3)
    assert await asyncio.gather(*tasks[:2]) == [1.5, 0.5]
    with pytest.raises(DeadlineExceeded):
        await tasks[2]


def test_nobody_is_in_a_hurry_without_a_deadline():
    assert remaining() is None
    assert deadline_headers() == {}


def test_plain_code_over_its_time_is_left_behind_and_counted():
    guard, release, ended = timeout(0.01, left_behind=1, name="report"), threading.Event(), threading.Event()

    def work():
        release.wait(30)
        ended.set()

    with pytest.raises(DeadlineExceeded, match="not finished within"):
        guard.call_sync(work)
    assert guard.left_behind == 1
    with pytest.raises(BulkheadFull, match="still go on"):
        guard.call_sync(work)
    release.set()
    assert ended.wait(30)
    while guard.left_behind:
        threading.Event().wait(0.001)
    assert timeout(30).call_sync(threading.get_ident) != threading.get_ident()


def test_plain_code_in_its_thread_sees_the_deadline_and_its_errors_come_through():
    def work():
        assert 0 < remaining() <= 30
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs") as caught:
        timeout(30).call_sync(work)
    assert not isinstance(caught.value, DeadlineExceeded)
    assert caught.traceback[-1].name == "work"


def test_plain_code_that_checks_its_deadline_is_ended_where_it_checks(fake_clock):
    done = []

    @timeout(3, sync="check", clock=fake_clock)
    def work():
        while True:
            check_deadline()
            done.append(remaining())
            fake_clock.sleep_sync(1)

    with pytest.raises(DeadlineExceeded):
        work()
    assert done == [3, 2, 1]


def test_plain_code_that_never_checks_gives_its_late_answer_and_listeners_hear_of_it(fake_clock):
    heard = []
    guard = deadline(1, clock=fake_clock)
    guard.add_listener(heard.append)

    def work():
        fake_clock.sleep_sync(3)
        return "late"

    assert guard.call_sync(work) == "late"
    assert (heard[0].what, heard[0].detail["late_s"]) == ("overran", 2)


def test_on_a_clock_that_no_thread_can_wait_for_plain_code_is_judged_afterwards(fake_clock):
    with pytest.raises(DeadlineExceeded):
        timeout(1, clock=fake_clock).call_sync(fake_clock.sleep_sync, 2)


FORK = """
import os
from holdfast.resilience import timeout
guard = timeout(30)
guard.call_sync(int)
child = os.fork()
if not child:
    os._exit(7 if guard.call_sync(lambda: 7) == 7 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_has_threads_of_its_own():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], env=environment, check=False, timeout=60)
    assert done.returncode == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"grpc-timeout": "1500m"}, 1.5),
        ({"grpc-timeout": "2H"}, 7200),
        ({"grpc-timeout": "250000u"}, 0.25),
        ({"connect-timeout-ms": "800"}, 0.8),
        ({"x-envoy-expected-rq-timeout-ms": "15"}, 0.015),
        ({"grpc-timeout": "123456789S"}, None),
        ({"grpc-timeout": "soon", "connect-timeout-ms": "-1"}, None),
        ({}, None),
    ],
)
def test_what_a_caller_told_about_its_time_is_read(headers, seconds):
    assert read_deadline(headers) == seconds


@pytest.mark.parametrize(("seconds", "text"), [(1.5, "1500m"), (0.0004, "0m"), (200_000, "200000S")])
def test_the_time_left_is_told_to_the_next_service(fake_clock, seconds, text):
    with deadline(seconds, clock=fake_clock):
        assert deadline_headers() == {"grpc-timeout": text}
