"""Breakers under control: several probes, longer waits, by hand, as a block, from threads, with odd clocks."""

from __future__ import annotations

import asyncio
import threading

import pytest

from holdfast.resilience import BreakerOpen, BreakerState, breaker
from holdfast.resilience.testing import FakeClock


async def fail():
    raise ConnectionError("down")


async def answer():
    return "up"


def make(fake_clock, **how):
    return breaker(**{"name": "payments", "failures": 1, "reset_s": 10, "clock": fake_clock} | how)


async def test_no_more_probes_than_asked_for_run_at_a_time_and_all_must_succeed(fake_clock):
    guard = make(fake_clock, probes=3)
    guard.record_failure()
    await fake_clock.advance(10)
    probes = [asyncio.ensure_future(guard.call(fake_clock.sleep, 1)) for _ in range(5)]
    await fake_clock.advance(0)
    refused = [probe for probe in probes if probe.done()]
    assert [type(probe.exception()) for probe in refused] == [BreakerOpen] * 2
    assert refused[0].exception().retry_after_s == 10
    await fake_clock.advance(1)
    assert guard.state is BreakerState.CLOSED
    await asyncio.gather(*probes, return_exceptions=True)


async def test_one_failed_probe_of_several_opens_it_again_and_the_others_say_nothing_more(fake_clock):
    guard = make(fake_clock, probes=2)
    guard.record_failure()
    await fake_clock.advance(10)
    slow = asyncio.ensure_future(guard.call(fake_clock.sleep, 1))
    await fake_clock.advance(0)
    with pytest.raises(ConnectionError):
        await guard.call(fail)
    await fake_clock.advance(1)
    await slow
    assert guard.state is BreakerState.OPEN


async def test_each_failed_probe_doubles_the_time_up_to_the_cap(fake_clock):
    guard = make(fake_clock, reset_cap_s=35)
    guard.record_failure()
    waits = []
    for _ in range(4):
        waits.append(guard.retry_after_s)
        await fake_clock.advance(guard.retry_after_s)
        with pytest.raises(ConnectionError):
            await guard.call(fail)
    assert waits == [10, 20, 35, 35]
    await fake_clock.advance(35)
    await guard.call(answer)
    guard.record_failure()
    assert guard.retry_after_s == 10


async def test_a_probe_that_hangs_is_given_up_and_its_late_answer_does_not_count(fake_clock):
    guard = make(fake_clock, probe_s=5)
    guard.record_failure()
    await fake_clock.advance(10)
    hung = asyncio.ensure_future(guard.call(fake_clock.sleep, 60))
    await fake_clock.advance(4)
    with pytest.raises(BreakerOpen):
        await guard.call(answer)
    await fake_clock.advance(1)
    with pytest.raises(ConnectionError):
        await guard.call(fail)
    await fake_clock.advance(55)
    await hung
    assert guard.state is BreakerState.OPEN


async def test_isolated_it_stays_open_until_it_is_closed_by_hand(fake_clock):
    guard = make(fake_clock)
    guard.isolate()
    await fake_clock.advance(10_000)
    with pytest.raises(BreakerOpen, match="isolated") as refusal:
        await guard.call(answer)
    assert refusal.value.retry_after_s is None
    guard.record_success()
    assert not guard.allow()
    guard.close()
    assert await guard.call(answer) == "up"


async def test_opened_by_hand_it_probes_after_the_given_time(fake_clock):
    guard = make(fake_clock)
    guard.open(for_s=3)
    assert guard.retry_after_s == 3
    await fake_clock.advance(3)
    assert await guard.call(answer) == "up"
    assert guard.state is BreakerState.CLOSED


