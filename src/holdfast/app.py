"""Builds, starts, reloads and stops everything, from what each room hands over in its `wiring`.

The same object serves production and tests. It knows the rooms and their order, and nothing of what they do; HTTP is
put around it by `holdfast.web`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from holdfast import catalog, health, instrument, journal, store, telemetry
from holdfast.kernel import auth, blobs, feed, http, members, processes, runs, sql
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import HoldfastError, UnavailableError
from holdfast.kernel.events import EventKind, EventLog, NewEvent, listen_postgres, run_consumer
from holdfast.kernel.ops import LOADED, REFUSED, Ops
from holdfast.kernel.plugins import load_plugins
from holdfast.kernel.processes import DataFolder, JobReport, ServerSettings, Supervisor
from holdfast.kernel.secrets import SecretProvider, Secrets
from holdfast.kernel.settings import Section, Settings
from holdfast.kernel.wiring import Ground, Job, Room, Wiring

SECTIONS: Final[tuple[Section, ...]] = (
    processes.SECTION,
    sql.SECTION,
    http.SECTION,
    blobs.SECTION,
    auth.SECTION,
    runs.SECTION,
    store.SECTION,
    telemetry.METRICS_SECTION,
    telemetry.LOGS_SECTION,
    telemetry.TRACES_SECTION,
    telemetry.LOG_LIMITS_SECTION,
    telemetry.LOG_QUERIES_SECTION,
    telemetry.LOG_TAILS_SECTION,
    *telemetry.LOG_DOOR_SECTIONS,
    *telemetry.DOOR_SECTIONS,
    telemetry.SCRAPE_SECTION,
    telemetry.SCRUB_SECTION,
    telemetry.QUERIES_SECTION,
    telemetry.USAGE_SECTION,
    telemetry.VERSIONS_SECTION,
    telemetry.AROUND_SECTION,
    catalog.SECTION,
    health.HOST_SECTION,
    health.SECTION,
)

EVENT_KINDS: Final = (
    EventKind("server.started", "The process is ready."),
    EventKind("server.stopped", "The process stops on purpose; without this event before a start, it crashed."),
    LOADED,
    REFUSED,
)

LOOP_BEAT_S: Final = 0.25  # often enough to see what people feel, seldom enough for an idle laptop

_log = journal.get_logger()


class Holdfast:
    """One process of Holdfast: its ground, its rooms, and what they wired up."""

    def __init__(self, ground: Ground, rooms: tuple[Room, ...], closing: AsyncExitStack) -> None:
        self.ground = ground
        self.rooms = rooms
        self.wirings: tuple[Wiring, ...] = tuple(room.wiring for room in rooms)
        self.server = ground.settings[ServerSettings]
        self.supervisor = Supervisor(ground.clock, ground.metrics)
        sections = tuple(wiring.ops for wiring in self.wirings if wiring.ops is not None)
        self.ops = Ops(self.server.ops, sections, ground.events, ground.clock, ground.ops)
        ground.ops.show_in(ground.metrics)
        ground.events.declare(self.event_kinds)
        self.started_at = ground.clock.now()
        self.is_ready = False
        self._closing = closing
        for wiring in self.wirings:
            self.refused_at_doors.watch(wiring.doors)

    @property
    def people(self) -> auth.Auth:
        """Give the room of people and tokens."""
        room = self.room("auth")
        assert isinstance(room, auth.Auth)
        return room

    @property
    def refused_at_doors(self) -> telemetry.RefusedAtDoors:
        """Give what is told of requests with signals that were refused."""
        room = self.room("ledger")
        assert isinstance(room, telemetry.LedgerRoom)
        return room.doors

    def room(self, name: str) -> Room:
        """Give the room whose wiring bears `name`."""
        return next(room for room in self.rooms if room.wiring.name == name)

    @property
    def event_kinds(self) -> tuple[EventKind, ...]:
        """Give every kind of event that this process may write."""
        return EVENT_KINDS + tuple(kind for wiring in self.wirings for kind in wiring.event_kinds)

    @property
    def jobs(self) -> tuple[JobReport, ...]:
        """Tell how the background jobs fare."""
        return self.supervisor.reports

    async def start(self) -> None:
        """Migrate, load the ops folder, and start the jobs of this process' roles.

        Raises:
            ConfigError: the ops folder has faults.
            StaleSchemaError: the data was written by a newer Holdfast.
            UnavailableError: a store does not answer.
        """
        await sql.migrate(self.ground.db, [wiring.migrations for wiring in self.wirings if wiring.migrations])
        for wiring in self.wirings:
            if wiring.lifespan is not None:
                await self._closing.enter_async_context(wiring.lifespan())
        await self.ops.load()
        self.supervisor.start(job for job in self._all_jobs() if job.role in self.server.roles)
        self._closing.push_async_callback(self.supervisor.stop)
        await self.ground.events.publish(NewEvent("server.started", "server", {"roles": list(self.server.roles)}))
        self.is_ready = True

    async def reload(self, actor: str = "system") -> None:
        """Read the ops folder again; raises `ConfigError` and changes nothing when it has faults."""
        await self.ops.load(actor)

    async def stop(self) -> None:
        """Stop the jobs, then the rooms from the top down, then the ground; safe to call after a failed start."""
        self.ground.events.close()
        if self.is_ready:
            self.is_ready = False
            try:
                await self.ground.events.publish(NewEvent("server.stopped", "server"))
            except HoldfastError as error:  # a full disk must not keep the process from stopping
                _log.warning("server.stop_untold", error=str(error))
        await self._closing.aclose()

    async def demand_started(self) -> None:
        """Raise UnavailableError unless `start` has finished and `stop` has not begun."""
        if not self.is_ready:
            raise UnavailableError("starting or stopping")

    async def unready(self) -> dict[str, str]:
        """Give what is not ready, by name, with the reason; empty when all is well."""
        conditions = [condition for wiring in self.wirings for condition in wiring.readiness]
        answers = await asyncio.gather(*(condition.check() for condition in conditions), return_exceptions=True)
        return {
            condition.name: str(answer)
            for condition, answer in zip(conditions, answers, strict=True)
            if isinstance(answer, BaseException)
        }

    def _all_jobs(self) -> list[Job]:
        ground = self.ground
        jobs = [job for wiring in self.wirings for job in wiring.jobs]
        for consumer in (consumer for wiring in self.wirings for consumer in wiring.consumers):
            run = partial(run_consumer, consumer, ground.db, ground.events, ground.clock)
            jobs.append(Job(f"consumer:{consumer.name}", run, self.server.roles[0]))
        if ground.db.dialect == "postgresql":
            url = ground.settings[sql.DatabaseSettings].url.reveal()
            listen = partial(listen_postgres, url, ground.events.wake, ground.clock)
            jobs.append(Job("events:listen", listen, self.server.roles[0]))
        jobs.append(Job("ops:watch", self.ops.watch, self.server.roles[0]))
        kept = ground.settings[blobs.BlobSettings]
        sweep = partial(
            blobs.sweep_for_ever, ground.blobs, ground.clock, every_s=kept.sweep_every, min_age_s=kept.sweep_after
        )
        jobs.append(Job("blobs:sweep", sweep, self.server.roles[0]))
        return jobs


async def build(settings: Settings, environ: Mapping[str, str], *, clock: Clock | None = None) -> Holdfast:
    """Claim the data folder, open the stores and lay out the rooms; starts nothing.

    Raises:
        ConflictError: another process owns the data folder, or a file in it is not what it should be.
        UnavailableError: a store does not answer.
    """
    async with AsyncExitStack() as closing:
        ground = await _lay_ground(settings, environ, clock or SystemClock(), closing)
        rooms = _furnish(ground)
        return Holdfast(ground, rooms, closing.pop_all())
    raise AssertionError("unreachable: nothing above suppresses an exception")


async def _lay_ground(settings: Settings, environ: Mapping[str, str], clock: Clock, closing: AsyncExitStack) -> Ground:
    server = settings[ServerSettings]
    secrets = Secrets.standard(environ, clock, folder=server.secrets, plugins=_secret_plugins())
    folder = DataFolder.claim(server.data)
    closing.callback(folder.release)
    db = await asyncio.to_thread(_open_database, folder.path, settings[sql.DatabaseSettings])
    closing.push_async_callback(db.close)
    metrics = CollectorRegistry()
    closing.callback(instrument.watch_policies(metrics))
    closing.callback(instrument.watch_process(metrics))
    closing.callback(instrument.watch_event_loop(metrics, beat_s=LOOP_BEAT_S, slow_s=LOOP_BEAT_S))
    client = http.OutboundHttp(settings[http.OutboundSettings], secrets.redactor, registry=metrics)
    closing.push_async_callback(client.aclose)
    kept = blobs.open_blobs(settings[blobs.BlobSettings], folder.path / "blobs", metrics)
    closing.push_async_callback(kept.close)
    proxies = http.Proxies.of_environment(environ)
    return Ground(settings, clock, db, EventLog(db, clock), secrets, client, metrics, kept, proxies, variables=environ)


def _secret_plugins() -> list[SecretProvider]:
    found = load_plugins("holdfast.secrets", _accept_provider)
    for fault in found.faults:
        _log.warning("plugin.refused", fault=str(fault))
    return list(found.values().values())


def _accept_provider(made: object) -> SecretProvider:
    provider = made() if callable(made) else made
    if not isinstance(provider, SecretProvider):
        raise TypeError("it is no SecretProvider")
    return provider


def _open_database(folder: Path, settings: sql.DatabaseSettings) -> sql.Database:
    url = settings.url.reveal()
    return sql.open_postgres(url, settings) if url else sql.open_sqlite(folder / "holdfast.db", settings)


def _furnish(ground: Ground) -> tuple[Room, ...]:
    """Lay the rooms out from the ground up; each gets the ground and the rooms below it."""
    events = feed.wire(ground)
    people = auth.wire(ground, mode=ground.settings[ServerSettings].auth)
    together = members.wire(ground)
    durable = runs.wire(ground)
    columns = store.wire(ground)
    ledger = telemetry.wire_ledger(ground, columns)
    signals = telemetry.wire(ground, columns, together.ingest, ledger)
    pictures = telemetry.wire_dashboards(ground, signals.cardinality)
    scraping = telemetry.wire_scrape(ground, signals.sink, together.ingest, ledger.ledger)
    queries = telemetry.wire_queries(ground, columns, signals, scraping.board)
    scrubbing = telemetry.wire_scrub(ground)
    traces = telemetry.wire_traces(ground, columns, scrubbing.traces, signals, together.ingest)
    logs = telemetry.wire_logs(ground, columns, scrubbing.logs, together.ingest, ledger.ledger)
    versions = telemetry.wire_versions(ground, signals, logs, traces, together.ingest)
    entities = catalog.wire(ground)
    usage = telemetry.wire_usage(ground, columns, signals, logs, entities.catalog)
    log_queries = telemetry.wire_log_queries(ground, columns, logs)
    log_tails = telemetry.wire_log_tails(ground, logs, log_queries.engine, together.ingest)
    searches = telemetry.wire_searches(ground)
    investigations = telemetry.wire_investigations(ground, queries, log_queries, traces)
    log_patterns = telemetry.wire_log_patterns(ground, columns, logs)
    log_doors = telemetry.wire_log_doors(ground, logs, signals.backlog, ledger.ledger)
    signals_of_otlp = (traces.service, log_doors.service)
    doors = telemetry.wire_doors(ground, signals, scraping, together.ingest, people.gate, signals_of_otlp)
    exporters = telemetry.wire_exporters(ground, signals.sink)
    around = telemetry.wire_around(ground, signals, logs, log_patterns, traces, entities.catalog)
    checks = health.wire(ground, columns.store, signals.sink, entities.catalog)
    services = health.wire_services(ground, entities.catalog, checks.checking)
    host = health.wire_host(ground, signals.sink, signals.source)
    return (
        events,
        people,
        together,
        durable,
        columns,
        ledger,
        signals,
        queries,
        pictures,
        scraping,
        scrubbing,
        traces,
        logs,
        versions,
        usage,
        log_queries,
        log_tails,
        searches,
        investigations,
        log_patterns,
        log_doors,
        doors,
        exporters,
        entities,
        around,
        checks,
        services,
        host,
    )
