"""What every store of rates does, in memory and shared: take at once, take later, refuse, give back."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience.memory_stores import MemoryLimiterStore
from holdfast.resilience.rate_rules import rate_rule

RULES = {
    "gcra": rate_rule("gcra", rate=2, burst=4),
    "token_bucket": rate_rule("token_bucket", rate=2, burst=4),
    "sliding_window": rate_rule("sliding_window", rate=4, per_s=2),
}


@pytest.fixture(params=sorted(RULES))
def rule(request):
    """Each admits four at once, and one more after at most two seconds."""
    return RULES[request.param]


async def take_many(store, rule, count, **how):
    return [await store.take_async("customer", rule, **how) for _ in range(count)]


async def test_a_burst_is_admitted_and_the_next_one_told_its_wait(limiter_store, rule):
    taken = await take_many(limiter_store, rule, 5)
    assert [answer.is_admitted for answer in taken] == [True] * 4 + [False]
    assert taken[4].wait_s == pytest.approx(2 if rule.kind == "sliding_window" else 0.5)


async def test_after_the_told_wait_it_is_admitted(limiter_store, rule, fake_clock):
    refused = (await take_many(limiter_store, rule, 5))[4]
    await fake_clock.advance(refused.wait_s + 0.001)
    assert (await limiter_store.take_async("customer", rule)).is_admitted


async def test_a_refusal_takes_nothing(limiter_store, rule):
    await take_many(limiter_store, rule, 3)
    assert not (await limiter_store.take_async("customer", rule, cost=2)).is_admitted
    assert (await limiter_store.take_async("customer", rule)).is_admitted


async def test_who_may_wait_gets_the_next_moment_and_the_one_behind_a_later_one(limiter_store, rule):
    await take_many(limiter_store, rule, 4)
    waits = [(await limiter_store.take_async("customer", rule, most_wait_s=10)).wait_s for _ in range(3)]
    assert waits == sorted(waits)
    assert waits[0] > 0
    late = await limiter_store.take_async("customer", rule, most_wait_s=0.1)
    assert not late.is_admitted
    assert late.wait_s >= waits[-1]


async def test_what_is_given_back_may_be_taken_by_another(limiter_store, rule):
    last = (await take_many(limiter_store, rule, 4))[-1]
    await limiter_store.give_back_async("customer", rule, cost=1, due_s=last.due_s)
    assert (await limiter_store.take_async("customer", rule)).is_admitted
    assert not (await limiter_store.take_async("customer", rule)).is_admitted


async def test_keys_and_rules_do_not_share(limiter_store, rule):
    await take_many(limiter_store, rule, 4)
    assert (await limiter_store.take_async("another customer", rule)).is_admitted
    assert (await limiter_store.take_async("customer", rate_rule(rate=1))).is_admitted


async def test_askers_at_the_same_time_never_get_more_than_there_is(limiter_store, rule):
    answers = await asyncio.gather(*(limiter_store.take_async("customer", rule) for _ in range(20)))
    assert sum(answer.is_admitted for answer in answers) == 4


def test_the_plain_verbs_do_the_same(limiter_store, rule):
    taken = [limiter_store.take("customer", rule) for _ in range(5)]
    assert [answer.is_admitted for answer in taken] == [True] * 4 + [False]
    limiter_store.give_back("customer", rule, cost=1, due_s=taken[3].due_s)
    assert limiter_store.take("customer", rule).is_admitted


async def test_the_one_in_memory_is_bounded_and_counts_what_it_forgot(fake_clock):
    store = MemoryLimiterStore(max_keys=10, clock=fake_clock)
    for number in range(25):
        store.take(str(number), RULES["gcra"])
    assert (len(store), store.evicted) == (10, 15)
