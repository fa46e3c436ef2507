"""Sleeps and signals that survive a restart; waiting runs leave the memory and come back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fixtures.clocks import advance_until
from fixtures.engines_of_runs import Engines, bury, kill, until
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import ConflictError, InvalidError, NotFoundError
from holdfast.kernel.runs import Run, RunFailedError, RunState, SignalTimedOutError, workflow


@dataclass(frozen=True)
class Approval:
    by: str
    yes: bool


async def test_a_long_sleep_is_a_row_only_and_ends_in_time(engines: Engines, fake_clock: FakeClock) -> None:
    engines.clock = fake_clock
    entered = []

    @workflow("w")
    async def w(ctx: Run) -> str:
        entered.append(ctx.run_id)
        await ctx.sleep("cool-off", "1h")
        return "awake"

    runs = await engines.run(w)
    handle = await runs.start(w)
    await advance_until(fake_clock, lambda: len(runs.residents) == 0)
    await runs.journal.flush()
    run = await runs.get(handle.id)
    assert (run.state, run.owner, run.waits[0].name) == (RunState.WAITING, None, "cool-off")
    await fake_clock.advance(3500)
    assert len(entered) == 1
    await advance_until(fake_clock, lambda: len(entered) == 2, 30.0)
    assert await handle.result(30) == "awake"
    assert (await runs.get(handle.id)).started_at == run.started_at


async def test_a_sleep_goes_on_in_another_process(engines: Engines, fake_clock: FakeClock) -> None:
    engines.clock = fake_clock

    @workflow("w")
    async def w(ctx: Run) -> str:
        await ctx.sleep("cool-off", "10m")
        return "awake"

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: _is(runs, handle.id, RunState.WAITING))
    await kill(runs)
    await bury(engines.db)
    await fake_clock.advance(300)
    again = await engines.run(w)
    before = fake_clock.monotonic()
    waiter = asyncio.create_task(again.handle(handle.id).result(60))
    await advance_until(fake_clock, waiter.done, 10.0)
    assert await waiter == "awake"
    assert fake_clock.monotonic() - before >= 290


async def _is(runs, run_id, state) -> bool:
    return (await runs.get(run_id)).state is state


async def test_a_clock_that_jumps_back_does_not_prolong_a_sleep_in_memory(
    engines: Engines, fake_clock: FakeClock
) -> None:
    engines.clock = fake_clock
    engines.limit(park_after=3600.0)

    @workflow("w")
    async def w(ctx: Run) -> None:
        await ctx.sleep("nap", "10s")

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: _is(runs, handle.id, RunState.WAITING))
    fake_clock.jump(timedelta(hours=-1))
    await fake_clock.advance(11)
    await handle.result(30)


@pytest.mark.parametrize("resident_limit", [0, 100], ids=["parked", "in memory"])
async def test_a_signal_reaches_a_waiting_run_with_payload_and_sender(engines: Engines, resident_limit: int) -> None:
    engines.limit(resident_limit=resident_limit)

    @workflow("w")
    async def w(ctx: Run) -> str:
        approval = await ctx.signal("approve", type=Approval)
        return f"{approval.by}: {approval.yes}"

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: _is(runs, handle.id, RunState.WAITING))
    if not resident_limit:
        await until(lambda: len(runs.residents) == 0)
    assert await runs.signal(handle.id, "approve", Approval("ann", yes=True), actor="user/ann", key="a")
    assert await handle.result(30) == "ann: True"
    [step] = (await runs.steps(handle.id)).items
    assert (step.actor, step.result) == ("user/ann", {"by": "ann", "yes": True})
    [signal] = await runs.signals(handle.id)
    assert (signal.step, signal.actor) == ("approve", "user/ann")
    with pytest.raises(ConflictError, match="no more signals"):
        await runs.signal(handle.id, "approve")


async def test_signals_that_come_first_wait_for_the_run_in_order(engines: Engines) -> None:
    gate = asyncio.Event()

    async def hold() -> None:
        await gate.wait()

    @workflow("w")
    async def w(ctx: Run) -> list[int]:
        await ctx.step("hold", hold)
        return [await ctx.signal("number") for _ in range(3)]

    runs = await engines.run(w)
    handle = await runs.start(w)
    for number in range(3):
        assert await runs.signal(handle.id, "number", number, key=str(number))
    assert not await runs.signal(handle.id, "number", 9, key="2")
    gate.set()
    assert await handle.result(30) == [0, 1, 2]


async def test_a_signal_that_does_not_come_times_out_the_same_way_each_time(
    engines: Engines, fake_clock: FakeClock
) -> None:
    engines.clock = fake_clock
    seen = []

    @workflow("w")
    async def w(ctx: Run) -> str:
        try:
            await ctx.signal("approve", timeout="1h")
        except TimeoutError as error:
            seen.append(type(error))
        await ctx.sleep("rest", "1h")
        return "nobody"

    runs = await engines.run(w)
    handle = await runs.start(w)
    waiter = asyncio.create_task(handle.result(60))
    await advance_until(fake_clock, waiter.done, 30.0)
    assert await waiter == "nobody"
    assert set(seen) == {SignalTimedOutError}
    assert len(seen) >= 2


async def test_a_signal_committed_before_the_timeout_wins(engines: Engines, fake_clock: FakeClock) -> None:
    engines.clock = fake_clock

    @workflow("w")
    async def w(ctx: Run) -> str:
        return str(await ctx.signal("approve", timeout="10s"))

    engines.limit(park_after=60.0)
    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: _is(runs, handle.id, RunState.WAITING))
    runs._worker.hear_soon = lambda run_id: None  # the note is lost
    await runs.signal(handle.id, "approve", "yes")
    await fake_clock.advance(11)
    assert await handle.result(30) == "yes"


async def test_a_payload_that_does_not_fit_is_refused_and_the_run_waits_on(engines: Engines) -> None:
    engines.limit(resident_limit=0)

    kind = Approval  # a name of the function: nobody can tell before the run itself looks

    @workflow("w")
    async def w(ctx: Run) -> bool:
        return (await ctx.signal("approve", type=kind)).yes

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: len(runs.residents) == 0)
    await runs.signal(handle.id, "approve", {"by": 3})
    await until(lambda: _has_line(runs, handle.id))
    await until(lambda: len(runs.residents) == 0)
    await runs.signal(handle.id, "approve", {"by": "ann", "yes": False})
    assert await handle.result(30) is False


async def test_a_wrong_payload_for_a_parked_run_is_told_to_its_sender(engines: Engines) -> None:
    @workflow("w")
    async def w(ctx: Run) -> bool:
        await ctx.signal("count", type=int)
        return (await ctx.signal("approve", type=Approval)).yes

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: len(runs.residents) == 0)
    with pytest.raises(InvalidError, match=r"approve.*yes: Field required"):
        await runs.signal(handle.id, "approve", {"by": "ann"})
    with pytest.raises(InvalidError, match="count"):
        await runs.signal(handle.id, "count", "many")
    assert await runs.signals(handle.id) == []
    await runs.signal(handle.id, "approve", {"by": "ann", "yes": True})
    await runs.signal(handle.id, "count", 3)
    assert await handle.result(30) is True


async def _has_line(runs, run_id) -> bool:
    return any("refused" in line.text for line in await runs.log(run_id))


async def test_a_wrong_payload_for_a_run_in_memory_is_told_to_its_sender(engines: Engines) -> None:
    @workflow("w")
    async def w(ctx: Run) -> bool:
        return (await ctx.signal("approve", type=Approval)).yes

    engines.limit(park_after=600.0)
    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: _is(runs, handle.id, RunState.WAITING))
    with pytest.raises(InvalidError, match=r"approve.*yes: Field required"):
        await runs.signal(handle.id, "approve", {"by": "ann"})
    await runs.cancel(handle.id)


async def test_queries_are_answered_live_and_from_what_was_published(engines: Engines) -> None:
    @workflow("w")
    async def w(ctx: Run) -> None:
        done = {"items": 3}
        ctx.query("progress", lambda: done)
        await ctx.signal("go")
        done["items"] = 4

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: _is(runs, handle.id, RunState.WAITING))
    assert await runs.query(handle.id, "progress") == {"items": 3}
    await until(lambda: len(runs.residents) == 0)
    assert await runs.query(handle.id, "progress") == {"items": 3}
    with pytest.raises(NotFoundError, match="progress"):
        await runs.query(handle.id, "other")
    await runs.signal(handle.id, "go")
    await handle.result(30)
    assert await runs.query(handle.id, "progress") == {"items": 4}


async def test_a_parked_run_fails_at_its_deadline(engines: Engines, fake_clock: FakeClock) -> None:
    engines.clock = fake_clock
    engines.limit(resident_limit=0)

    @workflow("w", timeout="1h")
    async def w(ctx: Run) -> None:
        await ctx.signal("never")

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: len(runs.residents) == 0)
    waiter = asyncio.create_task(handle.result(60))
    await advance_until(fake_clock, waiter.done, 60.0)
    with pytest.raises(RunFailedError, match="timeout"):
        await waiter
