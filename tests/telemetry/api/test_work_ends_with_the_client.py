"""A query goes on as long as somebody waits for it; who leaves ends it, and other cancellations stay what they are."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from holdfast.telemetry.metrics.api import presence
from holdfast.telemetry.metrics.api.presence import ClientGoneError, while_present


class Visitor:
    """A request whose client leaves when told so."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.is_watched = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        self.is_watched.set()
        await self.leaves.wait()
        return {"type": "http.disconnect"}


class Work:
    """Takes until it is told to end."""

    def __init__(self) -> None:
        self.ends = asyncio.Event()
        self.was_cancelled = False

    async def run(self) -> int:
        try:
            await self.ends.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return 7


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "WATCHED_AFTER_S", 0.0)


async def test_an_answer_that_is_there_at_once_needs_no_watch():
    async def answer() -> int:
        return 3

    visitor = Visitor()
    assert await while_present(visitor, answer()) == 3
    assert not visitor.is_watched.is_set()


async def test_who_stays_gets_the_answer():
    visitor, work = Visitor(), Work()
    task = asyncio.create_task(while_present(visitor, work.run()))
    await visitor.is_watched.wait()
    work.ends.set()
    assert await task == 7
    assert task.cancelling() == 0


async def test_who_leaves_ends_the_work():
    visitor, work = Visitor(), Work()
    task = asyncio.create_task(while_present(visitor, work.run()))
    await visitor.is_watched.wait()
    visitor.leaves.set()
    with pytest.raises(ClientGoneError):
        await task
    assert work.was_cancelled


async def test_another_cancellation_stays_one():
    visitor, work = Visitor(), Work()
    task = asyncio.create_task(while_present(visitor, work.run()))
    await visitor.is_watched.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.was_cancelled


async def test_work_that_passes_over_its_end_leaves_no_cancellation_behind():
    visitor, work = Visitor(), Work()

    async def stubborn() -> int:
        with contextlib.suppress(asyncio.CancelledError):
            await work.run()
        return 5

    async def visit() -> tuple[int, int]:
        found = await while_present(visitor, stubborn())
        task = asyncio.current_task()
        assert task is not None
        return found, task.cancelling()

    task = asyncio.create_task(visit())
    await visitor.is_watched.wait()
    visitor.leaves.set()
    assert await task == (5, 0)
