"""A crash is recorded and followed by a new start; the others do not notice."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.processes import Supervisor
from holdfast.kernel.wiring import Job


async def test_a_crashed_job_starts_again_after_a_growing_pause(fake_clock: FakeClock) -> None:
    starts: list[float] = []
    steady = asyncio.Event()

    async def crash() -> None:
        starts.append(fake_clock.monotonic())
        raise RuntimeError("no luck")

    registry = CollectorRegistry()
    supervisor = Supervisor(fake_clock, registry)
    supervisor.start([Job("crash", crash), Job("steady", steady.wait)])
    for _ in range(8):
        await fake_clock.advance(0.5)
    assert starts == [0.0, 0.5, 1.5, 3.5]
    crashed, running = supervisor.reports
    assert (crashed.crashes, crashed.last_error) == (4, "RuntimeError: no luck")
    assert (running.is_running, running.crashes) == (True, 0)
    assert registry.get_sample_value("holdfast_job_crashes_total", {"job": "crash"}) == 4
    await supervisor.stop()
    assert registry.get_sample_value("holdfast_jobs_running") == 0


async def test_a_job_that_returns_is_done(fake_clock: FakeClock) -> None:
    async def once() -> None:
        await asyncio.sleep(0)

    supervisor = Supervisor(fake_clock, CollectorRegistry())
    supervisor.start([Job("once", once)])
    await fake_clock.advance(1)
    assert supervisor.reports[0].is_running is False
    await supervisor.stop()
