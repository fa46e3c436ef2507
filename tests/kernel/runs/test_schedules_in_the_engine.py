"""Schedules as workflows meet them: judged when declared, started at their instant, overlapping as they say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fixtures.engines_of_runs import Engines, until
from holdfast.kernel.errors import ConfigError, InvalidError, NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunState, workflow
from holdfast.kernel.runs.queues import Queue
from holdfast.kernel.runs.schedules import Schedule, load_schedules


@dataclass(frozen=True)
class Order:
    keep: int


@workflow("shop.backup")
async def backup(ctx: Run, order: Order) -> int:
    return order.keep


@workflow("shop.slow")
async def slow(ctx: Run) -> str:
    return str(await ctx.signal("end"))


EVERY_SECOND = "1s"


async def listed(runs):
    return sorted((await runs.list(DEFAULT_TENANT)).items, key=lambda run: run.id)


async def test_an_instant_starts_a_run_with_its_input_and_who_did_it(engines: Engines) -> None:
    runs = engines.make(backup)
    runs.schedule(Schedule("backup", "shop.backup", {"keep": 7}, every=EVERY_SECOND, overlap="allow"))
    await engines.stack.enter_async_context(runs.running())
    run = (await until(lambda: listed(runs)))[0]
    assert await runs.handle(run.id).result(30) == 7
    assert run.actor == "schedule/backup"
    assert run.key.startswith("schedule/backup/")
    view = (await runs.schedules.views())[0]
    assert (view.standing.outcome, view.is_known) == ("started", True)


async def test_the_next_instant_cancels_the_run_before(engines: Engines) -> None:
    runs = engines.make(slow)
    runs.schedule(Schedule("poll", "shop.slow", every=EVERY_SECOND, overlap="cancel-old"))
    await engines.stack.enter_async_context(runs.running())

    async def find_cancelled():
        return [run for run in await listed(runs) if run.state is RunState.CANCELLED]

    run = (await until(find_cancelled))[0]
    assert (run.cancel_actor, run.cancel_reason) == ("schedule/poll", "the next run of its schedule is due")


async def test_a_held_instant_starts_as_soon_as_the_run_before_has_ended(engines: Engines) -> None:
    runs = engines.make(slow)
    runs.schedule(Schedule("poll", "shop.slow", every=EVERY_SECOND, overlap="queue"))
    await engines.stack.enter_async_context(runs.running())
    first = (await until(lambda: listed(runs)))[0]

    async def is_held():
        return (await runs.schedules.views())[0].standing.held

    await until(is_held)
    await runs.schedules.pause("poll", actor="user/1")
    await runs.schedules.resume("poll", actor="user/1")
    await until(is_held)
    assert len(await listed(runs)) == 1
    await runs.signal(first.id, "end", "done")
    second = await until(lambda: _second(runs))
    assert second.id != first.id


async def _second(runs):
    found = await listed(runs)
    return found[1] if len(found) > 1 else None


@pytest.mark.parametrize(
    ("schedule", "kind", "place", "message"),
    [
        (Schedule("x", "shop.bakup", every="1h"), NotFoundError, "workflow", "did you mean 'shop.backup'"),
        (Schedule("x", "shop.backup", {"keep": "many"}, every="1h"), InvalidError, "input", "keep"),
        (Schedule("x", "shop.slow", {"keep": 1}, every="1h"), InvalidError, "input", "takes no input"),
        (Schedule("x", "shop.slow", every="1h", queue="slwo"), NotFoundError, "queue", "did you mean 'slow'"),
    ],
)
def test_a_schedule_that_cannot_start_is_refused_when_it_is_declared(schedule, kind, place, message, tmp_path) -> None:
    runs = Engines(FakeDatabase(), "").make(backup, slow)
    runs.queue(Queue("slow", concurrency=1))
    with pytest.raises(kind) as caught:
        runs.schedule(schedule)
    assert caught.value.place.field == place
    assert message in str(caught.value)


class FakeDatabase:
    """Declaring needs no database."""

    dialect = "sqlite"


async def test_schedules_of_files_start_runs_and_are_judged(engines: Engines, tmp_path) -> None:
    runs = await engines.run(backup)
    text = "schedules: [{name: backup, workflow: shop.backup, every: 1s, input: {keep: 3}}]"
    file = tmp_path / "shop.yaml"
    file.write_text(text)
    await runs.schedules.replace_ops(load_schedules([file], runs.judge_schedule, root=tmp_path))
    run = (await until(lambda: listed(runs)))[0]
    assert await runs.handle(run.id).result(30) == 3
    file.write_text(text.replace("keep", "kep"))
    with pytest.raises(ConfigError, match=r"shop.yaml:1: schedules\[0\].input"):
        load_schedules([file], runs.judge_schedule, root=tmp_path)


async def test_a_start_by_hand_is_a_run_at_once(engines: Engines) -> None:
    runs = engines.make(backup)
    runs.schedule(Schedule("backup", "shop.backup", {"keep": 7}, cron="@yearly"))
    await engines.stack.enter_async_context(runs.running())
    run_id = await runs.schedules.start_now("backup", actor="user/1")
    assert await runs.handle(run_id).result(30) == 7
    assert (await runs.get(run_id)).actor == "user/1"
