"""Cancellation, compensation in reverse order, partial failure, and what a crash in the middle of it leaves."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fixtures.engines_of_runs import Engines, bury, kill, until
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunFailedError, Runs, RunState, StepContext, StepRetry, StepState, sagas, workflow


class Ledger:
    """What the outside world has seen."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.broken: set[str] = set()
        self.hold: dict[str, asyncio.Event] = {}

    async def do(self, name: str) -> str:
        self.done.append(name)
        if name in self.hold:
            await self.hold[name].wait()
        if name in self.broken:
            raise ConnectionError(f"{name} does not work")
        return f"{name}-id"

    async def undo(self, name: str, *, result: str | None, step: StepContext) -> None:
        self.done.append(f"undo {name} {result}")
        if f"undo {name}" in self.hold:
            await self.hold[f"undo {name}"].wait()
        if f"undo {name}" in self.broken:
            raise ConnectionError("cannot undo")


def booking(ledger: Ledger):
    @workflow("book")
    async def book(ctx: Run) -> str:
        for name in ("flight", "hotel", "car"):
            await ctx.step(name, ledger.do, name, compensate=ledger.undo)
        await ctx.signal("confirm")
        return "booked"

    return book


async def states(runs: Runs, run_id: str) -> dict[str, StepState]:
    return {step.key: step.state for step in (await runs.steps(run_id)).items}


async def test_a_failure_undoes_what_was_done_newest_first(engines: Engines) -> None:
    ledger = Ledger()
    ledger.broken = {"car"}
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book)
    with pytest.raises(RunFailedError, match="car does not work"):
        await handle.result(30)
    assert ledger.done == ["flight", "hotel", "car", "undo hotel hotel-id", "undo flight flight-id"]
    assert await states(runs, handle.id) == {
        "flight": StepState.COMPENSATED,
        "hotel": StepState.COMPENSATED,
        "car": StepState.FAILED,
        "hotel!undo": StepState.SUCCEEDED,
        "flight!undo": StepState.SUCCEEDED,
    }


@pytest.mark.parametrize("resident_limit", [0, 100], ids=["parked", "in memory"])
async def test_a_cancelled_run_is_undone(engines: Engines, resident_limit: int) -> None:
    engines.limit(resident_limit=resident_limit)
    ledger = Ledger()
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book)
    await until(lambda: is_in(runs, handle.id, RunState.WAITING))
    await runs.cancel(handle.id, actor="user/ann", reason="wrong date")
    with pytest.raises(RunFailedError, match="cancelled"):
        await handle.result(30)
    run = await runs.get(handle.id)
    assert (run.state, run.cancel_actor, run.cancel_reason) == (RunState.CANCELLED, "user/ann", "wrong date")
    assert ledger.done[3:] == ["undo car car-id", "undo hotel hotel-id", "undo flight flight-id"]
    with pytest.raises(ConflictError, match="cancelled already"):
        await runs.cancel(handle.id)


async def is_in(runs: Runs, run_id: str, state: RunState) -> bool:
    return (await runs.get(run_id)).state is state


async def test_what_cannot_be_undone_is_told_and_does_not_stop_the_rest(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sagas, "PATIENT", StepRetry(attempts=2, base_s=0))
    ledger = Ledger()
    ledger.broken = {"car", "undo hotel"}
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book)
    with pytest.raises(RunFailedError, match=r"car does not work; NOT UNDONE, needs people: 'hotel' \(ConnectionError"):
        await handle.result(30)
    assert ledger.done[3:] == ["undo hotel hotel-id"] * 2 + ["undo flight flight-id"]
    assert (await states(runs, handle.id))["hotel"] is StepState.COMPENSATION_FAILED
    kinds = [event.kind for event in await runs._events.read(DEFAULT_TENANT, after=0)]
    assert kinds == ["run.compensation_failed", "run.failed"]


