"""Adaptive limits: they find what a dependency can take, fall when it slows down, and hold their bounds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import Aimd, BulkheadFull, Gradient, adaptive_limit
from holdfast.resilience.limit_rules import Sample


def settle(rule, *, capacity, base_s, rounds=300, limit=20.0, demand=1000):
    """Let a rule meet a server that answers in `base_s` up to `capacity` calls and queues beyond."""
    for _ in range(rounds):
        in_flight = min(int(limit), demand)
        sample = Sample(base_s * max(1.0, in_flight / capacity), in_flight, has_dropped=in_flight > 4 * capacity)
        limit = min(1000.0, max(1.0, rule.next_limit(limit, sample)))
    return limit


@pytest.mark.parametrize("capacity", [10, 50, 200])
def test_aimd_with_a_latency_finds_the_capacity(capacity):
    assert 0.8 * capacity <= settle(Aimd(latency_s=0.12), capacity=capacity, base_s=0.1) <= 1.4 * capacity


def test_the_gradient_grows_to_the_capacity_and_no_further_than_its_tolerance():
    assert 50 <= settle(Gradient(), capacity=50, base_s=0.1) <= 4 * 50


def test_the_gradient_falls_when_the_dependency_slows_down():
    rule = Gradient()
    before = settle(rule, capacity=50, base_s=0.1)
    assert settle(rule, capacity=50, base_s=1.0, rounds=20, limit=before) < 0.6 * before


def test_a_limit_that_is_not_in_use_does_not_grow():
    for rule in (Aimd(), Gradient()):
        assert settle(rule, capacity=50, base_s=0.1, demand=5) == 20


def test_a_drop_takes_a_part_of_the_limit():
    assert Aimd(backoff=0.5).next_limit(40, Sample(0.1, 40, has_dropped=True)) == 20
    assert Gradient().next_limit(40, Sample(0.1, 40, has_dropped=True)) == 36


@given(samples=st.lists(st.builds(Sample, st.floats(0, 100), st.integers(0, 2000), st.booleans()), max_size=50))
def test_no_sample_makes_a_limit_that_is_no_number(samples):
    for rule in (Gradient(), Aimd(latency_s=1)):
        limit = 20.0
        for sample in samples:
            limit = max(1.0, rule.next_limit(limit, sample))
            assert 1 <= limit < 10_000


async def call_in_waves(limit, fake_clock, *, seconds, waves, width):
    for _ in range(waves):
        calls = [asyncio.ensure_future(limit.call(fake_clock.sleep, seconds)) for _ in range(width)]
        await fake_clock.advance(seconds)
        await asyncio.gather(*calls, return_exceptions=True)


async def test_the_limit_rises_under_load_and_falls_with_errors(fake_clock):
    limit = adaptive_limit("aimd", initial=10, most=15, window_s=1, minimum_calls=5, clock=fake_clock)
    heard = []
    limit.add_listener(heard.append)
    await call_in_waves(limit, fake_clock, seconds=0.5, waves=40, width=30)
    assert limit.limit == 15
    for _ in range(10):
        with pytest.raises(TimeoutError):
            await limit.call(give_up, fake_clock)
        await fake_clock.advance(1)
    assert limit.limit < 15
    resized = [event for event in heard if event.what == "resized"]
    assert resized[0].detail == {"before": 10, "after": 11}


async def give_up(fake_clock):
    raise TimeoutError


async def test_more_calls_than_the_limit_are_refused_and_told_when_it_is_set_anew(fake_clock):
    limit = adaptive_limit(initial=2, window_s=3, clock=fake_clock, name="search")
    calls = [asyncio.ensure_future(limit.call(fake_clock.sleep, 1)) for _ in range(3)]
    await fake_clock.advance(1)
    refusal = (await asyncio.gather(*calls, return_exceptions=True))[2]
    assert isinstance(refusal, BulkheadFull)
    assert (refusal.policy, refusal.retry_after_s) == ("search", 3)


async def test_calls_may_wait_for_a_place(fake_clock):
    limit = adaptive_limit(initial=1, queue=1, queue_timeout_s=5, clock=fake_clock)
    calls = [asyncio.ensure_future(limit.call(fake_clock.sleep, 1)) for _ in range(2)]
    await fake_clock.advance(2)
    await asyncio.gather(*calls)
    assert limit.is_idle


async def test_a_limit_that_rises_lets_those_who_wait_in(fake_clock):
    limit = adaptive_limit(initial=1, queue=5, clock=fake_clock)
    calls = [asyncio.ensure_future(limit.call(fake_clock.sleep, 1)) for _ in range(4)]
    await fake_clock.advance(0)
    assert (limit.running, limit.waiting) == (1, 3)
    limit._places.resize(3)
    await fake_clock.advance(0)
    assert (limit.running, limit.waiting) == (3, 1)
    await fake_clock.advance(3)
    await asyncio.gather(*calls)


async def test_cancelled_calls_and_errors_of_other_kinds_teach_nothing(fake_clock):
    limit = adaptive_limit("aimd", initial=10, window_s=1, minimum_calls=1, clock=fake_clock)
    for _ in range(5):
        call = asyncio.ensure_future(limit.call(fake_clock.sleep, 60))
        await fake_clock.advance(1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        with pytest.raises(KeyError):
            limit.call_sync({}.__getitem__, "none")
    assert limit.limit == 10
    assert limit.is_idle


async def test_blocks_are_measured_too(fake_clock):
    limit = adaptive_limit(Aimd(latency_s=0.5), initial=10, window_s=1, minimum_calls=1, clock=fake_clock)

    async def block():
        async with limit:
            await fake_clock.sleep(2)

    task = asyncio.ensure_future(block())
    await fake_clock.advance(2)
    await task
    assert limit.limit == 9
    with limit:
        assert limit.running == 1
    assert limit.is_idle


@pytest.mark.parametrize(
    "numbers",
    [{"least": 0}, {"initial": 5, "most": 4}, {"queue": -1}, {"window_s": 0}, {"minimum_calls": 0}, {"rule": "vegas"}],
)
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        adaptive_limit(**numbers)
