"""A shared rate goes by each process's own count while its store is away, says so, and comes back."""

from __future__ import annotations

import pytest

from holdfast.resilience import RateLimited, SpareLimiterStore, StoreAway, rate_limit
from holdfast.resilience.memory_stores import MemoryLimiterStore
from holdfast.resilience.rate_rules import rate_rule

RULE = rate_rule("gcra", rate=0.001, burst=2)


class Wire(MemoryLimiterStore):
    is_cut = False
    asked = 0

    def take(self, *args, **how):
        self._feel()
        return super().take(*args, **how)

    def give_back(self, *args, **how):
        self._feel()
        super().give_back(*args, **how)

    def _feel(self):
        self.asked += 1
        if self.is_cut:
            raise StoreAway("the wire is cut")


@pytest.fixture
def wire(fake_clock):
    return Wire(clock=fake_clock)


async def test_while_the_store_is_away_each_process_counts_alone_and_few_calls_ask(wire, fake_clock):
    heard = []
    store = SpareLimiterStore(
        wire, name="quota", again_s=5, clock=fake_clock, listeners=[lambda it: heard.append(it.what)]
    )
    assert store.take("key", RULE).is_admitted
    wire.is_cut = True
    answers = [(await store.take_async("key", RULE)).is_admitted for _ in range(4)]
    assert (answers, store.is_away) == ([True, True, False, False], True)
    assert wire.asked == 2
    await fake_clock.advance(5)
    assert not store.take("key", RULE).is_admitted
    assert wire.asked == 3
    wire.is_cut = False
    await fake_clock.advance(5)
    assert (await store.take_async("key", RULE)).is_admitted
    assert not store.take("key", RULE).is_admitted
    assert heard == ["store_failed", "store_back"]


async def test_what_is_given_back_goes_to_the_store_in_use(wire, fake_clock):
    store = SpareLimiterStore(wire, clock=fake_clock)
    taken = store.take("key", RULE, cost=2)
    wire.is_cut = True
    await store.give_back_async("key", RULE, cost=2, due_s=taken.due_s)
    assert store.take("key", RULE, cost=2).is_admitted
    store.give_back("key", RULE, cost=2, due_s=taken.due_s)
    assert store.take("key", RULE, cost=2).is_admitted
    await store.give_back_async("key", RULE, cost=2, due_s=taken.due_s)
    assert store.take("key", RULE, cost=2).is_admitted


async def test_a_rate_limit_without_a_spare_fails_closed_and_with_one_goes_on(wire, fake_clock):
    wire.is_cut = True
    closed = rate_limit(name="quota", rate=0.001, burst=1, store=wire, clock=fake_clock)
    spare = SpareLimiterStore(wire, clock=fake_clock)
    opened = rate_limit(name="quota", rate=0.001, burst=1, store=spare, clock=fake_clock)
    with pytest.raises(StoreAway):
        closed.call_sync(lambda: "called")
    assert opened.call_sync(lambda: "called") == "called"
    with pytest.raises(RateLimited):
        opened.call_sync(lambda: "called")
