"""Child runs and fan-out over many items."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.engines_of_runs import Engines, bury, kill, until
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import (
    ChildFailedError,
    MapFailedError,
    Run,
    RunFailedError,
    RunFilter,
    RunState,
    StepFailedError,
    StepKind,
    StepState,
    workflow,
)


@workflow("child")
async def child(ctx: Run, number: int) -> int:
    if number < 0:
        raise ValueError("negative")
    return await ctx.signal("go", type=int) if number == 0 else number * 2


@workflow("parent")
async def parent(ctx: Run, number: int) -> int:
    return await ctx.child("double", child, number) + 1


@pytest.mark.parametrize("resident_limit", [0, 100], ids=["parked", "in memory"])
async def test_a_parent_gets_its_childs_result(engines: Engines, resident_limit: int) -> None:
    engines.limit(resident_limit=resident_limit)
    runs = await engines.run(parent, child)
    assert await (await runs.start(parent, 5)).result(30) == 11
    handle = await runs.start(parent, 0)
    await until(lambda: waiting_children(runs, handle.id))
    [its] = (await runs.list(DEFAULT_TENANT, RunFilter(parent=handle.id))).items
    if not resident_limit:
        await until(lambda: len(runs.residents) == 0)
    await runs.signal(its.id, "go", 7)
    assert await handle.result(30) == 8


async def waiting_children(runs, run_id) -> bool:
    page = await runs.list(DEFAULT_TENANT, RunFilter(parent=run_id, states=(RunState.WAITING,)))
    return bool(page.items)


async def test_a_childs_failure_reaches_its_parent(engines: Engines) -> None:
    @workflow("careful")
    async def careful(ctx: Run) -> str:
        try:
            await ctx.child("double", child, -1)
        except ChildFailedError as error:
            return f"{error.type_name} in {error.child != ctx.run_id}"
        return "no"

    runs = await engines.run(careful, child)
    assert await (await runs.start(careful)).result(30) == "ValueError in True"


async def test_children_are_cancelled_with_their_parent_unless_abandoned(engines: Engines) -> None:
    @workflow("both")
    async def both(ctx: Run) -> None:
        await ctx.gather(
            ctx.child("mine", child, 0),
            ctx.child("free", child, 0, on_cancel="abandon"),
        )

    runs = await engines.run(both, child)
    handle = await runs.start(both)
    await until(lambda: two_children(runs, handle.id))
    await runs.cancel(handle.id)
    with pytest.raises(RunFailedError):
        await handle.result(30)
    children = (await runs.list(DEFAULT_TENANT, RunFilter(parent=handle.id))).items
    mine = next(each for each in children if each.cancel_reason)
    free = next(each for each in children if not each.cancel_reason)
    with pytest.raises(RunFailedError):
        await runs.handle(mine.id).result(30)
    assert (await runs.get(free.id)).state is RunState.WAITING


async def two_children(runs, run_id) -> bool:
    page = await runs.list(DEFAULT_TENANT, RunFilter(parent=run_id, states=(RunState.WAITING,)))
    return len(page.items) == 2


async def test_after_a_crash_a_child_is_not_started_again(engines: Engines) -> None:
    runs = await engines.run(parent, child)
    handle = await runs.start(parent, 0)
    await until(lambda: waiting_children(runs, handle.id))
    await kill(runs)
    await bury(engines.db)
    again = await engines.run(parent, child)
    [its] = (await again.list(DEFAULT_TENANT, RunFilter(parent=handle.id))).items
    await again.signal(its.id, "go", 7)
    assert await again.handle(handle.id).result(30) == 8
    assert len((await again.list(DEFAULT_TENANT, RunFilter(workflow="child"))).items) == 1


async def test_a_fan_out_does_every_item_once_and_few_at_a_time(engines: Engines) -> None:
    running, most = 0, 0

    async def ship(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return item * 2

    @workflow("w")
    async def w(ctx: Run, count: int) -> int:
        return sum(await ctx.map("ship", ship, range(count), concurrency=7))

    runs = await engines.run(w)
    handle = await runs.start(w, 500)
    assert await handle.result(60) == 499 * 500
    assert most == 7
    [step] = (await runs.steps(handle.id)).items
    assert (step.kind, step.counts, step.result) == (StepKind.MAP, {StepState.SUCCEEDED: 500}, {"items": 500})
    page = await runs.steps(handle.id, parent="ship", limit=100)
    assert len(page.items) == 100
    following = await runs.steps(handle.id, parent="ship", limit=1000, cursor=page.cursor)
    assert len(following.items) == 400
    assert following.cursor is None


async def test_a_crash_in_a_fan_out_repeats_no_finished_item(engines: Engines) -> None:
    called: list[int] = []
    gate = asyncio.Event()

    async def ship(item: int) -> int:
        called.append(item)
        if item >= 20:
            await gate.wait()
        return item

    @workflow("w")
    async def w(ctx: Run) -> list[int]:
        return await ctx.map("ship", ship, range(30), concurrency=5)

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: len(called) == 25)
    await runs.journal.flush()
    await kill(runs)
    await bury(engines.db)
    gate.set()
    again = await engines.run(w)
    assert await again.handle(handle.id).result(30) == list(range(30))
    assert sorted(called) == sorted([*range(30), *range(20, 25)])


async def test_failed_items_are_collected_or_stop_the_rest(engines: Engines) -> None:
    async def ship(item: int) -> int:
        if item % 10 == 3:
            raise ValueError(f"item {item}")
        return item

    @workflow("collecting")
    async def collecting(ctx: Run) -> list[str]:
        results = await ctx.map("ship", ship, range(20), on_error="collect")
        return [str(each.failure.message) for each in results if isinstance(each, StepFailedError)]

    @workflow("raising")
    async def raising(ctx: Run) -> int:
        try:
            await ctx.map("ship", ship, range(2000), concurrency=2)
        except MapFailedError as error:
            return next(iter(error.failures))
        return -1

    runs = await engines.run(collecting, raising)
    assert await (await runs.start(collecting)).result(30) == ["item 3", "item 13"]
    handle = await runs.start(raising)
    assert await handle.result(30) == 3
    assert len((await runs.steps(handle.id, parent="ship", limit=1000)).items) < 10


async def test_an_item_may_have_steps_of_its_own(engines: Engines) -> None:
    async def label(item: str) -> str:
        return f"<{item}>"

    async def ship(item: str, ctx: Run) -> str:
        first = await ctx.step("label", label, item)
        return await ctx.step("label", label, first)

    @workflow("w")
    async def w(ctx: Run) -> list[str]:
        return await ctx.map("ship", ship, ["a", "b"])

    runs = await engines.run(w)
    handle = await runs.start(w)
    assert await handle.result(30) == ["<<a>>", "<<b>>"]
    keys = [step.key for step in (await runs.steps(handle.id, parent="ship[1]")).items]
    assert keys == ["ship[1]/label", "ship[1]/label#2"]


async def test_branches_side_by_side_must_not_share_a_name(engines: Engines) -> None:
    async def nothing() -> None:
        await asyncio.sleep(0)

    @workflow("clash")
    async def clash(ctx: Run) -> None:
        async def branch() -> None:
            await ctx.step("same", nothing)
            await ctx.step("same", nothing)

        await ctx.gather(branch(), branch())

    @workflow("apart")
    async def apart(ctx: Run) -> None:
        async def branch(its: Run) -> None:
            await its.step("same", nothing)
            await its.step("same", nothing)

        await ctx.gather(branch(ctx.branch("left")), branch(ctx.branch("right")))

    runs = await engines.run(clash, apart)
    with pytest.raises(RunFailedError, match="side by side both use the step name 'same'"):
        await (await runs.start(clash)).result(30)
    await (await runs.start(apart)).result(30)


async def test_an_input_of_a_child_is_checked(engines: Engines) -> None:
    @workflow("wrong")
    async def wrong(ctx: Run) -> None:
        await ctx.child("double", child, "x")

    runs = await engines.run(wrong, child)
    with pytest.raises(RunFailedError, match=InvalidError.__name__):
        await (await runs.start(wrong)).result(30)
