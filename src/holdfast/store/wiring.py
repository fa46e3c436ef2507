"""Joins the store to the app: opened after the migrations, closed last, asked by `/readyz`, kept small by a job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.wiring import Ground, Job, Readiness, Wiring
from holdfast.store import resident
from holdfast.store.settings import StoreSettings
from holdfast.store.store import Store

TRIM_AFTER_S: Final = 8.0  # by then every room has started, and jobs have run for the first time
TRIM_EVERY_S: Final = 300.0
LOOK_EVERY_S: Final = 15.0
GROWN_BYTES: Final = 64 * 1024 * 1024  # worth a trim before the time: a burst leaves as much, which nobody needs


@dataclass(frozen=True, slots=True)
class StoreRoom:
    """The store and how it is wired."""

    store: Store
    wiring: Wiring


def wire(ground: Ground) -> StoreRoom:
    """Build the room; the embedded engine lives in the data folder."""
    folder = ground.settings[ServerSettings].data / "telemetry"
    store = Store(ground.settings[StoreSettings], folder=folder, clock=ground.clock, metrics=ground.metrics)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with store:
            yield

    async def stay_small() -> None:
        await ground.clock.sleep(TRIM_AFTER_S)
        while True:
            await store.trim()
            least = resident.own_bytes()
            for _ in range(int(TRIM_EVERY_S / LOOK_EVERY_S)):
                await ground.clock.sleep(LOOK_EVERY_S)
                now = resident.own_bytes()
                if now > least + GROWN_BYTES:
                    break
                least = min(least, now)

    readiness = (Readiness("columns", store.check),)
    return StoreRoom(
        store, Wiring(name="store", lifespan=opened, readiness=readiness, jobs=(Job("store.trim", stay_small),))
    )
