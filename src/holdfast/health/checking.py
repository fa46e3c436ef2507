"""The health room's heart: checks in files become checks that run, are recorded, and attach to services.

It only joins parts: the engine judges, the recorder writes, the catalog names services.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from holdfast.catalog import Catalog, PreparedCatalog
from holdfast.health.checks import Check, CheckBook, load_checks
from holdfast.health.engine import CheckState, Engine, EngineParts
from holdfast.health.engine.sqlledger import SqlLedger
from holdfast.health.heartbeats import HeartbeatBook
from holdfast.health.history import NOTHING as NO_UPTIME
from holdfast.health.history import SCHEMA, History, Recorder, Uptimes
from holdfast.health.history.reading import Held
from holdfast.health.kinds import InstalledKinds
from holdfast.health.metrics import HealthMetrics
from holdfast.health.probes import ProbeContext
from holdfast.health.services import attach
from holdfast.health.settings import HealthSettings
from holdfast.health.showing import show_summary
from holdfast.health.views import CheckSummary
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import DEFAULT_TENANT, ServiceId
from holdfast.kernel.processes import settle_collector
from holdfast.kernel.wiring import Ground, OpsFolder, Prepared
from holdfast.resilience import timeout
from holdfast.store import Store
from holdfast.telemetry import MetricSink

PATTERNS: Final = ("checks/*.yaml", "checks/*.yml", "checks/**/*.yaml", "checks/**/*.yml")
_REMEMBERED: Final = timedelta(hours=1)
_RECENT: Final = 40
_MANY: Final = 500  # checks from which on a pass of the garbage collector is felt in the schedule


@dataclass(frozen=True, slots=True)
class PreparedChecks:
    """Checks that were found valid."""

    checking: Checking
    book: CheckBook
    attached: Mapping[str, frozenset[ServiceId]]
    warnings: tuple[str, ...] = ()

    async def apply(self) -> None:
        """Put them in force."""
        self.checking.replace(self.book, self.attached)


class Checking:
    """All of this process' checks."""

    def __init__(
        self, ground: Ground, store: Store, sink: MetricSink, catalog: Catalog, installed: InstalledKinds
    ) -> None:
        settings = ground.settings[HealthSettings]
        self._ground = ground
        self._store = store
        self._installed = installed
        self._settings = settings
        self._catalog = catalog
        self._attached: Mapping[str, frozenset[ServiceId]] = {}
        metrics = HealthMetrics(ground.metrics)
        self.history = History(store)
        self.uptimes = Uptimes(self.history, ground.clock)
        self.recorder = Recorder(store, ground.clock, metrics, sink=sink, queue=settings.queue_results)
        self.heartbeats = HeartbeatBook(ground.db, ground.clock, resolve_secret=self._resolve, tell=self._start_now)
        self.engine = Engine(
            EngineParts(
                clock=ground.clock,
                ledger=SqlLedger(ground.db, ground.events),
                emit=self.recorder.add,
                grant=self._grant,
                passive=self.heartbeats.probe,
                services_of=self.services_of,
                metrics=metrics,
                slots=settings.concurrency,
                breaker_s=settings.breaker,
            )
        )

    def _resolve(self, reference: str) -> str:
        return self._ground.secrets.resolve(reference).reveal()

    def _start_now(self, name: str) -> None:
        self.engine.start_now(name)

    def _grant(self, check: Check) -> ProbeContext:
        return ProbeContext(
            timeout_s=check.timeout_s,
            resolve_secret=self._resolve,
            allow_metadata_addresses=self._settings.allow_metadata_addresses,
        )

    def prepare(self, folder: OpsFolder, before: dict[str, Prepared]) -> PreparedChecks:
        """Read the ops folder's check files; nothing is in force before `apply`.

        Raises:
            ConfigError: with every fault of every file.
        """
        book = load_checks(folder.files(*PATTERNS), self._installed.kinds, root=folder.path)
        services = before.get("services")
        entities = services.entities if isinstance(services, PreparedCatalog) else self._catalog.entities
        found = attach(book.checks, entities)
        warnings = found.warnings if services else ()  # the catalog has faults: loose ends would be its echo
        return PreparedChecks(self, book, found.services, tuple(str(warning) for warning in warnings))

    def replace(self, book: CheckBook, attached: Mapping[str, frozenset[ServiceId]]) -> None:
        """Watch what `book` says from now on."""
        self._attached = attached
        self.heartbeats.expect(book.checks)
        self.engine.apply(book)
        if len(book.checks) >= _MANY:
            settle_collector()

    def services_of(self, check: Check) -> frozenset[ServiceId]:
        """Give the names of the services that a check attaches to."""
        return self._attached.get(check.name, frozenset())

    async def read_uptimes(self) -> Mapping[str, Mapping[str, Held]]:
        """Give every check's uptime by window; nothing while the store does not answer, for lists must still show."""
        try:
            return await self.uptimes.read()
        except HoldfastError:
            return {}

    async def uptime_of(self, name: str) -> Mapping[str, Held]:
        """Give one check's uptime by window."""
        return (await self.read_uptimes()).get(name, NO_UPTIME)

    def states(self) -> list[CheckState]:
        """Give where every check stands."""
        return self.engine.states()

    async def summaries(self, names: Sequence[str]) -> list[CheckSummary]:
        """Give the checks of these names as lists show them."""
        uptimes, wanted = await self.read_uptimes(), set(names)
        return [
            show_summary(state, self.services_of(state.check), uptimes.get(state.check.name, NO_UPTIME))
            for state in self.engine.states()
            if state.check.name in wanted
        ]

    async def remember(self) -> None:
        """Fill the bars of the console with what the store knows of the last hour."""
        since = self._ground.clock.now() - _REMEMBERED
        for name, recent in (await self.history.recent(since, _RECENT)).items():
            self.engine.remember(name, recent)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Have the tables and the state of the last process before any job runs; write the rest at the end."""
        await self._store.register(SCHEMA)
        await self.engine.recall()
        try:
            yield
        finally:
            await self._write_rest()

    async def _write_rest(self) -> None:
        try:
            async with timeout(5.0):
                await self.recorder.flush()
        except (HoldfastError, TimeoutError):
            return  # a store that does not answer must not keep the process from stopping


TENANT: Final = DEFAULT_TENANT
