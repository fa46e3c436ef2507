"""Timers of the engine: one that fails takes no other along."""

from __future__ import annotations

import asyncio

from fixtures.clocks import advance_until
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.runs.timers import Timers


async def test_a_call_that_fails_takes_no_other_along(fake_clock: FakeClock) -> None:
    timers, came = Timers(fake_clock), asyncio.Event()

    def fail() -> None:
        raise RuntimeError("nobody home")

    timers.after(1, fail)
    timers.after(2, came.set)
    await advance_until(fake_clock, came.is_set)
    came.clear()
    timers.after(1, came.set)
    await advance_until(fake_clock, came.is_set)
    await timers.close()
