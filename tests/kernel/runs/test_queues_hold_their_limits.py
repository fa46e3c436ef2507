"""Claims: never more than a queue allows, in the order of rank, whatever the other process does."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select, update

from holdfast.kernel.runs.queues import Claimant, Queue, claim
from holdfast.kernel.runs.queues.states import QueueState, rule
from holdfast.kernel.runs.tables import METADATA, RUNS
from kernel.runs.queuerows import START, enqueue, ids, row, set_state, take

FREE = Queue("mail")


@pytest.fixture
def rows(db):
    return db


async def test_a_claimed_run_is_the_workers_with_the_next_epoch(rows):
    (run_id,) = await enqueue(rows, row(FREE))
    (claimed,) = (await take(rows, FREE, worker="w1")).runs
    assert (claimed.run_id, claimed.queue, claimed.epoch) == (run_id, "mail", 1)
    found = await rows.read(lambda tx: tx.execute(select(RUNS)).one())
    assert (found.state, found.owner, found.started_at) == ("running", "w1", START)


async def test_a_claim_takes_no_more_than_the_worker_has_room_for(rows):
    await enqueue(rows, *(row(FREE) for _ in range(5)))
    assert len((await take(rows, FREE, room=3)).runs) == 3
    assert len((await take(rows, FREE, room=3)).runs) == 2


async def test_runs_start_by_age_and_priority_buys_time(rows):
    first, urgent, later = await enqueue(
        rows,
        row(FREE, START),
        row(FREE, START + timedelta(seconds=90), priority=2),
        row(FREE, START + timedelta(seconds=30)),
    )
    order = [(await ids(rows, FREE, room=1, at=START + timedelta(minutes=3)))[0] for _ in range(3)]
    assert order == [urgent, first, later]


async def test_a_low_priority_is_overtaken_only_for_as_long_as_its_steps_are_worth(rows):
    queue = Queue("mail", ageing="10s")
    (low,) = await enqueue(rows, row(queue, START, priority=-3))
    await enqueue(rows, *(row(queue, START + timedelta(seconds=s), priority=3) for s in range(0, 90, 10)))
    taken = [(await ids(rows, queue, room=1, at=START + timedelta(seconds=100)))[0] for _ in range(10)]
    assert taken.index(low) == 6


async def test_a_delayed_run_waits_and_the_claim_says_until_when(rows):
    (run_id,) = await enqueue(rows, row(FREE, delay_s=60))
    claimed = await take(rows, FREE, at=START + timedelta(seconds=59))
    assert not claimed.runs
    assert claimed.retry_at == START + timedelta(seconds=60)
    assert await ids(rows, FREE, at=START + timedelta(seconds=60)) == [run_id]


async def test_queues_that_this_process_does_not_know_are_left_alone(rows):
    await enqueue(rows, row(Queue("elsewhere")))
    assert not (await take(rows, FREE)).runs


async def test_concurrency_bounds_all_workers_together(rows):
    queue = Queue("deploys", concurrency=2)
    await enqueue(rows, *(row(queue) for _ in range(5)))
    one = await ids(rows, queue, worker="one", room=1)
    two = await ids(rows, queue, worker="two")
    assert (len(one), len(two)) == (1, 1)
    assert not await ids(rows, queue)
    await set_state(rows, one[0], "succeeded")
    assert len(await ids(rows, queue)) == 1


async def test_per_worker_bounds_each_worker(rows):
    queue = Queue("heavy", per_worker=2)
    await enqueue(rows, *(row(queue) for _ in range(5)))
    assert len(await ids(rows, queue, worker="one")) == 2
    assert len(await ids(rows, queue, worker="one")) == 0
    assert len(await ids(rows, queue, worker="two")) == 2


async def test_per_key_bounds_each_key_and_not_runs_without_one(rows):
    queue = Queue("hosts", per_key=1)
    await enqueue(rows, *(row(queue, key=key) for key in ("a", "a", "b", None, None)))
    keys = Counter(one.concurrency_key for one in (await take(rows, queue)).runs)
    assert keys == {"a": 1, "b": 1, "": 2}
    assert not await ids(rows, queue)


async def test_a_key_with_a_long_line_does_not_hide_the_others(rows):
    queue = Queue("hosts", per_key=1)
    await enqueue(rows, *(row(queue, key="busy") for _ in range(500)))
    late, keyless = await enqueue(
        rows, row(queue, START + timedelta(hours=1), key="quiet"), row(queue, START + timedelta(hours=1))
    )
    at = START + timedelta(hours=2)
    assert set(await ids(rows, queue, at=at)) >= {late, keyless}
    assert not await ids(rows, queue, at=at)


@pytest.mark.parametrize(("while_waiting", "started"), [("holds", 0), ("frees", 1)])
async def test_a_waiting_run_holds_or_frees_its_place_as_the_queue_says(rows, while_waiting, started):
    queue = Queue("deploys", concurrency=1, while_waiting=while_waiting)
    first, _ = await enqueue(rows, row(queue), row(queue))
    assert await ids(rows, queue) == [first]
    await set_state(rows, first, "waiting")
    assert len(await ids(rows, queue)) == started
    await set_state(rows, first, "queued")
    assert await ids(rows, queue) == ([first] if while_waiting == "holds" else [])


async def test_a_rate_lets_so_many_start_in_any_period(rows):
    queue = Queue("mail", rate="3/10s")
    await enqueue(rows, *(row(queue) for _ in range(10)))
    assert len(await ids(rows, queue, at=START, room=2)) == 2
    claimed = await take(rows, queue, at=START + timedelta(seconds=4))
    assert len(claimed.runs) == 1
    assert claimed.retry_at == START + timedelta(seconds=10)
    assert len(await ids(rows, queue, at=START + timedelta(seconds=9))) == 0
    assert len(await ids(rows, queue, at=START + timedelta(seconds=10))) == 2
    assert len(await ids(rows, queue, at=START + timedelta(seconds=14))) == 1


async def test_nothing_starts_from_a_paused_queue_and_the_others_go_on(rows):
    deploys = Queue("deploys", concurrency=1)
    await enqueue(rows, row(deploys), row(FREE))
    for name in ("deploys", "mail"):
        assert await rows.write(lambda tx, name=name: rule(tx, name, QueueState.PAUSED, "user/1", START))
        assert not await rows.write(lambda tx, name=name: rule(tx, name, QueueState.PAUSED, "user/1", START))
    assert not await ids(rows, deploys, FREE)
    await rows.write(lambda tx: rule(tx, "mail", QueueState.OPEN, "user/1", START))
    await rows.write(lambda tx: rule(tx, "deploys", QueueState.DRAINING, "user/1", START))
    assert len(await ids(rows, deploys, FREE)) == 2


async def test_what_has_begun_goes_on_in_a_paused_queue(rows):
    queues = [FREE, Queue("deploys", concurrency=2), Queue("hosts", per_key=1, while_waiting="frees")]
    begun = await enqueue(rows, *(row(queue, key="a") for queue in queues))
    assert set(await ids(rows, *queues)) == set(begun)
    await enqueue(rows, *(row(queue, START - timedelta(days=1), key="b") for queue in queues))
    for queue in queues:
        await rows.write(lambda tx, name=queue.name: rule(tx, name, QueueState.PAUSED, "user/1", START))
    for run_id in begun:
        await set_state(rows, run_id, "queued")
    assert set(await ids(rows, *queues)) == set(begun)
    assert not await ids(rows, *queues)


async def test_runs_of_workflows_that_this_process_does_not_know_are_left_alone(rows):
    queues = [FREE, Queue("deploys", concurrency=2)]
    await enqueue(rows, *(row(queue, workflow="other") for queue in queues))
    mine = await enqueue(rows, *(row(queue) for queue in queues))
    assert set(await ids(rows, *queues)) == set(mine)


async def test_workers_that_claim_at_once_never_exceed_a_limit_nor_take_a_run_twice(rows):
    queues = [Queue("deploys", concurrency=7), Queue("hosts", per_key=1), FREE]
    await enqueue(rows, *(row(queue, key=f"k{n % 5}") for queue in queues for n in range(30)))
    for _ in range(6):
        batches = await asyncio.gather(*(take(rows, *queues, worker=f"w{n}", room=10) for n in range(4)))
        taken = [one.run_id for batch in batches for one in batch.runs]
        assert len(taken) == len(set(taken))
    running = select(RUNS.c.queue, RUNS.c.concurrency_key).where(RUNS.c.state == "running")
    found = await rows.read(lambda tx: tx.execute(running).all())
    assert Counter(one.queue for one in found) == {"deploys": 7, "hosts": 5, "mail": 30}
    assert max(Counter(one.concurrency_key for one in found if one.queue == "hosts").values()) == 1


LIMITS = st.none() | st.integers(1, 4)
STEPS = st.lists(
    st.tuples(st.just("start"), st.sampled_from(["a", "b", "c", None]), st.integers(-3, 3))
    | st.tuples(st.just("claim"), st.sampled_from(["one", "two"]), st.integers(1, 5))
    | st.tuples(st.sampled_from(["end", "wait", "wake"]), st.integers(0, 20), st.none())
    | st.tuples(st.just("pass"), st.integers(1, 30), st.none()),
    max_size=60,
)


@settings(max_examples=60)
@given(
    concurrency=LIMITS,
    per_worker=LIMITS,
    per_key=LIMITS,
    rate=st.sampled_from([None, "3/10s"]),
    while_waiting=st.sampled_from(["holds", "frees"]),
    steps=STEPS,
)
def test_no_history_of_starts_and_ends_exceeds_a_limit_and_all_get_through(
    concurrency, per_worker, per_key, rate, while_waiting, steps
):
    queue = Queue("q", concurrency, per_worker, per_key, rate, while_waiting=while_waiting)
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    now, starts = START, []
    with engine.connect() as tx:
        for what, detail, number in steps:
            if what == "start":
                tx.execute(insert(RUNS), [row(queue, now, key=detail, priority=number)])
            elif what == "claim":
                fresh = {one.id for one in tx.execute(select(RUNS.c.id).where(RUNS.c.started_at.is_(None)))}
                claimed = claim(tx, {"q": queue}, Claimant(detail, ("w",), number), now).runs
                assert len(claimed) <= number
                starts += [now for one in claimed if one.run_id in fresh]
            elif what == "pass":
                now += timedelta(seconds=detail)
            else:
                move(tx, what, detail)
            check_limits(tx, queue, starts, now)
        drain_all(tx, queue, now)


def move(tx, what, number):
    moves = {"end": ("running", "succeeded"), "wait": ("running", "waiting"), "wake": ("waiting", "queued")}
    source, target = moves[what]
    found = tx.execute(select(RUNS.c.id).where(RUNS.c.state == source).order_by(RUNS.c.id)).all()
    if found:
        chosen = found[number % len(found)].id
        tx.execute(update(RUNS).where(RUNS.c.id == chosen).values(state=target, owner=None))


def check_limits(tx, queue, starts, now):
    states = ["running"] if queue.while_waiting == "frees" else ["queued", "running", "waiting"]
    held = tx.execute(select(RUNS).where(RUNS.c.holds_place, RUNS.c.state.in_(states))).all()
    if queue.concurrency:
        assert len(held) <= queue.concurrency
    if queue.per_worker:
        running = Counter(one.owner for one in held if one.state == "running")
        assert max(running.values(), default=0) <= queue.per_worker
    if queue.per_key:
        keys = Counter(one.concurrency_key for one in held if one.concurrency_key)
        assert max(keys.values(), default=0) <= queue.per_key
    if queue.starts:
        assert sum(at > now - timedelta(seconds=10) for at in starts) <= queue.starts.limit


def drain_all(tx, queue, now):
    """End what runs, over and over: after finitely many claims nothing may be left."""
    for _ in range(200):
        tx.execute(update(RUNS).where(RUNS.c.state.in_(["running", "waiting"])).values(state="succeeded", owner=None))
        if not tx.execute(select(RUNS.c.id).where(RUNS.c.state == "queued")).all():
            return
        now += timedelta(seconds=10)
        claim(tx, {"q": queue}, Claimant("one", ("w",), 10), now)
    raise AssertionError("runs were left waiting for ever")
