"""The job that gives memory back after a start, and now and then later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.processes import ServerSettings
from holdfast.store import Store, StoreSettings, resident
from holdfast.store.wiring import GROWN_BYTES, LOOK_EVERY_S, TRIM_AFTER_S, TRIM_EVERY_S, wire


@pytest.fixture
async def trims(fake_clock, monkeypatch, tmp_path) -> AsyncIterator[list[float]]:
    """Seconds from the start at which memory was given back, while the job runs."""
    began, times = fake_clock.monotonic(), []

    async def trim(store: Store) -> None:
        times.append(fake_clock.monotonic() - began)

    monkeypatch.setattr(Store, "trim", trim)
    settings = {ServerSettings: SimpleNamespace(data=tmp_path), StoreSettings: StoreSettings()}
    ground = SimpleNamespace(settings=settings, clock=fake_clock, metrics=CollectorRegistry())
    (job,) = wire(ground).wiring.jobs
    running = asyncio.create_task(job.run())
    yield times
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def pass_time(clock, seconds: float) -> None:
    for _ in range(int(seconds / LOOK_EVERY_S)):
        await clock.advance(LOOK_EVERY_S)


async def test_memory_is_given_back_once_all_is_warm_and_from_then_on(fake_clock, trims, monkeypatch):
    monkeypatch.setattr(resident, "own_bytes", lambda: 10**8)
    await fake_clock.advance(TRIM_AFTER_S)
    await pass_time(fake_clock, 2 * TRIM_EVERY_S)
    assert trims == [TRIM_AFTER_S, TRIM_AFTER_S + TRIM_EVERY_S, TRIM_AFTER_S + 2 * TRIM_EVERY_S]


async def test_what_a_burst_leaves_is_given_back_soon_and_what_stays_is_not_looked_for_again(
    fake_clock, trims, monkeypatch
):
    held = [10**8]
    monkeypatch.setattr(resident, "own_bytes", lambda: held[0])
    await fake_clock.advance(TRIM_AFTER_S)
    await pass_time(fake_clock, 60)
    held[0] += GROWN_BYTES
    await pass_time(fake_clock, 60)  # not more than is worth it
    held[0] += 1
    await pass_time(fake_clock, TRIM_EVERY_S)
    assert trims == [TRIM_AFTER_S, TRIM_AFTER_S + 120 + LOOK_EVERY_S]


def test_own_memory_is_what_no_file_stands_behind():
    before = resident.own_bytes()
    block = bytearray(b"x") * (32 * 1024 * 1024)
    assert 0.9 * len(block) < resident.own_bytes() - before < 1.5 * len(block)
