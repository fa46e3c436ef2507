"""A lock as its user sees it: entered, kept, lost, left, and taken again."""

from __future__ import annotations

import asyncio
import threading

import pytest

from holdfast.resilience import timeout
from holdfast.resilience.locks import Claim, Deadlock, Grant, LockLost, LockStoreAway, LockTimeout, MemoryLocks, lock

LONG_S = 30.0


@pytest.fixture
def backend(fake_clock):
    return MemoryLocks(clock=fake_clock)


def steal(backend, name, clock, ttl_s=30.0):
    """Take a lock away from its holder, as a store does whose clock leapt ahead."""
    backend._leases.pop(name)
    answer = backend.claim(Claim(name, "thief", "thief's attempt", ttl_s, 0))
    assert isinstance(answer, Grant)
    return answer.token


async def test_tasks_are_inside_one_at_a_time(real_backend):
    inside, most, tokens = 0, 0, []

    async def work():
        nonlocal inside, most
        async with lock("stock", real_backend, wait_s=LONG_S) as held:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            tokens.append(held.token)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(6)))
    assert most == 1
    assert tokens == sorted(set(tokens))


def test_threads_are_inside_one_at_a_time(real_backend):
    inside, most, done = 0, 0, []

    def work():
        nonlocal inside, most
        with lock("stock", real_backend, wait_s=LONG_S):
            inside += 1
            most = max(most, inside)
            done.append(None)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert (most, len(done)) == (1, 4)


async def test_who_waits_too_long_is_told_who_holds_it(backend, fake_clock):
    async with lock("stock", backend, owner="ann", clock=fake_clock):
        waiting = asyncio.ensure_future(lock("stock", backend, owner="bob", wait_s=2, clock=fake_clock).acquire())
        await fake_clock.advance(3)
        with pytest.raises(LockTimeout, match="'ann' holds it") as caught:
            await waiting
    assert caught.value.retry_after_s > 0
    assert not backend._queues


async def test_a_lock_that_may_not_be_waited_for_is_refused_at_once(backend):
    async with lock("stock", backend, owner="ann"):
        with pytest.raises(LockTimeout):
            await lock("stock", backend, owner="bob", wait_s=0).acquire()


async def test_a_task_that_ends_without_giving_its_lock_back_is_followed_when_its_time_is_over(backend, fake_clock):
    await asyncio.create_task(lock("stock", backend, ttl_s=30, clock=fake_clock).acquire())
    await fake_clock.advance(31)
    async with lock("stock", backend, wait_s=0, clock=fake_clock):
        pass


def test_a_thread_that_ends_without_giving_its_lock_back_is_followed_when_its_time_is_over(backend, fake_clock):
    thread = threading.Thread(target=lock("stock", backend, ttl_s=0.03, clock=fake_clock).acquire_sync)
    thread.start()
    thread.join(timeout=30)
    keepers = [it for it in threading.enumerate() if it.name == "keeps-lock-stock"]
    for keeper in keepers:
        keeper.join(LONG_S)
        assert not keeper.is_alive()
    fake_clock.sleep_sync(1)
    with lock("stock", backend, wait_s=0, clock=fake_clock):
        pass


async def test_a_lock_taken_by_hand_may_be_given_back_by_what_was_given(backend):
    stock = lock("stock", backend, reentrant=True)
    for _ in range(2):
        held = await stock.acquire()
        await held.release()
    assert not backend._leases


async def test_a_held_lock_is_renewed_for_as_long_as_the_work_takes(backend, fake_clock):
    async with lock("stock", backend, ttl_s=30, clock=fake_clock) as held:
        for _ in range(20):
            await fake_clock.advance(9)
        held.check()
        assert held.remaining_s > 15


async def test_an_unrenewed_lock_is_lost_by_the_holders_own_clock(backend, fake_clock):
    held = await lock("stock", backend, ttl_s=30, renew=False, clock=fake_clock).acquire()
    await fake_clock.advance(31)
    assert held.is_lost
    with pytest.raises(LockLost, match="not renewed for 30 s"):
        held.check()
    with pytest.raises(LockLost):
        await held.renew()


async def test_a_holder_that_extends_by_hand_keeps_the_lock(backend, fake_clock):
    held = await lock("stock", backend, ttl_s=30, renew=False, clock=fake_clock).acquire()
    await fake_clock.advance(20)
    await held.renew()
    await fake_clock.advance(20)
    held.check()


async def test_the_work_is_cancelled_at_once_when_the_lock_is_lost(backend, fake_clock):
    entered = asyncio.Event()
    told = []

    async def work():
        async with lock("stock", backend, ttl_s=30, clock=fake_clock) as held:
            held.when_lost(told.append)
            entered.set()
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await entered.wait()
    token = steal(backend, "stock", fake_clock)
    await fake_clock.advance(10)
    with pytest.raises(LockLost, match="stock"):
        await working
    assert working.cancelling() == 0
    assert [held.token < token for held in told] == [True]


async def test_a_cancellation_from_outside_stays_one(backend):
    entered = asyncio.Event()

    async def work():
        async with lock("stock", backend):
            entered.set()
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await entered.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await (await acquire_now(backend)).release()


async def acquire_now(backend):
    return await lock("stock", backend, wait_s=0).acquire()


async def test_work_that_ends_after_the_loss_is_told_of_it(backend, fake_clock):
    with pytest.raises(LockLost):
        async with lock("stock", backend, ttl_s=30, renew=False, clock=fake_clock):
            fake_clock._elapsed_s += 31


async def test_the_works_own_error_is_not_hidden_by_the_loss(backend, fake_clock):
    with pytest.raises(ZeroDivisionError):
        async with lock("stock", backend, ttl_s=30, renew=False, clock=fake_clock):
            fake_clock._elapsed_s += 31
            raise ZeroDivisionError


