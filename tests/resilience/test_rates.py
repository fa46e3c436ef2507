"""Rates: bursts, refills, keys, and a table that cannot grow without bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import RateLimited, rate_limit
from holdfast.resilience.testing import FakeClock


async def test_a_burst_passes_and_the_next_call_is_told_how_long_to_wait(fake_clock):
    limit = rate_limit(rate=2, burst=3, clock=fake_clock)
    assert [limit.try_acquire("a") for _ in range(3)] == [0, 0, 0]
    assert limit.try_acquire("a") == pytest.approx(0.5)


async def test_a_call_after_the_told_wait_passes(fake_clock):
    limit = rate_limit(rate=3, burst=1, clock=fake_clock)
    for _ in range(100):
        assert limit.try_acquire("a") == 0
        wait_s = limit.try_acquire("a")
        assert wait_s > 0
        await fake_clock.advance(wait_s)


async def test_keys_do_not_share_tokens(fake_clock):
    limit = rate_limit(rate=1, clock=fake_clock)
    assert limit.try_acquire("a") == 0
    assert limit.try_acquire("b") == 0
    assert limit.try_acquire("a") > 0


async def test_a_refused_call_takes_nothing(fake_clock):
    limit = rate_limit(rate=1, burst=5, clock=fake_clock)
    assert limit.try_acquire(cost=3) == 0
    assert limit.try_acquire(cost=3) == pytest.approx(1)
    assert limit.try_acquire(cost=2) == 0


def test_a_cost_that_no_wait_could_meet_is_refused():
    with pytest.raises(ValueError, match="never be admitted"):
        rate_limit(rate=1, burst=2).try_acquire(cost=3)


async def test_the_table_of_keys_is_bounded_and_counts_what_it_forgot(fake_clock):
    limit = rate_limit(rate=1, max_keys=10, clock=fake_clock)
    for key in range(25):
        limit.try_acquire(key)
    assert len(limit) == 10
    assert limit.evicted == 15


async def test_a_full_bucket_is_forgotten_without_anybody_noticing(fake_clock):
    limit = rate_limit(rate=1, burst=2, clock=fake_clock)
    limit.try_acquire("idle")
    await fake_clock.advance(1)
    limit.try_acquire("busy", cost=2)
    limit.release_idle()
    assert len(limit) == 1
    assert limit.try_acquire("idle", cost=2) == 0
    assert limit.evicted == 0


async def test_as_a_policy_it_refuses_with_the_wait(fake_clock):
    limit = rate_limit(rate=4, clock=fake_clock)

    async def answer():
        return 1

    assert await limit.call(answer) == 1
    with pytest.raises(RateLimited) as refusal:
        await limit.call(answer)
    assert refusal.value.retry_after_s == pytest.approx(0.25)


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 20),
    pauses_s=st.lists(st.floats(0, 5), min_size=1, max_size=50),
)
def test_never_more_than_rate_and_burst_allow(rate, burst, pauses_s):
    clock = FakeClock()
    limit = rate_limit(rate=rate, burst=burst, clock=clock)
    admitted = 0
    for pause_s in pauses_s:
        clock._elapsed_s += pause_s
        while limit.try_acquire() == 0:
            admitted += 1
    assert admitted <= burst + rate * clock.monotonic() + 1e-6
    assert admitted >= min(burst, 1)


@pytest.mark.parametrize("numbers", [{"rate": 0}, {"rate": 1, "burst": 0}, {"rate": 1, "max_keys": 0}])
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        rate_limit(**numbers)
