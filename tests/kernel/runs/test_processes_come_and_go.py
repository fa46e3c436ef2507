"""Crashes, fail-over, fencing, shutdown, poison, a database that goes away, and code that has changed."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from fixtures.clocks import advance_until
from fixtures.engines_of_runs import Engines, bury, kill, until
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import ConflictError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import (
    Run,
    RunFailedError,
    RunObserver,
    Runs,
    RunState,
    StepState,
    SyncRun,
    residents,
    workflow,
)


class Gated:
    """Steps that wait until a test lets them go on."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.gate = asyncio.Event()

    async def quick(self) -> str:
        self.calls.append("quick")
        return "q"

    async def slow(self) -> str:
        self.calls.append("slow")
        await self.gate.wait()
        return "s"

    def workflow(self, name: str = "w"):
        @workflow(name)
        async def w(ctx: Run) -> list[str]:
            return [await ctx.step("quick", self.quick), await ctx.step("slow", self.slow)]

        return w


async def state_of(runs: Runs, run_id: str) -> RunState:
    return (await runs.get(run_id)).state


@pytest.mark.service
async def test_a_dead_process_loses_its_runs_to_another_and_its_writes_are_refused(
    engines: Engines, fake_clock: FakeClock
) -> None:
    if not engines.url:
        pytest.skip("a SQLite folder has one owner")
    engines.clock = fake_clock
    fenced = []

    class Observer(RunObserver):
        def writes_fenced(self, count: int) -> None:
            fenced.append(count)

    mine, its = Gated(), Gated()
    first = await engines.run(mine.workflow(), observer=Observer())
    handle = await first.start("w")
    await until(lambda: "slow" in mine.calls)
    for task in first._worker._tasks:
        task.cancel()  # it hangs: no sign of life, but its code goes on later
    second = await engines.run(its.workflow())
    began = fake_clock.monotonic()
    its.gate.set()
    waiter = asyncio.create_task(second.handle(handle.id).result(60))
    await advance_until(fake_clock, waiter.done, 0.5, pause_s=0.05)  # a busy database may take its time
    assert await waiter == ["q", "s"]
    assert fake_clock.monotonic() - began < 30
    assert its.calls == ["slow"]
    mine.gate.set()
    await until(lambda: fenced)
    assert (await second.get(handle.id)).epoch == 3
    assert len(first.residents) == 0


async def test_a_process_that_stops_gives_its_runs_back_at_once(engines: Engines) -> None:
    engines.limit(stop_grace=0.05)
    gated = Gated()
    w = gated.workflow()
    first = engines.make(w)
    async with first.running():
        handle = await first.start(w)
        await until(lambda: "slow" in gated.calls)
    run = await first.get(handle.id)
    assert (run.state, run.owner, run.recoveries) == (RunState.QUEUED, None, 0)
    gated.gate.set()
    second = await engines.run(w)
    assert await second.handle(handle.id).result(30) == ["q", "s"]
    assert gated.calls == ["quick", "slow", "slow"]


async def test_a_process_that_stops_lets_a_step_finish_and_begins_no_other(engines: Engines) -> None:
    gated = Gated()
    after = []

    async def never() -> None:
        after.append(1)

    @workflow("w")
    async def w(ctx: Run) -> None:
        await ctx.step("slow", gated.slow)
        await ctx.step("after", never)

    runs = engines.make(w)
    async with runs.running():
        handle = await runs.start(w)
        await until(lambda: "slow" in gated.calls)
        asyncio.get_running_loop().call_later(0.05, gated.gate.set)
    [step] = (await runs.steps(handle.id)).items
    assert (step.state, after) == (StepState.SUCCEEDED, [])


async def crash_once(engines: Engines, gated: Gated, run_id: str) -> None:
    runs = await engines.run(gated.workflow())
    calls = gated.calls.count("slow")
    await until(lambda: began_or_ended(runs, run_id, gated, calls))
    await kill(runs)
    if engines.url:
        lost = "UPDATE runs SET owner = NULL, state = 'queued', recoveries = recoveries + 1 WHERE state = 'running'"
        await engines.db.write(lambda tx: tx.execute(text(lost)))


async def test_a_run_that_ends_the_process_each_time_is_failed_loudly(engines: Engines) -> None:
    engines.limit(recovery_limit=3)
    gated = Gated()
    w = gated.workflow()
    handle = await engines.make(w).start(w)
    for _ in range(5):
        await crash_once(engines, gated, handle.id)
    runs = await engines.run(w)
    with pytest.raises(RunFailedError, match="without any progress"):
        await runs.handle(handle.id).result(30)
    assert gated.calls.count("slow") <= 5
    events = await runs._events.read(DEFAULT_TENANT, after=0)
    assert [event.kind for event in events] == ["run.failed"]


