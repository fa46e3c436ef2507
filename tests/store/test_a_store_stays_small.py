"""The job that gives memory back after a start, and now and then later."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace

from prometheus_client import CollectorRegistry

from holdfast.kernel.processes import ServerSettings
from holdfast.store import Store, StoreSettings
from holdfast.store.wiring import TRIM_AFTER_S, TRIM_EVERY_S, wire


async def test_memory_is_given_back_once_all_is_warm_and_from_then_on(fake_clock, monkeypatch, tmp_path):
    trims = []

    async def trim(store: Store) -> None:
        trims.append(fake_clock.monotonic())

    monkeypatch.setattr(Store, "trim", trim)
    settings = {ServerSettings: SimpleNamespace(data=tmp_path), StoreSettings: StoreSettings()}
    ground = SimpleNamespace(settings=settings, clock=fake_clock, metrics=CollectorRegistry())
    (job,) = wire(ground).wiring.jobs
    began = fake_clock.monotonic()
    running = asyncio.create_task(job.run())
    for seconds in (TRIM_AFTER_S, TRIM_EVERY_S, TRIM_EVERY_S):
        await fake_clock.advance(seconds)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert [at - began for at in trims] == [TRIM_AFTER_S, TRIM_AFTER_S + TRIM_EVERY_S, TRIM_AFTER_S + 2 * TRIM_EVERY_S]
