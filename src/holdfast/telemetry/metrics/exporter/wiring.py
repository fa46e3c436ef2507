"""Joins exporters to the app: `ops/exporters/*.yaml` are read like every other file of ops, and fed into the sink."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter

from holdfast import journal
from holdfast.kernel.errors import ConfigError, HoldfastError, InvalidError, Place
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.wiring import Ground, Job, OpsFolder, OpsSection, Prepared, Wiring
from holdfast.telemetry.metrics.arrivals import ArrivalSink
from holdfast.telemetry.metrics.exporter.book import ExporterBook
from holdfast.telemetry.metrics.exporter.feeding import SinkFeed
from holdfast.telemetry.metrics.exporter.files import load_exporter
from holdfast.telemetry.metrics.exporter.polling import SourceState
from holdfast.telemetry.metrics.exporter.serving import Exporter, open_exporter

if TYPE_CHECKING:
    from holdfast.kernel.secrets import Secrets

PATTERNS: Final = ("exporters/*.yaml", "exporters/*.yml")
SECTION: Final = "exporters"
_log = journal.get_logger()


@dataclass(frozen=True, slots=True)
class PreparedExporters:
    """The books of the folder by the name of their file, not yet in force."""

    books: dict[str, ExporterBook]
    exporters: OpsExporters
    warnings: tuple[str, ...] = ()

    async def apply(self) -> None:
        """Put them in force."""
        self.exporters.put(self.books)


class OpsExporters:
    """The exporters of the ops folder, running inside the server."""

    def __init__(self, ground: Ground, sink: ArrivalSink) -> None:
        self._ground = ground
        self._sink = sink
        self._books: dict[str, ExporterBook] = {}
        self._changed = asyncio.Event()
        self._unwritten = Counter(
            "holdfast_exporter_looks_unwritten",
            "Looks of exporters in ops/exporters whose samples the store did not take.",
            ["exporter"],
            registry=ground.metrics,
        )

    def prepare(self, folder: OpsFolder, _prepared: dict[str, Prepared]) -> PreparedExporters:
        """Read the folder's files.

        Raises:
            ConfigError: with every fault of every file.
        """
        return PreparedExporters(read_folder(folder, self._ground.secrets), self)

    def put(self, books: dict[str, ExporterBook]) -> None:
        """Replace what runs by this; a file that says what it said before goes on undisturbed."""
        self._books = books
        self._changed.set()

    async def run(self) -> None:
        """Run what is in force, until cancelled."""
        running: dict[str, tuple[ExporterBook, asyncio.Task[None]]] = {}
        try:
            while True:
                self._changed.clear()
                books = dict(self._books)
                await _end([running.pop(name)[1] for name in list(running) if running[name][0] != books.get(name)])
                for name in books.keys() - running.keys():
                    running[name] = (
                        books[name],
                        asyncio.create_task(self._run(name, books[name]), name=f"exporter {name}"),
                    )
                await self._changed.wait()
        finally:
            await _end([task for _, task in running.values()])

    async def _run(self, name: str, book: ExporterBook) -> None:
        feed = SinkFeed(name, self._sink, DEFAULT_TENANT, self._ground.clock)

        async def write(state: SourceState) -> None:
            try:
                await feed.feed(state)
            except HoldfastError as error:
                self._unwritten.labels(name).inc()
                _log.warning("exporter.unwritten", exporter=name, source=state.source.name, error=str(error))

        exporter: Exporter = open_exporter(book, self._ground.secrets, self._ground.clock, after=write)
        try:
            await exporter.poller.run()
        finally:
            await exporter.http.aclose()
            await feed.end()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def read_folder(folder: OpsFolder, secrets: Secrets) -> dict[str, ExporterBook]:
    """Read all exporters of a folder of ops, by the name of their file without its ending.

    Raises:
        ConfigError: with every fault of every file.
    """
    books: dict[str, ExporterBook] = {}
    problems: list[InvalidError] = []
    for path in folder.files(*PATTERNS):
        try:
            book = load_exporter(path, secrets, root=folder.path)
        except ConfigError as error:
            problems += error.problems
            continue
        if path.stem in books:
            place = Place(str(path.relative_to(folder.path)))
            problems.append(InvalidError(f"an exporter named {path.stem!r} is there already", place=place))
        books[path.stem] = book
    if problems:
        raise ConfigError(tuple(problems))
    return books


@dataclass(frozen=True, slots=True)
class ExportersRoom:
    """The exporters of the ops folder and how they are wired."""

    exporters: OpsExporters
    wiring: Wiring = field(repr=False)


def wire(ground: Ground, sink: ArrivalSink) -> ExportersRoom:
    """Build the room over the sink."""
    exporters = OpsExporters(ground, sink)
    wiring = Wiring(
        name="telemetry.exporters",
        ops=OpsSection(SECTION, exporters.prepare),
        jobs=(Job("exporters", exporters.run, "ingest"),),
    )
    return ExportersRoom(exporters, wiring)
