"""Ticks against real rows: once per instant whatever happens, in the order that the policies give."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from fixtures.engines_of_runs import until
from holdfast.kernel.errors import ConflictError, NotFoundError
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs.queues import Queue
from holdfast.kernel.runs.schedules import Schedule, ScheduleBook
from holdfast.kernel.runs.tables import RUNS
from kernel.runs.queuerows import row

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3600.0


@dataclass
class Rows:
    """Launches bare rows, as the engine inserts them."""

    refusal: Exception | None = None
    cancelled: list[str] = field(default_factory=list)

    def launch(self, tx, schedule, key, actor):
        if self.refusal:
            raise self.refusal
        there = tx.execute(select(RUNS.c.id).where(RUNS.c.dedupe_key == key)).scalar()
        if there:
            return there
        fresh = row(Queue("default"), schedule=schedule.name, dedupe_key=key, actor=actor)
        tx.execute(insert(RUNS).values(**fresh))
        return fresh["id"]

    def cancel(self, tx, run_id, actor, reason):
        tx.execute(update(RUNS).where(RUNS.c.id == run_id).values(state="cancelling"))
        self.cancelled.append(run_id)


class Process:
    """One process' book over the shared database."""

    def __init__(self, db, clock, *schedules):
        self.db, self.clock, self.rows, self.woken = db, clock, Rows(), []
        self.events = EventLog(db, clock)
        self.book = ScheduleBook(db, self.events, clock, self.rows, self.woken.append)
        for schedule in schedules:
            self.book.add(schedule)

    async def pass_s(self, seconds):
        await self.clock.advance(seconds)
        return await self.book.tick()

    async def instants(self):
        query = select(RUNS.c.dedupe_key).order_by(RUNS.c.id)
        keys = await self.db.read(lambda tx: tx.execute(query).scalars().all())
        return [datetime.fromisoformat(key.rpartition("/")[2]) for key in keys]

    async def hours(self):
        return [(at - START) / timedelta(hours=1) for at in await self.instants()]

    async def end_all(self):
        await self.db.write(lambda tx: tx.execute(update(RUNS).values(state="succeeded")))

    async def told(self):
        events = await self.events.read(DEFAULT_TENANT, after=0)
        return [(event.kind, dict(event.data)) for event in events]

    async def standing(self, name="x"):
        return {view.standing.name: view for view in await self.book.views()}[name]


@pytest.fixture
def tables(db):
    return db


@pytest.fixture
def process(tables, fake_clock):
    return lambda *schedules: Process(tables, fake_clock, *schedules)


def hourly(**more):
    return Schedule("x", "w", every="1h", **more)


async def test_each_instant_starts_one_run_and_the_tick_says_when_to_look_again(process):
    one = process(hourly(overlap="allow"))
    await one.book.sync()
    assert await one.pass_s(HOUR - 1) == START + timedelta(hours=1)
    assert await one.hours() == []
    assert await one.pass_s(1) == START + timedelta(hours=2)
    await one.book.tick()
    assert await one.pass_s(HOUR) == START + timedelta(hours=3)
    assert await one.hours() == [1, 2]
    assert len(one.woken) == 2


async def test_processes_that_tick_at_once_start_an_instant_once(process):
    schedules = [Schedule(f"s{n}", "w", every="1h") for n in range(5)]
    several = [process(*schedules) for _ in range(4)]
    for one in several:
        await one.book.sync()
    await several[0].clock.advance(HOUR)
    await asyncio.gather(*(one.book.tick() for one in several for _ in range(3)))
    assert await several[0].hours() == [1] * 5


