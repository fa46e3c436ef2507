"""What steps print in the engine's own process: the right run hears it, and it is written on."""

# ruff: noqa: T201 -- what is printed is the subject

from __future__ import annotations

import asyncio
import sys

import pytest

from fixtures.engines_of_runs import Engines
from holdfast.kernel.runs import Run, RunFailedError, SyncRun, workflow


def speak(name: str) -> None:
    print(f"one {name}\ntwo", name)
    print("no end", end="")
    print("loud", name, file=sys.stderr)


async def speak_later(name: str) -> None:
    for part in ("begin", "middle", "end"):
        print(part, end=" ")
        await asyncio.sleep(0)
    print(name)
    await asyncio.to_thread(print, "from a thread of", name)


async def lines_of(runs, run_id):
    return sorted((line.step, line.stream, line.text) for line in await runs.log(run_id))


@workflow("talk")
async def talk(ctx: Run, name: str) -> None:
    print("the workflow itself is entered again after a crash, so it is not heard")
    await ctx.gather(ctx.step("thread", speak, name), ctx.step("task", speak_later, name))


async def test_runs_side_by_side_each_hear_their_own_steps_in_tasks_and_threads(engines: Engines, capsys) -> None:
    runs = await engines.run(talk)
    handles = {name: await runs.start(talk, name) for name in ("ada", "bob", "eve")}
    for name, handle in handles.items():
        await handle.result(30)
        assert await lines_of(runs, handle.id) == [
            ("task", "stdout", f"begin middle end {name}"),
            ("task", "stdout", f"from a thread of {name}"),
            ("thread", "stderr", f"loud {name}"),
            ("thread", "stdout", "no end"),
            ("thread", "stdout", f"one {name}"),
            ("thread", "stdout", f"two {name}"),
        ]
    told = capsys.readouterr()
    assert "two eve\n" in told.out
    assert "loud ada\n" in told.err


async def test_a_run_that_a_step_starts_does_not_speak_for_it(engines: Engines) -> None:
    @workflow("inner")
    async def inner(ctx: Run) -> None:
        print("not heard")
        await ctx.step("say", print, "heard")

    @workflow("outer")
    async def outer(ctx: Run) -> str:
        async def start() -> str:
            return (await runs.start(inner)).id

        return await ctx.step("start", start)

    runs = await engines.run(inner, outer)
    handle = await runs.start(outer)
    inner_id = await handle.result(30)
    await runs.handle(inner_id).result(30)
    assert await lines_of(runs, handle.id) == []
    assert await lines_of(runs, inner_id) == [("say", "stdout", "heard")]


async def test_the_streams_are_the_programs_own_again_when_the_last_engine_ends(engines: Engines) -> None:
    before = sys.stdout, sys.stderr
    first, second = engines.make(talk), engines.make(talk)
    async with first.running():
        async with second.running():
            assert (sys.stdout, sys.stderr) != before
            assert sys.stdout.encoding == before[0].encoding
        assert (sys.stdout, sys.stderr) != before
    assert (sys.stdout, sys.stderr) == before


async def test_a_line_without_an_end_is_cut_and_lost_nowhere(engines: Engines) -> None:
    @workflow("long")
    def long(ctx: SyncRun) -> None:
        ctx.step("say", print, "x" * 20_000, "y", sep="\r\n")

    runs = await engines.run(long)
    handle = await runs.start(long)
    await handle.result(30)
    assert [line.text[-1] for line in await runs.log(handle.id)] == [")", "y"]


async def test_a_parameter_that_the_engine_fills_but_an_argument_reaches_is_refused_with_the_fix(engines) -> None:
    @workflow("shifted")
    async def shifted(ctx: Run) -> None:
        def charge(step, order):
            raise AssertionError(step, order)

        await ctx.step("charge", charge, "order-1")

    runs = await engines.run(shifted)
    with pytest.raises(RunFailedError, match=r"charge: an argument of the step lands in the parameter 'step'"):
        await (await runs.start(shifted)).result(30)
