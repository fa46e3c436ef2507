"""Requests of OTLP are read one at a time; a tenant that floods waits for itself, and too much is refused."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.kernel.errors import BusyError
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.otlp import Turns

FLOOD, QUIET = TenantId("flood"), TenantId("quiet")


class Door:
    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self.at_once = 0

    async def take(self, tenant: TenantId, size: int = 1) -> None:
        async with self.turns.take(tenant, size):
            self.at_once += 1
            assert self.at_once == 1
            self.order.append(tenant)
            await asyncio.sleep(0)
            self.at_once -= 1


async def test_a_flood_keeps_others_waiting_for_one_of_its_requests():
    door = Door(Turns())
    await asyncio.gather(*(door.take(FLOOD) for _ in range(20)), door.take(QUIET), door.take(QUIET))
    assert len(door.order) == 22
    assert door.order[:5] == [FLOOD, FLOOD, QUIET, FLOOD, QUIET]


async def test_what_waits_is_bounded():
    door = Door(Turns(most_waiting=2, most_bytes=10))
    answers = await asyncio.gather(*(door.take(FLOOD, 4) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None)] * 3 + [BusyError] * 2
    answers = await asyncio.gather(door.take(FLOOD), door.take(FLOOD, 8), door.take(FLOOD, 8), return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None)] * 2 + [BusyError]
    await door.take(FLOOD, 1000)  # alone it may be as large as it likes


@pytest.mark.parametrize("has_turn", [False, True])
async def test_who_gives_up_passes_the_turn_on(has_turn):
    door = Door(Turns())
    release = asyncio.Event()
    given_up: list[asyncio.Task[None]] = []

    async def hold() -> None:
        async with door.turns.take(QUIET, 1):
            await release.wait()
        for task in given_up:  # its turn has come, and it does not know it yet
            task.cancel()

    first = asyncio.create_task(hold())
    await asyncio.sleep(0)
    second, third = asyncio.create_task(door.take(FLOOD)), asyncio.create_task(door.take(QUIET))
    await asyncio.sleep(0)
    if has_turn:
        given_up.append(second)
    else:
        second.cancel()
    release.set()
    await asyncio.gather(first, third)
    await asyncio.wait([second])
    assert second.cancelled()
    assert door.order == [QUIET]
    await door.take(FLOOD)
    assert door.order == [QUIET, FLOOD]
