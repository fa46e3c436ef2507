"""What every store of locks does: one holder, in turn, for a time, with tokens that only grow."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.resilience.locks import Claim, Deadlock, Fence, Grant, LockQueueFull, MemoryLocks, Refusal, StaleToken
from holdfast.resilience.redis import locks as redis_locks
from holdfast.resilience.sql import SqlLocks, admit_token, metadata, queues

TTL_S = 30.0
PATIENCE_S = 5.0


def claim_of(owner, name="orders/42", *, patience_s=PATIENCE_S):
    return Claim(name, owner, f"{owner}-waits-for-{name}", TTL_S, patience_s)


def win(backend, owner, name="orders/42"):
    answer = backend.claim(claim_of(owner, name))
    assert isinstance(answer, Grant)
    return answer.token


def test_a_free_lock_is_granted_and_a_held_one_refused_with_its_holder(backend):
    win(backend, "ann")
    answer = backend.claim(claim_of("bob", patience_s=0))
    assert isinstance(answer, Refusal)
    assert answer.holder == "ann"
    assert 0 < answer.free_in_s <= TTL_S


def test_locks_of_other_names_do_not_matter(backend):
    win(backend, "ann")
    win(backend, "bob", "orders/43")


def test_a_released_lock_is_free_and_each_grant_has_a_larger_token(backend):
    tokens = []
    for owner in ("ann", "bob", "ann"):
        tokens.append(win(backend, owner))
        backend.release(claim_of(owner), tokens[-1])
    assert tokens == sorted(set(tokens))


def test_waiters_are_served_in_the_order_in_which_they_came(backend):
    token = win(backend, "ann")
    waiters = ["bob", "cid", "dan"]
    assert [backend.claim(claim_of(owner)).ahead for owner in waiters] == [0, 1, 2]
    backend.release(claim_of("ann"), token)
    served = []
    while waiters:
        for owner in reversed(waiters):
            if isinstance(answer := backend.claim(claim_of(owner)), Grant):
                served.append(owner)
                waiters.remove(owner)
                backend.release(claim_of(owner), answer.token)
                break
    assert served == ["bob", "cid", "dan"]


def test_who_comes_later_does_not_overtake_a_waiter_when_the_lock_is_free(backend):
    token = win(backend, "ann")
    backend.claim(claim_of("bob"))
    backend.release(claim_of("ann"), token)
    answer = backend.claim(claim_of("eve", patience_s=0))
    assert isinstance(answer, Refusal)
    assert (answer.holder, answer.ahead) == ("", 1)
    win(backend, "bob")


def test_who_asks_again_keeps_its_place(backend):
    win(backend, "ann")
    for owner in ("bob", "cid", "bob"):
        backend.claim(claim_of(owner))
    assert backend.claim(claim_of("bob")).ahead == 0


def test_who_withdraws_does_not_stand_in_the_way(backend):
    token = win(backend, "ann")
    backend.claim(claim_of("bob"))
    backend.withdraw(claim_of("bob"))
    backend.release(claim_of("ann"), token)
    win(backend, "eve")


async def test_a_waiter_that_died_stands_in_the_way_for_its_patience_only(backend, fake_clock):
    token = win(backend, "ann")
    backend.claim(claim_of("bob"))
    backend.release(claim_of("ann"), token)
    await fake_clock.advance(PATIENCE_S - 0.5)
    assert isinstance(backend.claim(claim_of("eve", patience_s=0)), Refusal)
    await fake_clock.advance(1)
    win(backend, "eve")


async def test_a_holder_that_died_is_followed_when_its_time_is_over(timed_backend, fake_clock):
    first = win(timed_backend, "ann")
    await fake_clock.advance(TTL_S - 1)
    assert isinstance(timed_backend.claim(claim_of("bob", patience_s=0)), Refusal)
    await fake_clock.advance(2)
    assert win(timed_backend, "bob") > first


async def test_a_renewed_lock_lasts(timed_backend, fake_clock):
    token = win(timed_backend, "ann")
    for _ in range(3):
        await fake_clock.advance(TTL_S - 1)
        assert timed_backend.renew(claim_of("ann"), token)
    assert isinstance(timed_backend.claim(claim_of("bob", patience_s=0)), Refusal)


async def test_a_zombie_cannot_renew_cannot_release_and_its_token_is_refused(timed_backend, fake_clock):
    fence = Fence("orders/42")
    old = win(timed_backend, "ann")
    fence.admit(old)
    await fake_clock.advance(TTL_S + 1)
    new = win(timed_backend, "bob")
    fence.admit(new)
    assert not timed_backend.renew(claim_of("ann"), old)
    timed_backend.release(claim_of("ann"), old)
    assert timed_backend.claim(claim_of("eve", patience_s=0)).holder == "bob"
    with pytest.raises(StaleToken, match=str(old)):
        fence.admit(old)
    fence.admit(new)


async def test_time_over_is_time_over_even_when_nobody_came_meanwhile(timed_backend, fake_clock):
    token = win(timed_backend, "ann")
    await fake_clock.advance(TTL_S + 1)
    assert not timed_backend.renew(claim_of("ann"), token)


async def test_a_clock_that_goes_back_an_hour_costs_one_ttl_at_most(timed_backend, fake_clock):
    await fake_clock.advance(7200)
    first = win(timed_backend, "ann")
    fake_clock._elapsed_s -= 3600
    answer = timed_backend.claim(claim_of("bob", patience_s=0))
    assert answer.free_in_s <= TTL_S
    await fake_clock.advance(TTL_S + 1)
    assert win(timed_backend, "bob") > first


async def test_a_clock_that_leaps_ahead_gives_the_lock_away_and_the_old_holder_learns_it(timed_backend, fake_clock):
    old = win(timed_backend, "ann")
    await fake_clock.advance(3600)
    new = win(timed_backend, "bob")
    assert new > old
    assert not timed_backend.renew(claim_of("ann"), old)
    assert timed_backend.renew(claim_of("bob"), new)


def test_who_would_close_a_circle_of_waiters_is_told_the_circle(backend):
    win(backend, "ann", "a")
    win(backend, "bob", "b")
    win(backend, "cid", "c")
    assert isinstance(backend.claim(claim_of("ann", "b")), Refusal)
    assert isinstance(backend.claim(claim_of("bob", "c")), Refusal)
    with pytest.raises(Deadlock) as caught:
        backend.claim(claim_of("cid", "a"))
    assert caught.value.circle == (("cid", "a"), ("ann", "b"), ("bob", "c"))
    assert "'bob' waits for 'c', held by 'cid'" in str(caught.value)


def test_the_others_of_a_circle_go_on_when_its_last_one_gives_way(backend):
    win(backend, "ann", "a")
    token = win(backend, "bob", "b")
    backend.claim(claim_of("ann", "b"))
    with pytest.raises(Deadlock):
        backend.claim(claim_of("bob", "a"))
    backend.release(claim_of("bob", "b"), token)
    win(backend, "ann", "b")


def test_a_queue_that_is_no_circle_is_none(backend):
    win(backend, "ann", "a")
    win(backend, "bob", "b")
    assert isinstance(backend.claim(claim_of("bob", "a")), Refusal)
    assert isinstance(backend.claim(claim_of("cid", "b")), Refusal)
    assert isinstance(backend.claim(claim_of("dan", "a")), Refusal)


def test_who_only_asks_once_waits_for_nobody(backend):
    win(backend, "ann")
    asks_once = Claim("orders/42", "ann", "another attempt", TTL_S, patience_s=0)
    assert isinstance(backend.claim(asks_once), Refusal)


def test_any_name_of_a_lock_and_an_owner_will_do(backend):
    odd = "Grüße: 'quoted' %s {braces} \n ; --"
    token = win(backend, odd, odd)
    assert backend.claim(claim_of("bob", odd, patience_s=0)).holder == odd
    backend.release(claim_of(odd, odd), token)
    win(backend, "bob", odd)


def test_a_queue_has_its_bound(backend, monkeypatch):
    monkeypatch.setattr(queues, "MAX_WAITING", 2)
    monkeypatch.setattr(redis_locks, "MAX_WAITING", 2)
    if isinstance(backend, MemoryLocks):
        backend.max_waiting = 2
    win(backend, "ann")
    for owner in ("bob", "cid", "bob"):
        assert isinstance(backend.claim(claim_of(owner)), Refusal)
    with pytest.raises(LockQueueFull, match="orders/42"):
        backend.claim(claim_of("dan"))


def test_an_advisory_lock_is_free_as_soon_as_its_session_ends(make_backend):
    backend = make_backend("advisory")
    old = win(backend, "ann")
    session = backend._sessions[old].connection
    with backend._engine.begin() as other:
        pid = session.connection.driver_connection.info.backend_pid
        other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    assert win(backend, "bob") > old
    assert not backend.renew(claim_of("ann"), old)
    backend.release(claim_of("ann"), old)
    assert isinstance(backend.claim(claim_of("eve", patience_s=0)), Refusal)


async def test_the_async_verbs_do_the_same(backend):
    granted = await backend.claim_async(claim_of("ann"))
    refused = await backend.claim_async(claim_of("bob"))
    assert refused.holder == "ann"
    assert await backend.renew_async(claim_of("ann"), granted.token)
    await backend.withdraw_async(claim_of("bob"))
    await backend.release_async(claim_of("ann"), granted.token)
    again = await backend.claim_async(claim_of("cid"))
    assert again.token > granted.token


async def test_an_async_engine_serves_async_callers_and_refuses_the_others(lock_database_url):
    engine = create_async_engine(make_url(lock_database_url).set(drivername="postgresql+psycopg"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    locks = SqlLocks(engine)
    granted = await locks.claim_async(claim_of("ann"))
    assert (await locks.claim_async(claim_of("bob"))).holder == "ann"
    await locks.release_async(claim_of("ann"), granted.token)
    with pytest.raises(TypeError, match="give an Engine"):
        locks.claim(claim_of("ann"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await engine.dispose()


def test_a_write_with_an_old_token_is_refused_inside_its_transaction(lock_database_url, tmp_path):
    for url in (f"sqlite:///{tmp_path}/fences.db", make_url(lock_database_url).set(drivername="postgresql+psycopg")):
        engine = create_engine(url)
        metadata.create_all(engine)
        for token in (3, 3, 5):
            with engine.begin() as connection:
                admit_token(connection, "orders/42", token)
        with engine.begin() as connection, pytest.raises(StaleToken, match="newer token than 4"):
            admit_token(connection, "orders/42", 4)
        metadata.drop_all(engine)
        engine.dispose()
