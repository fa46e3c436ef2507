"""Queues as workflows meet them: limits over engines, delay, priority, pause, drain, keys that hold for a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from fixtures.engines_of_runs import Engines, kill, until
from holdfast.kernel.errors import ConflictError, InvalidError, LimitError, NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunsSettings, RunState, workflow
from holdfast.kernel.runs.queues import Queue


@dataclass
class Work:
    """What the workflow of a test has seen: who is at work, who was, in which order."""

    live: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    order: list[int] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def job(work: Work):
    @workflow("job")
    async def job(ctx: Run, given: tuple[int, str]) -> int:
        number, group = given
        work.order.append(number)
        for name in (group, "all"):
            work.live[name] += 1
            work.most[name] = max(work.most[name], work.live[name])
        await asyncio.sleep(0)
        await work.gate.wait()
        for name in (group, "all"):
            work.live[name] -= 1
        return number

    return job


async def test_two_engines_keep_the_limits_of_a_queue_together(engines: Engines, job, work) -> None:
    queue = Queue("hosts", concurrency=3, per_key=2)
    both = [engines.make(job) for _ in range(_several(engines))]
    for runs in both:
        runs.queue(queue)
        await engines.stack.enter_async_context(runs.running())
    work.gate.set()
    starts = [
        both[n % len(both)].start(job, (n, f"h{n % 4}"), queue="hosts", concurrency_key=f"h{n % 4}") for n in range(40)
    ]
    handles = await asyncio.gather(*starts)
    assert sorted(await asyncio.gather(*(handle.result(30) for handle in handles))) == list(range(40))
    assert work.most["all"] <= 3
    assert max(count for name, count in work.most.items() if name != "all") <= 2


async def test_a_place_that_a_dead_process_held_is_free_after_recovery(engines: Engines, job, work) -> None:
    queue = Queue("deploys", concurrency=1)
    engines.settings = RunsSettings(heartbeat=0.05, lease=0.1)
    first = engines.make(job)
    first.queue(queue)
    await engines.stack.enter_async_context(first.running())
    handles = [await first.start(job, (n, "x"), queue="deploys") for n in range(3)]
    await until(lambda: work.order)
    await kill(first)
    work.live.clear()
    work.gate.set()
    second = engines.make(job)
    second.queue(queue)
    await engines.stack.enter_async_context(second.running())
    assert [await second.handle(handle.id).result(30) for handle in handles] == [0, 1, 2]
    assert work.most["all"] == 1


async def test_runs_start_by_priority_when_a_place_is_free(engines: Engines, job, work) -> None:
    runs = engines.make(job)
    runs.queue(Queue("one", concurrency=1))
    handles = [
        await runs.start(job, (n, "x"), queue="one", priority=priority) for n, priority in enumerate([0, -5, 5, 1])
    ]
    work.gate.set()
    await engines.stack.enter_async_context(runs.running())
    await asyncio.gather(*(handle.result(30) for handle in handles))
    assert work.order == [2, 3, 0, 1]
    with pytest.raises(InvalidError, match="priority 1001"):
        await runs.start(job, (1, "x"), priority=1001)


async def test_a_pause_holds_new_runs_and_lets_begun_ones_go_on(engines: Engines, work) -> None:
    @workflow("asks")
    async def asks(ctx: Run) -> str:
        work.order.append(1)
        await ctx.signal("go")
        return "gone"

    runs = await engines.run(asks)
    first = await runs.start(asks)
    await until(lambda: work.order)
    await runs.queues.pause("default", actor="user/1")
    second = await runs.start(asks)
    await runs.signal(first.id, "go")
    assert await first.result(30) == "gone"
    assert (await runs.get(second.id)).state is RunState.QUEUED
    await runs.queues.resume("default", actor="user/1")
    await runs.signal(second.id, "go")
    assert await second.result(30) == "gone"


async def test_a_draining_queue_refuses_starts_and_finishes_what_it_has_children_too(engines: Engines, work) -> None:
    @workflow("child")
    async def child(ctx: Run) -> int:
        return 7

    @workflow("parent")
    async def parent(ctx: Run) -> int:
        work.order.append(1)
        await work.gate.wait()
        return await ctx.child("one", child)

    runs = await engines.run(parent, child)
    handle = await runs.start(parent)
    await until(lambda: work.order)
    await runs.queues.drain("default", actor="user/1")
    with pytest.raises(ConflictError, match="default is draining"):
        await runs.start(parent)
    work.gate.set()
    assert await handle.result(30) == 7


async def test_a_full_queue_refuses(engines: Engines, job) -> None:
    runs = engines.make(job)
    runs.queue(Queue("small", max_queued=2))
    for number in range(2):
        await runs.start(job, (number, "x"), queue="small")
    with pytest.raises(LimitError, match="2 runs wait in queue small"):
        await runs.start(job, (2, "x"), queue="small")
    with pytest.raises(NotFoundError, match="did you mean 'small'"):
        await runs.start(job, (2, "x"), queue="smal")


async def test_a_retried_run_asks_for_a_place_again(engines: Engines, work) -> None:
    tries: list[str] = []

    async def shaky(name: str) -> str:
        tries.append(name)
        if name == "bad" and tries.count("bad") == 1:
            raise ValueError("not today")
        await work.gate.wait()
        return name

    @workflow("deploy")
    async def deploy(ctx: Run, name: str) -> str:
        return await ctx.step("do", shaky, name)

    runs = engines.make(deploy)
    runs.queue(Queue("deploys", concurrency=1))
    await engines.stack.enter_async_context(runs.running())
    bad = await runs.start(deploy, "bad", queue="deploys")
    await until(lambda: _is(runs, bad.id, RunState.FAILED))
    good = await runs.start(deploy, "good", queue="deploys")
    await until(lambda: tries == ["bad", "good"])
    await runs.retry(bad.id)
    assert (await runs.get(bad.id)).state is RunState.QUEUED
    work.gate.set()
    assert await good.result(30) == "good"
    await until(lambda: _is(runs, bad.id, RunState.SUCCEEDED))
    assert tries == ["bad", "good", "bad"]


async def test_a_singleton_runs_once_at_a_time_and_again_later(engines: Engines, job, work) -> None:
    runs = await engines.run(job)
    several = [await runs.start(job, (n, "x"), key="sweep", unique="active") for n in range(3)]
    assert len({handle.id for handle in several}) == 1
    assert [handle.is_new for handle in several] == [True, False, False]
    work.gate.set()
    assert await several[2].result(30) == 0
    again = await runs.start(job, (9, "x"), key="sweep", unique="active")
    assert again.is_new
    assert await again.result(30) == 9
    assert (await runs.get(again.id)).key == "sweep"


async def test_singletons_of_engines_that_start_at_once_are_one(engines: Engines, job, work) -> None:
    both = [await engines.run(job) for _ in range(_several(engines))]
    starts = [both[n % len(both)].start(job, (n, "x"), key="sweep", unique="active") for n in range(20)]
    handles = await asyncio.gather(*starts)
    assert len({handle.id for handle in handles}) == 1
    assert sum(handle.is_new for handle in handles) == 1
    work.gate.set()


async def test_a_debounced_run_has_the_newest_input_and_the_next_start_makes_another(
    engines: Engines, job, work
) -> None:
    runs = await engines.run(job)
    work.gate.set()
    starts = [runs.start(job, (n, "x"), key="reindex/42", debounce_s=0.3) for n in range(5)]
    handles = [await start for start in starts]
    assert len({handle.id for handle in handles}) == 1
    assert await handles[0].result(30) == 4
    other = await runs.start(job, (7, "x"), key="reindex/42", debounce_s=0.01)
    assert other.id != handles[0].id
    assert await other.result(30) == 7
    assert work.order == [4, 7]
    with pytest.raises(InvalidError, match="needs a key"):
        await runs.start(job, (7, "x"), debounce_s=1)


async def test_a_debounce_ends_even_when_starts_keep_coming(engines: Engines, job, fake_clock) -> None:
    engines.clock = fake_clock
    runs = engines.make(job)
    first = await runs.start(job, (0, "x"), key="reindex", debounce_s=10)
    for number in range(1, 15):
        await fake_clock.advance(9)
        await runs.start(job, (number, "x"), key="reindex", debounce_s=10)
    view = await runs.get(first.id)
    assert view.wake_at is not None
    assert (view.wake_at - view.created_at).total_seconds() == 100
    assert view.input == [14, "x"]


async def test_starts_debounced_in_one_batch_keep_the_newest_input(engines: Engines, job) -> None:
    runs = engines.make(job)
    starts = [runs.start(job, (n, "x"), key="reindex", debounce_s=60) for n in range(30)]
    handles = await asyncio.gather(*starts)
    assert len({handle.id for handle in handles}) == 1
    [view] = (await runs.list(DEFAULT_TENANT)).items
    assert view.input == [29, "x"]


def _several(engines: Engines) -> int:
    return 2 if engines.db.dialect == "postgresql" else 1  # a SQLite folder has one owner


async def _is(runs, run_id, state) -> bool:
    return (await runs.get(run_id)).state is state