async def began_or_ended(runs: Runs, run_id: str, gated: Gated, calls: int) -> bool:
    return gated.calls.count("slow") > calls or (await state_of(runs, run_id)).is_final


async def test_runs_wait_while_the_database_is_away(engines: Engines) -> None:
    gated = Gated()
    w = gated.workflow()
    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: "slow" in gated.calls)
    write = engines.db.write

    async def away(work):
        raise UnavailableError("the database does not answer")

    engines.db.write = away
    gated.gate.set()
    await until(lambda: runs.journal.is_failing)
    assert not (await runs.get(handle.id)).state.is_final
    engines.db.write = write
    assert await handle.result(30) == ["q", "s"]
    assert gated.calls == ["quick", "slow"]


async def test_a_process_that_stops_while_the_database_is_away_tells_who_waits_and_the_run_goes_on_elsewhere(
    engines: Engines,
) -> None:
    gated = Gated()
    w = gated.workflow()
    engines.limit(stop_grace=0.2)
    runs = engines.make(w)
    write = engines.db.write

    async def away(work):
        raise UnavailableError("the database does not answer")

    async with runs.running():
        handle = await runs.start(w)
        await until(lambda: "slow" in gated.calls)
        live = runs.residents.live()
        engines.db.write = away
        gated.gate.set()
        await until(lambda: runs.journal.is_failing)
        starting = asyncio.create_task(runs.start(w))
        await until(lambda: runs.journal.waiting > 1)
    with pytest.raises(UnavailableError, match="whether the run was started is not known"):
        await asyncio.wait_for(starting, 10)
    assert all(run.task is not None for run in live)
    await asyncio.wait_for(asyncio.gather(*(run.task for run in live)), 10)
    engines.db.write = write
    await bury(engines.db)
    again = await engines.run(w)
    assert await again.handle(handle.id).result(30) == ["q", "s"]


async def test_what_hears_of_a_commit_and_fails_holds_nobody_up(engines: Engines) -> None:
    class Deaf(RunObserver):
        def batch_committed(self, entries: int, seconds: float) -> None:
            raise RuntimeError("no room for this figure")

    gated = Gated()
    gated.gate.set()
    w = gated.workflow()
    runs = await engines.run(w, observer=Deaf())
    assert await (await runs.start(w)).result(30) == ["q", "s"]


async def test_two_processes_share_the_queue(engines: Engines) -> None:
    if not engines.url:
        pytest.skip("a SQLite folder has one owner")
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(number)

    @workflow("w")
    async def w(ctx: Run, number: int) -> int:
        await ctx.step("work", work, number)
        return number

    outside = engines.make(w)  # takes orders, carries out nothing
    handles = [await outside.start(w, number) for number in range(40)]
    first, second = await engines.run(w), await engines.run(w)
    results = await asyncio.gather(*(outside.handle(handle.id).result(60) for handle in handles))
    assert results == list(range(40))
    assert sorted(done) == list(range(40))
    assert first.worker_id != second.worker_id


async def changed_run(engines: Engines) -> tuple[Gated, str]:
    old = Gated()

    @workflow("w")
    async def w(ctx: Run) -> list[str]:
        return [await ctx.step("quick", old.quick), await ctx.step("slow", old.slow)]

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: "slow" in old.calls)
    await kill(runs)
    await bury(engines.db)
    return old, handle.id


def new_code(gated: Gated, version: int = 1):
    @workflow("w", version=version)
    async def w(ctx: Run) -> list[str]:
        first = await ctx.step("quick", gated.quick)
        return [first, await ctx.step("slow", gated.slow), "new"]

    return w


async def test_changed_code_strands_a_run_until_it_is_replayed(engines: Engines) -> None:
    _, run_id = await changed_run(engines)
    gated = Gated()
    gated.gate.set()
    runs = await engines.run(new_code(gated))
    await until(lambda: is_stranded(runs, run_id))
    run = await runs.get(run_id)
    assert run.error is not None
    assert "has changed its code" in run.error.message
    with pytest.raises(ConflictError, match="not registered here"):
        await runs.resolve_stranded(run_id, "finish-old")
    await runs.resolve_stranded(run_id, "replay", actor="user/ann")
    assert await runs.handle(run_id).result(30) == ["q", "s", "new"]
    assert gated.calls == ["slow"]
    kinds = [event.kind for event in await runs._events.read(DEFAULT_TENANT, after=0)]
    assert kinds == ["run.stranded", "run.replayed"]


async def is_stranded(runs: Runs, run_id: str) -> bool:
    return await state_of(runs, run_id) is RunState.STRANDED


