"""Finished runs go when they are older than they are kept, with all that belongs to them; others stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import func, select

from fixtures.engines_of_runs import Engines, until
from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.kernel.runs import Run, RunsSettings, RunState, StepContext, retention, workflow
from holdfast.kernel.runs.retention import delete_old
from holdfast.kernel.runs.tables import RUN_LOG, RUN_SIGNALS, RUN_STEPS, RUNS


async def say(what: str, *, step: StepContext) -> str:
    step.log("saying")
    if what == "fail":
        raise ValueError(what)
    return what


@workflow("talk")
async def talk(ctx: Run, what: str) -> str:
    said: str = await ctx.step("say", say, what)
    if what == "ask":
        await ctx.signal("answer")
    return said


@pytest.fixture
def deleted() -> Counter:
    return Counter("deleted", "Deleted.", registry=CollectorRegistry())


def later(days: float) -> FakeClock:
    return FakeClock(datetime.now(UTC) + timedelta(days=days))


async def count(engines: Engines, table: Any) -> int:
    return await engines.db.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())


async def test_what_is_too_old_goes_whole_and_the_rest_stays(engines: Engines, deleted: Counter) -> None:
    runs = await engines.run(talk)
    done, failed, waiting = [await runs.start(talk, what) for what in ("hello", "fail", "ask")]
    await done.result(30)
    await until(lambda: _is(runs, failed.id, RunState.FAILED))
    await until(lambda: _is(runs, waiting.id, RunState.WAITING))
    settings = RunsSettings(keep_succeeded=10 * 86400.0, keep_failed=20 * 86400.0)
    assert await delete_old(engines.db, later(9), settings, deleted) == 0
    assert await delete_old(engines.db, later(11), settings, deleted) == 1
    assert [run.id for run in (await runs.list("default")).items] == [waiting.id, failed.id]
    assert await delete_old(engines.db, later(21), settings, deleted) == 1
    assert [run.id for run in (await runs.list("default")).items] == [waiting.id]
    assert await count(engines, RUN_STEPS) == 2
    left = await engines.db.read(lambda tx: set(tx.execute(select(RUN_LOG.c.run_id)).scalars()))
    assert left <= {waiting.id}
    assert await count(engines, RUN_SIGNALS) == 0


async def test_zero_keeps_runs_for_ever(engines: Engines, deleted: Counter) -> None:
    runs = await engines.run(talk)
    await (await runs.start(talk, "hello")).result(30)
    settings = RunsSettings(keep_succeeded=0.0, keep_failed=0.0)
    assert await delete_old(engines.db, later(10_000), settings, deleted) == 0
    assert await count(engines, RUNS) == 1


class LateClock(SystemClock):
    """A clock that is forty days ahead and does not wait."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=40)


async def test_many_go_in_batches(engines: Engines, deleted: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    runs = await engines.run(talk)
    for handle in [await runs.start(talk, "hello") for _ in range(3)]:
        await handle.result(30)
    assert await delete_old(engines.db, LateClock(), RunsSettings(), deleted) == 3
    assert await count(engines, RUN_STEPS) == 0


async def _is(runs: Any, run_id: str, state: RunState) -> bool:
    return (await runs.get(run_id)).state is state
