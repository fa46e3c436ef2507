"""Joins the store to the app: opened after the migrations, closed last, asked by `/readyz`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.wiring import Ground, Readiness, Wiring
from holdfast.store.settings import StoreSettings
from holdfast.store.store import Store


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

    return StoreRoom(store, Wiring(name="store", lifespan=opened, readiness=(Readiness("columns", store.check),)))