async def test_a_stranded_run_is_cancelled_or_finished_by_its_old_code(engines: Engines) -> None:
    old, run_id = await changed_run(engines)
    runs = await engines.run(new_code(Gated(), version=2))
    await until(lambda: is_stranded(runs, run_id))
    await kill(runs)

    @workflow("w")
    async def w(ctx: Run) -> list[str]:
        return [await ctx.step("quick", old.quick), await ctx.step("slow", old.slow)]

    old.gate.set()
    again = await engines.run(w, new_code(Gated(), version=2))
    await again.resolve_stranded(run_id, "finish-old")
    assert await again.handle(run_id).result(30) == ["q", "s"]


async def test_a_stranded_run_can_be_cancelled(engines: Engines) -> None:
    _, run_id = await changed_run(engines)
    runs = await engines.run(new_code(Gated()))
    await until(lambda: is_stranded(runs, run_id))
    await runs.resolve_stranded(run_id, "cancel", actor="user/ann")
    with pytest.raises(RunFailedError, match="cancelled"):
        await runs.handle(run_id).result(30)


async def test_a_failed_run_goes_on_from_the_step_that_failed(engines: Engines) -> None:
    gated = Gated()
    broken = [True]

    async def maybe() -> str:
        gated.calls.append("maybe")
        if broken[0]:
            raise OSError("broken")
        return "m"

    @workflow("w")
    async def w(ctx: Run) -> list[str]:
        return [await ctx.step("quick", gated.quick), await ctx.step("maybe", maybe)]

    runs = await engines.run(w)
    handle = await runs.start(w)
    with pytest.raises(RunFailedError):
        await handle.result(30)
    broken[0] = False
    await runs.retry(handle.id)
    assert await runs.handle(handle.id).result(30) == ["q", "m"]
    assert gated.calls == ["quick", "maybe", "maybe"]
    with pytest.raises(ConflictError, match="only failed"):
        await runs.retry(handle.id)


async def test_a_replay_from_a_step_has_new_idempotency_keys(engines: Engines) -> None:
    keys = []

    async def note(step) -> str:
        keys.append(step.idempotency_key.partition(":")[2])
        return step.key

    @workflow("w")
    async def w(ctx: Run) -> list[str]:
        return [await ctx.step(name, note) for name in ("a", "b", "c")]

    runs = await engines.run(w)
    handle = await runs.start(w)
    await handle.result(30)
    await runs.replay(handle.id, from_step="b")
    assert await runs.handle(handle.id).result(30) == ["a", "b", "c"]
    assert keys == ["a:1", "b:1", "c:1", "b:2", "c:2"]
    assert (await runs.get(handle.id)).attempt == 2
    [old] = await runs.attempts(handle.id, "b")
    assert (old.attempt_group, old.state) == (1, StepState.SUCCEEDED)


async def test_a_run_without_its_workflow_is_stranded(engines: Engines) -> None:
    gated = Gated()
    w = gated.workflow("gone")
    outside = engines.make(w)
    handle = await outside.start(w)
    engines.limit(heartbeat=0.01)
    runs = await engines.run(new_code(gated))
    if engines.url:
        query = text("UPDATE runs SET created_at = created_at - interval '2 minutes'")
        await engines.db.write(lambda tx: tx.execute(query))
    await until(lambda: is_stranded(runs, handle.id))


async def test_sync_workflows_run_in_threads_and_survive_a_crash(engines: Engines) -> None:
    calls = []

    def add(first: int, second: int) -> int:
        calls.append((first, second))
        return first + second

    @workflow("sync")
    def sync(ctx: SyncRun, start: int) -> int:
        total = ctx.step("add", add, start, 1)
        ctx.log("added", total=total)
        total = ctx.step("add", add, total, ctx.signal("more", type=int))
        return sum(ctx.map("each", abs, [-total, -1]))

    runs = await engines.run(sync)
    handle = await runs.start(sync, 1)
    await until(lambda: len(runs.residents) == 0)  # parked: its thread has ended
    await kill(runs)
    again = await engines.run(sync)
    await again.signal(handle.id, "more", 40)
    assert await again.handle(handle.id).result(30) == 43
    assert calls == [(1, 1), (2, 40)]


async def test_a_run_that_the_engine_fails_on_is_taken_up_again(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated = Gated()
    gated.gate.set()
    carry = residents.carry
    failures = [RuntimeError("a fault of the engine")]

    async def fail_once(run, workflow, given):
        if failures:
            raise failures.pop()
        return await carry(run, workflow, given)

    monkeypatch.setattr(residents, "carry", fail_once)
    runs = await engines.run(gated.workflow())
    handle = await runs.start("w")
    assert await runs.handle(handle.id).result(30) == ["q", "s"]
    assert (await runs.get(handle.id)).recoveries == 1
