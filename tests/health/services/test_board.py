"""The board follows the checks: live, within a second, and without the disk where it must."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from fixtures.checkstates import FakeChecks, check_state
from fixtures.ops import component
from holdfast.health.services.board import Board
from holdfast.health.services.chronicle import Chronicle
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import StorageFullError
from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT


class Scene:
    """A board over states and a catalog that a test changes as it likes."""

    def __init__(self, db, log: EventLog, entities) -> None:
        clock = SystemClock()
        self.entities, self.log, self.db = entities, log, db
        self.checks = FakeChecks(lambda: self.entities)
        self.chronicle = Chronicle(db, log, clock)
        self.board = Board(lambda: self.entities, self.checks, self.chronicle, clock, log.wake)

    async def wait_for(self, kind: str, count: int) -> list:
        async with asyncio.timeout(60):
            async for _ in self.log.tail(DEFAULT_TENANT, after=0, idle_s=0.05):
                found = await self.log.read(DEFAULT_TENANT, after=0, kinds=(kind,))
                if len(found) >= count:
                    return found
        raise AssertionError


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.health.services.migrations")


@pytest.fixture
async def scene(db, ops_folder):
    entities = ops_folder.read(a=component("web", "dependsOn: [component:orders]"), b=component("orders"))
    return Scene(db, EventLog(db, SystemClock()), entities)


@contextlib.asynccontextmanager
async def running(board: Board):
    task = asyncio.create_task(board.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_service_turns_within_a_second_of_its_check(scene):
    scene.checks.now = [check_state("web-ready", service="web"), check_state("orders-ready", service="orders")]
    async with running(scene.board):
        await scene.wait_for("service.changed", 2)
        scene.checks.now[1] = check_state("orders-ready", "down", service="orders")
        (checked,) = await scene.log.publish(NewEvent("check.changed", "check/orders-ready"))
        events = await scene.wait_for("service.changed", 4)
    turned = {event.service: event.data["to"] for event in events[2:]}
    assert turned == {"orders": "down", "web": "degraded"}
    assert all((event.at - checked.at).total_seconds() < 1 for event in events[2:])


async def test_health_is_shown_while_the_disk_is_full_and_written_when_there_is_room(scene, monkeypatch):
    scene.checks.now = [check_state("web-ready", "down", service="web")]
    await scene.chronicle.open()

    async def refuse(_work):
        raise StorageFullError("full")

    with monkeypatch.context() as full:
        full.setattr(scene.db, "write", refuse)
        with pytest.raises(StorageFullError):
            await scene.board.settle()
        assert scene.board.judge()["web"].verdict is Verdict.DOWN
    await scene.board.settle()
    assert len(await scene.log.read(DEFAULT_TENANT, after=0)) == 1


async def test_the_board_outlives_a_full_disk(scene, monkeypatch):
    async with running(scene.board):
        await scene.log.publish(NewEvent("x.y", "z"))
        write, refusals = scene.db.write, iter([True] * 2)

        async def refuse_twice(work):
            if next(refusals, False):
                raise StorageFullError("full")
            return await write(work)

        monkeypatch.setattr(scene.db, "write", refuse_twice)
        scene.checks.now = [check_state("web-ready", service="web")]
        for _ in range(3):
            scene.log.wake.send()
            await asyncio.sleep(0.1)
        assert len(await scene.wait_for("service.changed", 1)) == 1


async def test_checks_attach_by_selector_and_follow_the_catalog(scene, ops_folder):
    scene.checks.now = [check_state("all", "degraded", selector={"owner": "platform"})]
    assert {name: health.verdict.value for name, health in scene.board.judge().items()} == {
        "orders": "degraded",
        "web": "degraded",
    }
    scene.entities = ops_folder.read(b=component("orders").replace("platform", "other"))
    assert scene.board.judge()["orders"].verdict is Verdict.UNKNOWN


async def test_a_service_that_only_a_check_names_is_there_too(scene):
    scene.checks.now = [check_state("mail-ready", service="mail"), check_state("x", "down", service="WEB")]
    healths = scene.board.judge()
    assert healths["mail"].verdict is Verdict.UP
    assert healths["web"].verdict is Verdict.DOWN