async def test_cancellation_counts_as_neither(fake_clock):
    guard = make(fake_clock, failure_rate=0.5, minimum_calls=1)
    task = asyncio.ensure_future(guard.call(fake_clock.sleep, 5))
    await fake_clock.advance(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert guard.is_idle


async def test_predicates_choose_what_counts(fake_clock):
    guard = make(fake_clock, on=lambda error: "disk" in str(error), ignore=(KeyError,))

    async def refuse(error):
        raise error

    for error in (ValueError("no"), KeyError("disk")):
        with pytest.raises(type(error)):
            await guard.call(refuse, error)
    assert guard.state is BreakerState.CLOSED
    with pytest.raises(OSError, match="disk"):
        await guard.call(refuse, OSError("disk full"))
    assert guard.state is BreakerState.OPEN


async def test_an_ignored_error_of_a_probe_frees_its_place(fake_clock):
    guard = make(fake_clock, ignore=(KeyError,))
    guard.record_failure()
    await fake_clock.advance(10)

    async def lack():
        raise KeyError

    with pytest.raises(KeyError):
        await guard.call(lack)
    assert await guard.call(answer) == "up"


async def test_a_block_is_a_call(fake_clock):
    guard = make(fake_clock)
    with pytest.raises(ConnectionError):
        async with guard:
            raise ConnectionError
    with pytest.raises(BreakerOpen), guard:
        raise AssertionError("not reached")
    await fake_clock.advance(10)
    with guard:
        assert guard.state is BreakerState.HALF_OPEN
    assert guard.state is BreakerState.CLOSED


async def test_blocks_of_many_tasks_do_not_mix(fake_clock):
    guard = make(fake_clock, failures=3)

    async def block(seconds, error):
        async with guard:
            await fake_clock.sleep(seconds)
            if error:
                raise error

    tasks = [asyncio.ensure_future(block(n % 3 + 1, ConnectionError() if n % 2 else None)) for n in range(12)]
    await fake_clock.advance(4)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(outcome, ConnectionError) for outcome in outcomes) == 6


def test_a_block_left_elsewhere_than_entered_is_refused(fake_clock):
    guard = make(fake_clock)
    guard.__enter__()
    told = []

    def leave():
        try:
            guard.__exit__(None, None, None)
        except RuntimeError as error:
            told.append(str(error))

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join(30)
    assert "another task or thread" in told[0]
    guard.__exit__(None, None, None)


def test_a_generators_block_may_be_left_after_a_later_one(fake_clock):
    first, second = make(fake_clock), make(fake_clock, name="orders")

    def rows():
        with first:
            yield 1

    going = rows()
    next(going)
    with second:
        assert list(going) == []
    assert first.is_idle
    assert second.is_idle


def test_a_clock_set_back_makes_nobody_wait_longer_than_one_open_time():
    clock = FakeClock()
    clock._elapsed_s = 100_000.0
    guard = make(clock)
    guard.record_failure()
    clock._elapsed_s = 5.0
    assert guard.retry_after_s == 10
    clock._elapsed_s = 15.0
    assert guard.allow()
    clock._elapsed_s = 1.0
    assert guard.allow(), "a probe from the future is given up"


def test_threads_that_fail_together_open_it_once_and_one_of_them_probes(fake_clock):
    guard = make(fake_clock, failures=8)
    heard, allowed = [], []
    guard.add_listener(heard.append)
    together = threading.Barrier(8)

    def work():
        together.wait(30)
        guard.record_failure()
        together.wait(30)
        fake_clock._elapsed_s = 10.0
        together.wait(30)
        allowed.append(guard.allow())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [change.what for change in heard] == ["open", "half_open"]
    assert sorted(allowed) == [False] * 7 + [True]


async def test_a_change_says_what_it_came_from(fake_clock):
    guard, heard = make(fake_clock), []
    guard.add_listener(heard.append)
    guard.record_failure()
    guard.close()
    guard.isolate()
    assert [(change.after, change.cause) for change in heard] == [
        ("open", "failures"),
        ("closed", "by_hand"),
        ("open", "by_hand"),
    ]


async def test_refusals_are_heard_isolated_or_not(fake_clock):
    guard, heard = make(fake_clock), []
    guard.add_listener(heard.append)
    for close_off in (guard.open, guard.isolate):
        close_off()
        with pytest.raises(BreakerOpen):
            await guard.call(answer)
    assert [event.what for event in heard] == ["open", "refused", "refused"]
