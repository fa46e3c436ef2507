"""Inputs and results above the inline limit lie in blobs: nobody who runs or reads them sees a difference."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete

from fixtures.engines_of_runs import Engines, kill, until
from holdfast.kernel.blobs import Blobs, MemoryStore, sweep
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.runs import Facilities, Run, RunFailedError, RunState, workflow
from holdfast.kernel.runs.tables import RUNS

LARGE = "x" * 100_000


@pytest.fixture
def blobs():
    return Blobs(MemoryStore())


async def keys_of(blobs):
    return sorted([stored.key async for stored in blobs.list()])


async def double(text: str) -> str:
    return text * 2


@workflow("large.child")
async def child(ctx: Run, text: str) -> str:
    return await ctx.step("double", double, text)


@workflow("large")
async def large(ctx: Run, text: str) -> str:
    doubled = await ctx.child("child", child, text)
    return await ctx.step("double", double, doubled)


async def test_large_values_pass_through_every_door(engines: Engines, blobs: Blobs) -> None:
    runs = await engines.run(large, child, facilities=Facilities(blobs=blobs))
    handle = await runs.start(large, LARGE)
    assert await handle.result(30) == LARGE * 4
    view = await runs.get(handle.id)
    assert view.result["$blob"]["size_bytes"] == 400_002
    assert all(key.startswith("runs/default/") for key in await keys_of(blobs))
    assert len(await keys_of(blobs)) == 6  # two inputs, two steps, two results


async def test_small_values_make_no_blob(engines: Engines, blobs: Blobs) -> None:
    runs = await engines.run(large, child, facilities=Facilities(blobs=blobs))
    assert await (await runs.start(large, "x")).result(30) == "xxxx"
    assert await keys_of(blobs) == []


async def test_a_value_that_looks_like_a_reference_stays_what_it_is(engines: Engines, blobs: Blobs) -> None:
    @workflow("odd")
    async def odd(ctx: Run, value: dict) -> dict:
        return value

    runs = await engines.run(odd, facilities=Facilities(blobs=blobs))
    value = {"$blob": {"key": "runs/default/other/secret", "sha256": ""}}
    assert await (await runs.start(odd, value)).result(30) == value


async def test_a_recorded_large_result_is_given_again_after_a_crash(engines: Engines, blobs: Blobs) -> None:
    called: list[str] = []
    gate = asyncio.Event()

    async def make() -> str:
        called.append("make")
        return LARGE

    async def wait() -> None:
        called.append("wait")
        await gate.wait()

    @workflow("crash")
    async def crash(ctx: Run) -> int:
        made = await ctx.step("make", make)
        await ctx.step("wait", wait)
        return len(made)

    lost = await engines.run(crash, facilities=Facilities(blobs=blobs))
    handle = await lost.start(crash)
    await until(lambda: "wait" in called)
    await kill(lost)
    gate.set()
    engines.settings = lost.settings
    found = await engines.run(crash, facilities=Facilities(blobs=blobs))
    if engines.db.dialect == "postgresql":
        await found._db.write(lambda tx: tx.exec_driver_sql("UPDATE runs SET owner = NULL, state = 'queued'"))
        found._worker.look_soon()
    assert await found.handle(handle.id, crash).result(30) == 100_000
    assert called.count("make") == 1


async def test_a_store_that_is_away_delays_and_loses_nothing(engines: Engines, blobs: Blobs, monkeypatch) -> None:
    called: list[str] = []
    refusals = [UnavailableError("the bucket is away")] * 2
    real_put = blobs.put

    async def put(key, data, **more):
        if refusals:
            raise refusals.pop()
        return await real_put(key, data, **more)

    monkeypatch.setattr(blobs, "put", put)

    async def make() -> str:
        called.append("make")
        return LARGE

    @workflow("away")
    async def away(ctx: Run) -> int:
        return len(await ctx.step("make", make))

    runs = await engines.run(away, facilities=Facilities(blobs=blobs))
    assert await (await runs.start(away)).result(30) == 100_000
    assert called == ["make"]


async def test_a_lost_blob_fails_the_run_and_is_named(engines: Engines, blobs: Blobs) -> None:
    @workflow("lost")
    async def lose(ctx: Run, text: str) -> int:
        return len(text)

    maker = engines.make(lose, facilities=Facilities(blobs=blobs))
    handle = await maker.start(lose, LARGE)
    [key] = await keys_of(blobs)
    await blobs.delete(key)
    runs = await engines.run(lose, facilities=Facilities(blobs=blobs))
    with pytest.raises(RunFailedError, match=f"there is no blob {key}"):
        await runs.handle(handle.id, lose).result(30)


async def test_blobs_go_with_their_run(engines: Engines, blobs: Blobs) -> None:
    runs = await engines.run(large, child, facilities=Facilities(blobs=blobs))
    handle = await runs.start(large, LARGE)
    await handle.result(30)
    owner = blobs.owners["runs"]
    assert (await sweep(blobs, owner, engines.clock, min_age_s=0)).removed == 0
    await engines.db.write(lambda tx: tx.execute(delete(RUNS).where(RUNS.c.state == RunState.SUCCEEDED.value)))
    assert (await sweep(blobs, owner, engines.clock, min_age_s=0)).removed == 6
