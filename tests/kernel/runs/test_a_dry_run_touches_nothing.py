"""A dry run gives the plan of all that would change, in order, and changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import pytest

from fixtures.engines_of_runs import kill
from holdfast.kernel.runs import Change, Facilities, Plan, Run, RunFailedError, RunState, SyncRun, workflow
from holdfast.kernel.runs.plans import RunPlan, read_plan
from holdfast.kernel.secrets import Redactor, Secret


@dataclass(frozen=True)
class Scaled:
    """What scaling gives."""

    replicas: int


class World:
    """Something that steps change; `touched` says how often."""

    def __init__(self) -> None:
        self.replicas = 2
        self.touched = 0

    async def read(self) -> int:
        return self.replicas

    async def scale(self, replicas: int) -> Scaled:
        self.touched += 1
        self.replicas = replicas
        return Scaled(replicas)

    def plan_scale(self, replicas: int) -> Plan:
        change = Change("deployment/web", "scale", {"replicas": self.replicas}, {"replicas": replicas})
        return Plan((change,), result=Scaled(replicas))

    async def mail(self, text: str) -> None:
        self.touched += 1

    async def plan_mail(self, text: str) -> Change:
        return Change("mail to ops", "send", None, text)

    async def undo(self, *_given) -> None:
        self.touched += 1


@pytest.fixture
def world():
    return World()


def heal_of(world, name="shop.heal"):
    @workflow(name)
    async def heal(ctx: Run) -> dict:
        now = await ctx.step("look", world.read, read_only=True)
        scaled = await ctx.step("scale", world.scale, now * 2, dry_run=world.plan_scale, compensate=world.undo)
        await ctx.sleep("settle", "10m")
        word = await ctx.signal("approve", timeout="1h", dry_run={"by": "nobody yet"})
        await ctx.map("tell", world.mail, ["ann", "bob"], dry_run=world.plan_mail)
        return {"replicas": scaled.replicas, "word": word}

    return heal


async def test_the_plan_has_every_change_in_order_and_the_world_is_as_before(engines, world):
    runs = await engines.run(heal := heal_of(world))
    handle = await runs.start(heal, is_dry_run=True)
    plan = await handle.result(30)
    assert isinstance(plan, RunPlan)
    assert [(step.key, step.kind, step.note) for step in plan.steps] == [
        ("look", "read", ""),
        ("scale", "change", ""),
        ("settle", "sleep", "would sleep for 10m"),
        ("approve", "signal", "would wait for the signal 'approve' for 1h"),
        ("tell[0]", "change", ""),
        ("tell[1]", "change", ""),
    ]
    assert [change.action for change in plan.changes] == ["scale", "send", "send"]
    assert plan.result == {"replicas": 4, "word": {"by": "nobody yet"}}
    assert '+  "replicas": 4' in plan.diff()
    assert (world.touched, world.replicas) == (0, 2)


async def test_the_plan_is_what_the_run_shows_as_its_result(engines, world):
    runs = await engines.run(heal := heal_of(world))
    handle = await runs.start(heal, is_dry_run=True)
    plan = await handle.result(30)
    view = await runs.get(handle.id)
    assert (view.state, view.is_dry_run) == (RunState.SUCCEEDED, True)
    assert read_plan(view.result) == plan
    assert view.result["diff"] == plan.diff()


async def test_the_same_run_for_real_does_what_was_planned(engines, world):
    @workflow("shop.scale")
    async def scale(ctx: Run) -> int:
        now = await ctx.step("look", world.read, read_only=True)
        return (await ctx.step("scale", world.scale, now * 2, dry_run=world.plan_scale)).replicas

    runs = await engines.run(scale)
    planned = await (await runs.start(scale, is_dry_run=True, key="today")).result(30)
    assert await (await runs.start(scale, key="today")).result(30) == planned.result == 4
    assert (world.touched, world.replicas) == (1, 4)


async def test_children_plan_too(engines, world):
    heal = heal_of(world)

    @workflow("shop.night")
    async def night(ctx: Run) -> int:
        healed = await ctx.child("heal", heal)
        return healed["replicas"]

    runs = await engines.run(heal, night)
    plan = await (await runs.start(night, is_dry_run=True)).result(30)
    assert plan.result == 4
    assert plan.steps[0].kind == "child"
    assert plan.diff().startswith("heal > scale: scale deployment/web")
    assert world.touched == 0


async def test_a_sync_workflow_plans_too(engines, world):
    @workflow("shop.sync")
    def scale(ctx: SyncRun) -> int:
        ctx.sleep("settle", 5)
        return ctx.step("scale", world.scale, 3, dry_run=world.plan_scale).replicas

    runs = await engines.run(scale)
    plan = await (await runs.start(scale, is_dry_run=True)).result(30)
    assert (plan.result, world.touched) == (3, 0)


async def test_a_step_that_says_nothing_is_refused_and_named(engines, world):
    @workflow("shop.careless")
    async def careless(ctx: Run) -> None:
        await ctx.step("scale", world.scale, 3)

    runs = await engines.run(careless)
    with pytest.raises(RunFailedError, match=r"step scale cannot be part of a dry run.*dry_run=.*read_only=True"):
        await (await runs.start(careless, is_dry_run=True)).result(30)
    assert world.touched == 0


async def test_a_dry_run_that_fails_undoes_nothing(engines, world):
    @workflow("shop.half")
    async def half(ctx: Run) -> None:
        await ctx.step("scale", world.scale, 3, dry_run=world.plan_scale, compensate=world.undo)
        raise ValueError("the second half is missing")

    runs = await engines.run(half)
    with pytest.raises(RunFailedError, match="the second half is missing"):
        await (await runs.start(half, is_dry_run=True)).result(30)
    assert world.touched == 0


async def test_secrets_in_a_plan_are_masked(engines):
    redactor = Redactor()
    redactor.learn(Secret("s3cret-value"))

    async def act() -> None: ...

    def plan() -> Change:
        return Change("config", "write", "old", {"token": "abc12345", "text": "with s3cret-value inside"})

    @workflow("shop.config")
    async def config(ctx: Run) -> None:
        await ctx.step("write", partial(act), dry_run=plan)

    runs = await engines.run(config, facilities=Facilities(mask=redactor.mask))
    handle = await runs.start(config, is_dry_run=True)
    text = (await handle.result(30)).diff()
    assert "abc12345" not in text
    assert "s3cret-value" not in text
    assert "s3cret-value" not in str((await runs.get(handle.id)).result)


async def test_a_step_of_nested_steps_plans_each_of_them(engines, world):
    async def rollout(replicas: int, ctx: Run) -> int:
        scaled = await ctx.step("scale", world.scale, replicas, dry_run=world.plan_scale)
        await ctx.step("tell", world.mail, "done", dry_run=world.plan_mail)
        return scaled.replicas

    @workflow("shop.nested")
    async def nested(ctx: Run) -> int:
        return await ctx.step("rollout", rollout, 5, read_only=True)

    runs = await engines.run(nested)
    plan = await (await runs.start(nested, is_dry_run=True)).result(30)
    assert [(step.key, step.kind) for step in plan.steps] == [
        ("rollout", "read"),
        ("rollout/scale", "change"),
        ("rollout/tell", "change"),
    ]
    assert (plan.result, world.touched) == (5, 0)


async def test_a_plan_survives_a_crash_in_the_middle(engines, world):
    gate, begun = asyncio.Event(), asyncio.Event()

    async def look() -> int:
        begun.set()
        await gate.wait()
        return 3

    @workflow("shop.crash")
    async def crash(ctx: Run) -> int:
        await ctx.step("scale", world.scale, 5, dry_run=world.plan_scale)
        return await ctx.step("look", look, read_only=True)

    lost = await engines.run(crash)
    handle = await lost.start(crash, is_dry_run=True)
    await asyncio.wait_for(begun.wait(), 30)
    await kill(lost)
    gate.set()
    found = await engines.run(crash)
    if engines.db.dialect == "postgresql":
        await engines.db.write(lambda tx: tx.exec_driver_sql("UPDATE runs SET owner = NULL, state = 'queued'"))
        found._worker.look_soon()
    plan = read_plan(await found.handle(handle.id).result(30))
    assert [step.key for step in plan.steps] == ["scale", "look"]
    assert (plan.result, world.touched) == (3, 0)
