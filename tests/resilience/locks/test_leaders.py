"""One leader at a time, followed in a known time, and told at once when it is one no more."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine

from holdfast.resilience.leaders import leader
from holdfast.resilience.locks import LockLost, LockStoreAway, MemoryLocks
from holdfast.resilience.sql import SqlLocks

LONG_S = 30.0
TTL_S = 15.0


class Wire(MemoryLocks):
    """A store that one candidate reaches over a wire that can be cut."""

    def __init__(self, store, clock):
        super().__init__(clock=clock)
        self._store = store
        self.is_cut = False

    async def claim_async(self, claim):
        self._feel()
        return self._store.claim(claim)

    async def wait_async(self, claim, answer, seconds):
        await self._store.wait_async(claim, answer, seconds)

    async def renew_async(self, claim, token):
        self._feel()
        return self._store.renew(claim, token)

    async def release_async(self, claim, token):
        self._feel()
        self._store.release(claim, token)

    def _feel(self):
        if self.is_cut:
            raise LockStoreAway("the wire is cut")


@pytest.fixture
def store(fake_clock):
    return MemoryLocks(clock=fake_clock)


async def test_one_of_many_leads(real_backend):
    async with (
        leader("scheduler", real_backend, candidate="ann") as ann,
        leader("scheduler", real_backend, candidate="bob") as bob,
    ):
        first = asyncio.ensure_future(ann.elected())
        second = asyncio.ensure_future(bob.elected())
        done, waiting = await asyncio.wait({first, second}, timeout=LONG_S, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        assert ann.is_leader != bob.is_leader
        for task in waiting:
            task.cancel()


async def test_who_leaves_is_followed_with_a_larger_token(store, fake_clock):
    async with leader("scheduler", store, candidate="ann", clock=fake_clock) as ann:
        old = await ann.elected()
        bobs = leader("scheduler", store, candidate="bob", clock=fake_clock)
        bob = await bobs.__aenter__()
        await fake_clock.advance(1)
        assert not bob.is_leader
    await fake_clock.advance(1)
    assert bob.is_leader
    assert bob.token > old
    with pytest.raises(LockLost):
        _ = ann.token
    await bobs.__aexit__(None, None, None)


async def test_a_leader_that_is_cut_off_is_followed_after_its_ttl_and_never_leads_beside_it(store, fake_clock):
    wire = Wire(store, fake_clock)
    async with (
        leader("scheduler", wire, candidate="ann", ttl_s=TTL_S, clock=fake_clock) as ann,
    ):
        await ann.elected()
        async with leader("scheduler", store, candidate="bob", ttl_s=TTL_S, clock=fake_clock) as bob:
            await fake_clock.advance(60)
            assert ann.is_leader
            wire.is_cut = True
            cut_s = fake_clock.monotonic()
            while not bob.is_leader:
                assert fake_clock.monotonic() <= cut_s + TTL_S + 1, "the fail-over time is the ttl and one poll"
                await fake_clock.advance(0.25)
                assert not (ann.is_leader and bob.is_leader)
            assert not ann.is_leader


async def test_who_steps_down_lets_others_go_first(store, fake_clock):
    async with leader("scheduler", store, candidate="ann", ttl_s=TTL_S, clock=fake_clock) as ann:
        await ann.elected()
        async with leader("scheduler", store, candidate="bob", ttl_s=TTL_S, clock=fake_clock) as bob:
            await fake_clock.advance(0)
            ann.step_down()
            await fake_clock.advance(1)
            assert (ann.is_leader, bob.is_leader) == (False, True)
        await fake_clock.advance(TTL_S + 1)
        assert ann.is_leader


async def test_work_runs_while_one_leads_and_again_after_a_new_election(store, fake_clock):
    tokens, ended = [], []

    async def work(token):
        tokens.append(token)
        if len(tokens) == 2:
            return "done"
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(token)

    async with leader("scheduler", store, candidate="ann", ttl_s=TTL_S, clock=fake_clock) as ann:
        leading = asyncio.ensure_future(ann.lead(work))
        await fake_clock.advance(0)
        ann.step_down()
        await fake_clock.advance(TTL_S + 1)
        assert await leading == "done"
    assert tokens == sorted(set(tokens))
    assert ended == tokens[:1]


async def test_listeners_hear_of_terms_and_of_failed_campaigns(store, fake_clock):
    heard, wire = [], Wire(store, fake_clock)
    wire.is_cut = True
    async with leader("scheduler", wire, ttl_s=TTL_S, clock=fake_clock, listeners=[lambda it: heard.append(it.what)]):
        await fake_clock.advance(1)
        wire.is_cut = False
        await fake_clock.advance(TTL_S)
    assert heard == ["campaign_failed", "elected", "deposed"]


async def test_a_campaign_that_cannot_succeed_is_told_to_who_waits(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(LookupError, match="create_tables"):
        async with leader("scheduler", SqlLocks(engine)) as ann:
            await asyncio.wait_for(ann.elected(), LONG_S)
    engine.dispose()


def test_plain_code_is_told_too(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(LookupError, match="create_tables"), leader("scheduler", SqlLocks(engine)) as ann:
        ann.elected_sync(LONG_S)
    engine.dispose()


async def test_candidates_of_one_task_are_not_taken_for_one(store, fake_clock):
    async with leader("scheduler", store, clock=fake_clock) as ann, leader("scheduler", store, clock=fake_clock) as bob:
        await fake_clock.advance(1)
        assert (ann.is_leader, bob.is_leader) == (True, False)


def test_plain_code_leads_too():
    backend = MemoryLocks()
    with leader("scheduler", backend, candidate="ann") as ann:
        assert ann.elected_sync(LONG_S) == ann.token
        with leader("scheduler", backend, candidate="bob") as bob:
            ann.step_down()
            assert bob.elected_sync(LONG_S) > 0
            assert not ann.is_leader
    assert not backend._leases


def test_a_time_that_means_nothing_is_refused(store):
    with pytest.raises(ValueError, match="ttl_s"):
        leader("scheduler", store, ttl_s=0)