async def test_a_crash_while_undoing_repeats_no_finished_compensation(engines: Engines) -> None:
    ledger = Ledger()
    ledger.hold["undo hotel"] = asyncio.Event()
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book)
    await until(lambda: is_in(runs, handle.id, RunState.WAITING))
    await runs.cancel(handle.id)
    await until(lambda: "undo hotel hotel-id" in ledger.done)
    await kill(runs)
    await bury(engines.db)
    ledger.hold["undo hotel"].set()
    again = await engines.run(book)
    with pytest.raises(RunFailedError, match="cancelled"):
        await again.handle(handle.id).result(30)
    assert ledger.done == [
        *("flight", "hotel", "car", "undo car car-id"),
        *("undo hotel hotel-id", "undo hotel hotel-id", "undo flight flight-id"),
    ]


async def test_a_step_broken_off_by_cancellation_is_undone_because_nobody_knows(engines: Engines) -> None:
    engines.limit(cancel_grace=0.05)
    ledger = Ledger()
    ledger.hold["hotel"] = asyncio.Event()
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book)
    await until(lambda: "hotel" in ledger.done)
    await runs.cancel(handle.id)
    with pytest.raises(RunFailedError):
        await handle.result(30)
    assert ledger.done == ["flight", "hotel", "undo hotel None", "undo flight flight-id"]


async def test_a_step_that_can_be_undone_may_finish_before_its_run_is_cancelled(engines: Engines) -> None:
    ledger = Ledger()
    ledger.hold["hotel"] = asyncio.Event()
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book)
    await until(lambda: "hotel" in ledger.done)
    await runs.cancel(handle.id)
    await until(lambda: runs.residents.get(handle.id).stopping)
    ledger.hold["hotel"].set()
    with pytest.raises(RunFailedError):
        await handle.result(30)
    assert ledger.done == ["flight", "hotel", "undo hotel hotel-id", "undo flight flight-id"]


async def test_cancelling_waits_for_a_step_in_a_thread(engines: Engines) -> None:
    began, go = threading.Event(), threading.Event()
    done = []

    def work() -> None:
        began.set()
        go.wait(30)
        done.append("work")

    @workflow("w")
    async def w(ctx: Run) -> None:
        await ctx.step("work", work)

    runs = await engines.run(w)
    handle = await runs.start(w)
    await asyncio.to_thread(began.wait, 30)
    await runs.cancel(handle.id)
    await until(lambda: runs.residents.get(handle.id).stopping)
    assert not (await runs.get(handle.id)).state.is_final
    go.set()
    with pytest.raises(RunFailedError, match="cancelled"):
        await handle.result(30)
    assert done == ["work"]


async def test_a_run_that_has_not_begun_is_cancelled_at_once(engines: Engines) -> None:
    ledger = Ledger()
    book = booking(ledger)
    runs = await engines.run(book)
    handle = await runs.start(book, delay_s=3600)
    assert (await runs.get(handle.id)).state is RunState.QUEUED
    assert await runs.cancel(handle.id) is RunState.CANCELLED
    with pytest.raises(RunFailedError, match="cancelled"):
        await handle.result(30)
    assert ledger.done == []


async def test_when_a_branch_fails_nothing_is_left_running(engines: Engines) -> None:
    events = []

    async def slow(name: str) -> None:
        events.append(f"{name} began")
        try:
            await asyncio.Event().wait()
        finally:
            events.append(f"{name} ended")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    @workflow("gathered")
    async def gathered(ctx: Run) -> None:
        await ctx.gather(ctx.step("a", slow, "a"), ctx.step("b", fail))

    @workflow("plain")
    async def plain(ctx: Run) -> None:
        await asyncio.gather(ctx.step("a", slow, "a"), ctx.step("b", fail))

    @workflow("group")
    async def group(ctx: Run) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ctx.step("a", slow, "a"))
            tasks.create_task(ctx.step("b", fail))

    @workflow("left")
    async def left(ctx: Run) -> None:
        task = asyncio.ensure_future(ctx.step("a", slow, "a"))
        await ctx.step("b", fail)
        await task

    runs = await engines.run(gathered, plain, group, left)
    for each in (gathered, plain, group, left):
        events.clear()
        handle = await runs.start(each)
        with pytest.raises(RunFailedError):
            await handle.result(30)
        assert events in (["a began", "a ended"], []), each.name
