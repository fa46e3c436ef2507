"""The room's whole work: the file in force, a pool for each of its jobs, and what others may read of them.

A reload keeps the pool of every job that did not change, and the series of one that did. Runs where the process has the
role `ingest`; elsewhere the file is only read and judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.metrics.scrape.board import TargetBoard
from holdfast.telemetry.metrics.scrape.calling import Callers, fetcher
from holdfast.telemetry.metrics.scrape.config import (
    ClientConfig,
    FileDiscovery,
    ScrapeConfiguration,
    ScrapeJob,
    load_configuration,
)
from holdfast.telemetry.metrics.scrape.discovery import Failures, discoverers, find_faults
from holdfast.telemetry.metrics.scrape.loop import LoopTools, TargetLoop
from holdfast.telemetry.metrics.scrape.pool import JobPool, Known, Owns, owns_all
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling
from holdfast.telemetry.metrics.scrape.sayings import Sayings

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.kernel.wiring import OpsFolder, Prepared
    from holdfast.telemetry.metrics.arrivals import ArrivalSink
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics

FILES: Final = ("prometheus.yml", "prometheus.yaml")
_NO_FILE: Final = "there is no such file"


@dataclass(frozen=True, slots=True)
class ScrapeGround:
    """What scraping stands on; `owns` tells by its key whether a target is this process' to scrape.

    `variables` are those that `external_labels` may name.
    """

    sink: ArrivalSink
    tenant: TenantId
    clock: Clock
    callers: Callers
    metrics: ScrapeMetrics
    linger_s: float
    owns: Owns = owns_all
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class Scraping:
    """Scrapes what `prometheus.yml` asks for."""

    def __init__(self, ground: ScrapeGround) -> None:
        self._ground = ground
        self._pools: dict[str, JobPool] = {}
        self._news = asyncio.Event()
        self.configuration = ScrapeConfiguration()
        self.board = TargetBoard(lambda: self._pools, lambda: self.configuration, ground.tenant)

    def prepare(self, folder: OpsFolder, _before: dict[str, Prepared]) -> PreparedScraping:
        """Read the ops folder's `prometheus.yml`, if there is one; nothing is in force before `apply`.

        Raises:
            ConfigError: with every fault of it and of the files that it names.
        """
        path = _file(folder.path)
        variables = self._ground.variables
        found = ScrapeConfiguration()
        if path is not None:
            found = load_configuration(path, root=folder.path, variables=variables)
        return PreparedScraping(self, found, tuple(_beside(found)))

    def replace(self, configuration: ScrapeConfiguration) -> None:
        """Put a configuration in force; the pools follow when `run` runs."""
        self.configuration = configuration
        self._news.set()

    def share_anew(self) -> None:
        """Look again which targets are this process' to scrape: who shares them has changed."""
        for pool in self._pools.values():
            pool.share_anew()

    async def run(self) -> None:
        """Scrape until cancelled."""
        self._news.set()
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self.reconcile()
        finally:
            for pool in list(self._pools.values()):
                await pool.stop(ends_series=False)
            self._pools.clear()
            await self._ground.callers.close()

    async def reconcile(self) -> None:
        """Make the pools those of the configuration in force."""
        wanted = {job.name: job for job in self.configuration.jobs if job.discoveries}
        before: dict[str, tuple[list[TargetLoop], Known]] = {}
        for name, pool in list(self._pools.items()):
            if wanted.get(name) != pool.job:
                del self._pools[name]
                before[name] = await pool.stop(ends_series=name not in wanted), pool.known()
        for name, job in wanted.items():
            if name not in self._pools:
                pool = self._pools[name] = self._pool(job)
                pool.inherit(*before.get(name, ((), ())))
                pool.start()

    def _pool(self, job: ScrapeJob) -> JobPool:
        ground = self._ground
        tools = LoopTools(
            job,
            Relabelling(job.metric_relabel_rules, is_legacy=job.reading.is_legacy),
            fetcher(job, ground.callers),
            ground.sink,
            ground.tenant,
            ground.clock,
            ground.metrics,
            Sayings(ground.clock),
            ground.linger_s,
        )
        failures = Failures(ground.metrics, ground.clock)
        return JobPool(job, tools, discoverers(job, ground.callers, ground.clock, failures), ground.owns, failures)


@dataclass(frozen=True, slots=True)
class PreparedScraping:
    """A configuration that was read and found valid."""

    scraping: Scraping
    configuration: ScrapeConfiguration
    beside: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Give what is allowed but worth a look."""
        return (*self.configuration.warnings, *self.beside)

    async def apply(self) -> None:
        """Put it in force."""
        self.scraping.replace(self.configuration)


def _beside(found: ScrapeConfiguration) -> Iterator[str]:
    """Tell what is wrong beside the file: it may be mended or come later, so it is no fault of the configuration."""
    for job in found.jobs:
        for section in job.discoveries:
            if isinstance(section, FileDiscovery):
                yield from (f"job {job.name!r}: {words}" for words in find_faults(section, job.base))
            elif isinstance(section, ClientConfig):
                without = f"{_NO_FILE}, and no target is found without it"
                yield from (f"job {job.name!r}: {words}: {without}" for words in _missing(section, job.base))
        without = f"{_NO_FILE}, and no scrape works without it"
        yield from (f"job {job.name!r}: {words}: {without}" for words in _missing(job.client, job.base))


def _missing(section: Any, base: Path) -> Iterator[str]:
    """Give the files that a section names and that are not there, each with the name of its field."""
    for one in fields(section):
        value = getattr(section, one.name)
        if is_dataclass(value):
            yield from _missing(value, base)
        elif one.name == "http_headers":
            for name, header in value.items():
                yield from (f"http_headers {name}: {base / file}" for file in header.files if not _is_file(base, file))
        elif one.name.endswith("_file") and value and not _is_file(base, value):
            yield f"{one.name} {base / value}"


def _is_file(base: Path, name: str) -> bool:
    return (base / name).is_file()


def _file(folder: Path) -> Path | None:
    return next((folder / name for name in FILES if (folder / name).exists()), None)
