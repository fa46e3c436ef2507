"""All tails together take a part of the processor: one works at a time, and rests."""

from __future__ import annotations

import asyncio

from holdfast.telemetry.logs.tailing.share import Share


async def test_who_has_worked_rests_three_times_as_long_before_the_next_begins(fake_clock):
    share, began_s = Share(fake_clock), []

    async def work():
        async with share.turn():
            began_s.append(fake_clock.monotonic())
            await fake_clock.sleep(0.1)

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await fake_clock.advance(2)
    await asyncio.gather(*tasks)
    assert [round(at_s, 6) for at_s in began_s] == [0.0, 0.4, 0.8]


async def test_a_long_turn_costs_no_long_rest(fake_clock):
    share = Share(fake_clock)

    async def work():
        async with share.turn():
            await fake_clock.sleep(10)

    task = asyncio.create_task(work())
    await fake_clock.advance(10.5)
    assert task.done()