async def test_a_waiter_that_is_cancelled_leaves_no_trace(backend, fake_clock):
    async with lock("stock", backend, owner="ann"):
        waiting = asyncio.ensure_future(lock("stock", backend, owner="bob", clock=fake_clock).acquire())
        await fake_clock.advance(0)
        assert backend._queues
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert not backend._queues
    assert not backend._leases


async def test_a_lock_granted_to_a_cancelled_task_is_given_back(fake_clock):
    class SlowGrants(MemoryLocks):
        async def claim_async(self, claim):
            granted = self.claim(claim)
            await go_on.wait()
            return granted

    go_on, slow = asyncio.Event(), SlowGrants()
    taking = asyncio.ensure_future(lock("stock", slow).acquire())
    await fake_clock.advance(0)
    assert slow._leases
    taking.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert not slow._leases


async def test_taking_ones_own_lock_again_is_a_deadlock_unless_allowed(backend):
    async with lock("stock", backend):
        with pytest.raises(Deadlock, match="reentrant=True"):
            await lock("stock", backend).acquire()
    async with lock("stock", backend, reentrant=True) as outer:
        async with lock("stock", backend, reentrant=True) as inner:
            assert inner.token == outer.token
        with pytest.raises(LockTimeout):
            await lock("stock", backend, owner="bob", wait_s=0).acquire()
    assert not backend._leases


async def test_a_child_task_is_not_its_parent(backend):
    async with lock("stock", backend, reentrant=True):
        child = asyncio.ensure_future(lock("stock", backend, reentrant=True, wait_s=0).acquire())
        with pytest.raises(LockTimeout):
            await child


async def test_two_tasks_that_wait_for_each_other_are_told(backend):
    both_hold = asyncio.Barrier(2)

    async def transfer(first, second):
        async with lock(first, backend, wait_s=LONG_S):
            await both_hold.wait()
            async with lock(second, backend, wait_s=LONG_S):
                return "done"

    ends = await asyncio.gather(transfer("a", "b"), transfer("b", "a"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Deadlock", "str"]


async def test_it_guards_functions_of_both_kinds_and_composes(backend):
    @lock("stock", backend, wait_s=0)
    async def take(count: int) -> int:
        """Take some."""
        assert backend._leases
        return count

    @lock("stock", backend, wait_s=0)
    def take_plainly(count: int) -> int:
        assert backend._leases
        return count

    assert take.__doc__ == "Take some."
    assert (await take(2), take_plainly(3)) == (2, 3)
    assert await (lock("stock", backend) | timeout(LONG_S)).call(take.__wrapped__, 4) == 4
    assert not backend._leases


def test_a_thread_is_told_by_check_and_at_the_end(backend, fake_clock):
    def work():
        with lock("stock", backend, ttl_s=30, renew=False, clock=fake_clock) as held:
            fake_clock.sleep_sync(31)
            with pytest.raises(LockLost):
                held.check()
            with pytest.raises(LockLost):
                held.renew_sync()

    with pytest.raises(LockLost):
        work()


def test_a_thread_keeps_its_lock_while_it_works(backend, fake_clock):
    renewed = threading.Event()
    renew = backend.renew
    backend.renew = lambda *args: renew(*args) and not renewed.set()
    with lock("stock", backend, ttl_s=0.3, clock=fake_clock) as held:
        assert renewed.wait(LONG_S)
        assert held.token


async def test_one_kind_of_lock_serves_many_things(backend):
    orders = lock("order", backend, wait_s=0)
    async with orders.with_name("order/1"), orders.with_name("order/2"):
        assert sorted(backend._leases) == ["order/1", "order/2"]


async def test_who_leaves_what_it_does_not_hold_is_told(backend):
    with pytest.raises(RuntimeError, match="not held by"):
        await lock("stock", backend).release()


@pytest.mark.parametrize(("name", "ttl_s", "wait_s"), [("", 1, 1), ("n" * 201, 1, 1), ("a", 0, 1), ("a", 1, -1)])
def test_numbers_and_names_that_mean_nothing_are_refused(backend, name, ttl_s, wait_s):
    with pytest.raises(ValueError):
        lock(name, backend, ttl_s=ttl_s, wait_s=wait_s)


async def test_listeners_hear_what_happens(backend, fake_clock):
    heard = []
    stock = lock(
        "stock", backend, ttl_s=30, renew=False, clock=fake_clock, listeners=[lambda event: heard.append(event)]
    )
    with pytest.raises(LockLost):
        async with stock:
            fake_clock._elapsed_s += 31
    assert [(event.kind, event.name, event.what) for event in heard] == [
        ("lock", "stock", "acquired"),
        ("lock", "stock", "lost"),
    ]


async def test_a_store_that_is_away_ends_the_hold_when_the_time_is_over_and_not_before(fake_clock):
    class Away(MemoryLocks):
        async def renew_async(self, claim, token):
            raise LockStoreAway("nobody answers")

    held = []

    async def work():
        async with lock("stock", Away(clock=fake_clock), ttl_s=30, clock=fake_clock) as mine:
            held.append(mine)
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await fake_clock.advance(29)
    assert not held[0].is_lost
    await fake_clock.advance(2)
    with pytest.raises(LockLost, match="not renewed"):
        await working


async def test_a_store_that_is_away_when_the_lock_is_left_harms_nobody(fake_clock):
    class Away(MemoryLocks):
        async def release_async(self, claim, token):
            raise LockStoreAway("nobody answers")

    heard = []
    async with lock("stock", Away(), listeners=[lambda event: heard.append(event.what)]):
        pass
    assert heard == ["acquired", "release_failed"]