async def test_a_tick_that_fails_leaves_nothing_behind_and_is_done_again(process, monkeypatch):
    one = process(hourly())
    await one.book.sync()
    monkeypatch.setattr("holdfast.kernel.runs.schedules.rows.write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await one.pass_s(HOUR)
    assert await one.hours() == []
    monkeypatch.undo()
    await one.book.tick()
    assert await one.hours() == [1]


@pytest.mark.parametrize(("catch_up", "hours"), [("skip", [6]), ("last", [5, 6]), ("all", [1, 2, 3, 4, 5, 6])])
async def test_a_process_that_was_away_catches_up_by_the_policy(process, catch_up, hours):
    schedule = hourly(catch_up=catch_up, overlap="allow")
    before = process(schedule)
    await before.book.sync()
    await before.clock.advance(5.5 * HOUR)
    after = process(schedule)
    await after.book.sync()
    await after.book.tick()
    await after.pass_s(HOUR / 2)
    assert await after.hours() == hours


@pytest.mark.parametrize(
    ("overlap", "started", "cancelled"),
    [("allow", [1, 2, 3], 0), ("skip", [1], 0), ("queue", [1], 0), ("cancel-old", [1, 2, 3], 3)],
)
async def test_what_happens_while_the_run_before_goes_on(process, overlap, started, cancelled):
    one = process(hourly(overlap=overlap))
    await one.book.sync()
    for _ in range(3):
        await one.pass_s(HOUR)
    assert await one.hours() == started
    assert len(one.rows.cancelled) == cancelled


async def test_held_instants_start_one_after_the_other_as_runs_end(process):
    one = process(hourly(overlap="queue", catch_up_limit=2))
    await one.book.sync()
    for _ in range(4):
        await one.pass_s(HOUR)
    assert await one.hours() == [1]
    for hours in ([1, 3], [1, 3, 4], [1, 3, 4]):
        await one.end_all()
        await one.book.tick()
        assert await one.hours() == hours


async def test_instants_that_are_lost_are_told_once_and_shown(process):
    one = process(hourly())
    await one.book.sync()
    for _ in range(4):
        await one.pass_s(HOUR)
    ((kind, data),) = await one.told()
    assert (kind, data["reason"], data["count"]) == ("schedule.skipped", "the run before has not ended", 1)
    assert (await one.standing()).standing.outcome == "the run before has not ended"
    await one.end_all()
    await one.pass_s(HOUR)
    assert (await one.standing()).standing.outcome == "started"


async def test_a_refused_instant_is_told_and_the_next_one_is_tried(process):
    one = process(hourly())
    await one.book.sync()
    one.rows.refusal = ConflictError("queue default is draining")
    await one.pass_s(HOUR)
    assert (await one.standing()).standing.outcome == "queue default is draining"
    assert (await one.told())[0][1]["reason"] == "queue default is draining"
    one.rows.refusal = None
    await one.pass_s(HOUR)
    assert await one.hours() == [2]


async def test_a_clock_that_leaps_ahead_and_comes_back_repeats_nothing_and_goes_on(process):
    one = process(hourly(overlap="allow"))
    await one.book.sync()
    await one.pass_s(HOUR)
    one.clock.jump(timedelta(days=30))
    await one.book.tick()
    one.clock.jump(timedelta(days=-30, minutes=-30))
    assert await one.book.tick() == START + timedelta(hours=1)
    await one.pass_s(HOUR / 2)
    await one.pass_s(HOUR)
    assert await one.hours() == [1, 721, 2]


async def test_a_paused_schedule_starts_nothing_and_makes_nothing_up(process):
    one = process(hourly())
    await one.book.sync()
    await one.book.pause("x", actor="user/1")
    await one.pass_s(3 * HOUR)
    view = await one.standing()
    assert (view.standing.is_paused, view.standing.changed_by, view.upcoming) == (True, "user/1", ())
    await one.book.resume("x", actor="user/2")
    await one.book.resume("x", actor="user/2")
    await one.pass_s(HOUR)
    assert await one.hours() == [4]
    assert [kind for kind, _ in await one.told()] == ["schedule.changed", "schedule.changed"]


async def test_a_pause_outlives_the_process(process):
    schedule = hourly()
    one = process(schedule)
    await one.book.sync()
    await one.book.pause("x", actor="user/1")
    two = process(schedule)
    await two.book.sync()
    await two.pass_s(2 * HOUR)
    assert await two.hours() == []


async def test_a_start_by_hand_leaves_the_instants_alone(process):
    one = process(hourly(overlap="allow"))
    await one.book.sync()
    run_id = await one.book.start_now("x", actor="user/1")
    assert (await one.standing()).standing.last_run_id == run_id
    await one.pass_s(HOUR)
    found = await one.db.read(lambda tx: tx.execute(select(RUNS.c.actor).order_by(RUNS.c.id)).scalars().all())
    assert found == ["user/1", "schedule/x"]
    with pytest.raises(NotFoundError, match="did you mean 'nightly'"):
        process(Schedule("nightly", "w", every="1h")).book.preview("nigthly", 3)


async def test_other_instants_begin_anew_and_other_words_go_on(process):
    one = process(hourly(overlap="allow"))
    await one.book.sync()
    await one.clock.advance(5 * HOUR)
    changed = process(Schedule("x", "w2", every="2h", overlap="allow"))
    await changed.book.sync()
    await changed.book.tick()
    await one.book.tick()
    assert await one.hours() == []
    await changed.pass_s(HOUR)
    await one.book.tick()
    assert await one.hours() == [6]

    renamed = process(Schedule("x", "w3", every="2h", overlap="allow"))
    await renamed.clock.advance(2 * HOUR)
    await renamed.book.sync()
    await renamed.book.tick()
    assert await one.hours() == [6, 8]


async def test_schedules_of_the_ops_folder_are_replaced_as_a_whole(process):
    one = process(Schedule("code", "w", every="1h"))
    await one.book.replace_ops([Schedule("a", "w", every="1h"), Schedule("b", "w", every="1h")])
    assert [view.standing.name for view in await one.book.views()] == ["a", "b", "code"]
    await one.book.replace_ops([Schedule("b", "w", every="2h"), Schedule("code", "other", every="9h")])
    views = await one.book.views()
    assert [(view.standing.name, view.standing.source) for view in views] == [("b", "ops"), ("code", "code")]
    assert views[1].standing.workflow == "w"
    with pytest.raises(ConflictError, match="is there twice"):
        one.book.add(Schedule("code", "other", every="9h"))


async def test_the_list_shows_what_comes_next_also_of_other_processes(process):
    one, two = process(hourly()), process()
    await one.book.sync()
    view = await one.standing()
    assert [(at - START) / timedelta(hours=1) for at in view.upcoming] == [1, 2, 3, 4, 5]
    assert one.book.preview("x", 2) == list(view.upcoming[:2])
    elsewhere = await two.standing()
    assert (elsewhere.is_known, elsewhere.upcoming) == (False, ())
    assert elsewhere.standing.definition["rule"] == "1h"


async def test_the_loop_ticks_at_each_instant_and_when_it_is_woken(process):
    one = process(hourly(overlap="queue"))
    await one.book.sync()
    task = asyncio.create_task(one.book.run())
    try:
        for hour, count in ((1, 1), (2, 1)):
            await until(lambda: one.clock.sleeping)
            await one.clock.advance((START + timedelta(hours=hour) - one.clock.now()).total_seconds())
            await until(lambda hour=hour: _is_past(one, hour))
            await until(lambda count=count: len(one.woken) == count)
        await one.end_all()
        one.book.wake.send()
        await until(lambda: len(one.woken) == 2)
        assert await one.hours() == [1, 2]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _is_past(one, hour) -> bool:
    await one.clock.advance(0.1)  # the loop may have looked just before the hour
    last = (await one.standing()).standing.last_due
    return last == START + timedelta(hours=hour)
