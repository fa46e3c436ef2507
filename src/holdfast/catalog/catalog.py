"""The catalog in force: one snapshot that a reload replaces as a whole.

Readers take `entities` once and stay consistent for as long as they hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holdfast.catalog.changes import compare, digests, read_recorded, record
from holdfast.catalog.reading import FOLDER, read_folder
from holdfast.catalog.settings import CatalogSettings
from holdfast.catalog.snapshot import Entities
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.events import EventLog
from holdfast.kernel.sql import Database
from holdfast.kernel.wiring import OpsFolder, Prepared

RETRY_S: Final = 10.0


class Catalog:
    """What the ops folder says of services, teams and what they need."""

    def __init__(self, settings: CatalogSettings, db: Database, events: EventLog, clock: Clock) -> None:
        self._settings = settings
        self._db = db
        self._events = events
        self._clock = clock
        self._entities = Entities()
        self._is_recorded = True

    @property
    def entities(self) -> Entities:
        """Give the snapshot in force; it never changes, the next one replaces it."""
        return self._entities

    def prepare(self, folder: OpsFolder, _before: dict[str, Prepared]) -> PreparedCatalog:
        """Read the ops folder's part; nothing is in force before `apply`.

        Raises:
            ConfigError: with every fault of every descriptor.
        """
        folder.demand_folder(FOLDER)
        return PreparedCatalog(self, read_folder(folder.path, extra_keys=self._settings.extra_keys))

    async def replace(self, entities: Entities) -> None:
        """Put `entities` in force and tell what that changed.

        A database that takes no writes does not keep a valid catalog from being used: `keep_recorded` tells it later.
        """
        self._entities = entities
        self._is_recorded = False
        try:
            await self._record()
        except UnavailableError:
            return

    async def keep_recorded(self) -> None:
        """Tell, for ever, what `replace` could not."""
        while True:
            await self._clock.sleep(RETRY_S)
            await self.record_again()

    async def record_again(self) -> None:
        """Tell what `replace` could not, if there is anything; raises while the database still takes no writes."""
        if not self._is_recorded:
            await self._record()

    async def _record(self) -> None:
        current = self._entities
        after = digests(current)
        if compare(await self._db.read(read_recorded), after):
            await self._db.write(lambda tx: record(tx, self._events, after))
        self._is_recorded = current is self._entities


@dataclass(frozen=True, slots=True)
class PreparedCatalog:
    """A snapshot that was found valid; the rooms above may look into it before it is in force."""

    catalog: Catalog
    entities: Entities

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but worth a look."""
        return tuple(str(warning) for warning in self.entities.warnings)

    async def apply(self) -> None:
        """Put the snapshot in force."""
        await self.catalog.replace(self.entities)
