"""Joins the ledger to the app: its table in the store, and a job of every process that writes what was noted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast import journal
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.wiring import Job, Wiring
from holdfast.telemetry.ledger.doors import RefusedAtDoors
from holdfast.telemetry.ledger.ledger import Ledger
from holdfast.telemetry.ledger.tables import SCHEMA

if TYPE_CHECKING:
    from holdfast.kernel.wiring import Ground
    from holdfast.store import StoreRoom

_log = journal.get_logger("holdfast.ledger")


@dataclass(frozen=True, slots=True)
class LedgerRoom:
    """The ledger, what doors refused, and how it is wired."""

    ledger: Ledger
    doors: RefusedAtDoors
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom) -> LedgerRoom:
    """Build the room over the store; it is left after the rooms that note things."""
    ledger = Ledger(columns.store, ground.clock, ground.metrics)

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await columns.store.register(SCHEMA)
        try:
            yield
        finally:
            try:
                await ledger.finish()
            except HoldfastError as error:  # a store that has no room must not keep the process from stopping
                _log.warning("ledger.last_write_lost", error=str(error))

    job = Job("ledger.write", ledger.keep_written, ground.settings[ServerSettings].roles[0])
    return LedgerRoom(ledger, RefusedAtDoors(ledger), Wiring(name="ledger", lifespan=registered, jobs=(job,)))
