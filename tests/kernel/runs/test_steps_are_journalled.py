"""The thin path: steps are done once, their results come back after a crash, the run ends with its result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from fixtures.engines_of_runs import Engines, bury, kill, until
from holdfast.kernel.errors import ConflictError, InvalidError, NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunFailedError, RunState, StepContext, StepState, workflow


@dataclass(frozen=True)
class Order:
    id: str
    amount: int


@dataclass(frozen=True)
class Receipt:
    order: str
    paid: int


async def pay(order: Order) -> Receipt:
    return Receipt(order.id, order.amount)


@workflow("shop.buy")
async def buy(ctx: Run, order: Order) -> Receipt:
    return await ctx.step("pay", pay, order)


async def test_a_run_gives_its_typed_result(engines: Engines) -> None:
    runs = await engines.run(buy)
    handle = await runs.start(buy, Order("o-1", 5))
    assert await handle.result(30) == Receipt("o-1", 5)
    run = await runs.get(handle.id)
    assert (run.state, run.result) == (RunState.SUCCEEDED, {"order": "o-1", "paid": 5})
    [step] = (await runs.steps(handle.id)).items
    assert (step.key, step.state, step.result) == ("pay", StepState.SUCCEEDED, run.result)


async def test_input_that_does_not_fit_is_refused_with_its_field(engines: Engines) -> None:
    runs = await engines.run(buy)
    with pytest.raises(InvalidError, match="amount"):
        await runs.start("shop.buy", {"id": "o-1"})
    with pytest.raises(NotFoundError, match=r"did you mean 'shop\.buy'"):
        await runs.start("shop.bui", {})


async def test_a_second_start_with_the_same_key_gives_the_first_run(engines: Engines) -> None:
    runs = await engines.run(buy)
    handles = await asyncio.gather(*(runs.start(buy, Order("o-1", 5), key="o-1") for _ in range(10)))
    assert len({handle.id for handle in handles}) == 1
    assert [handle.is_new for handle in handles].count(True) == 1
    assert [await handle.result(30) for handle in handles] == [Receipt("o-1", 5)] * 10
    assert len((await runs.list(DEFAULT_TENANT)).items) == 1


async def test_after_a_crash_finished_steps_are_not_repeated(engines: Engines) -> None:
    called: list[str] = []
    keys: list[str] = []
    gate = asyncio.Event()

    async def first() -> str:
        called.append("first")
        return "one"

    async def second(step: StepContext) -> str:
        called.append("second")
        keys.append(step.idempotency_key)
        await gate.wait()
        return "two"

    @workflow("two")
    async def two(ctx: Run) -> list[str]:
        return [await ctx.step("first", first), await ctx.step("second", second)]

    runs = await engines.run(two)
    handle = await runs.start(two)
    await until(lambda: "second" in called)
    await kill(runs)
    await bury(engines.db)
    gate.set()
    again = await engines.run(two)
    assert await again.handle(handle.id).result(30) == ["one", "two"]
    assert called == ["first", "second", "second"]
    assert keys == [f"{handle.id}:second:1"] * 2


async def test_a_failed_step_fails_the_run_and_says_why(engines: Engines) -> None:
    async def fail() -> None:
        raise ConnectionError("the bank is away")

    @workflow("failing")
    async def failing(ctx: Run) -> None:
        await ctx.step("call", fail)

    runs = await engines.run(failing)
    handle = await runs.start(failing)
    with pytest.raises(RunFailedError, match="the bank is away"):
        await handle.result(30)
    run = await runs.get(handle.id)
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert (run.error.type, "line" in run.error.trace) == ("ConnectionError", True)


async def test_the_same_name_twice_counts_up(engines: Engines) -> None:
    async def echo(value: int) -> int:
        return value

    @workflow("echoes")
    async def echoes(ctx: Run) -> list[int]:
        return [await ctx.step("echo", echo, number) for number in range(3)]

    runs = await engines.run(echoes)
    handle = await runs.start(echoes)
    assert await handle.result(30) == [0, 1, 2]
    assert [step.key for step in (await runs.steps(handle.id)).items] == ["echo", "echo#2", "echo#3"]


async def test_two_workflows_with_one_name_and_version_are_refused(engines: Engines) -> None:
    @workflow("shop.buy")
    async def other(ctx: Run) -> None:
        return None

    with pytest.raises(ConflictError, match="registered twice"):
        engines.make(buy, other)
