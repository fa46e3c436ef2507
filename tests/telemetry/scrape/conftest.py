"""A target, and one loop that scrapes it into memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from fixtures.notes import Noted
from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.kernel.http import OutboundSettings
from holdfast.kernel.ids import TenantId
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.scrape import ScrapeJob
from holdfast.telemetry.metrics.scrape.calling import Callers, fetcher
from holdfast.telemetry.metrics.scrape.config import Reading
from holdfast.telemetry.metrics.scrape.loop import LoopTools, TargetLoop
from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling
from holdfast.telemetry.metrics.scrape.sayings import Sayings
from holdfast.telemetry.metrics.scrape.targets import Target, make_target
from telemetry.scrape.exporters import Exporter

TENANT = TenantId("default")
STALE = "stale"


@pytest.fixture
async def exporter():
    found = Exporter()
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    await found.hang_up()


def make_callers(clock):
    return Callers(OutboundSettings(), Secrets.standard({}, clock), clock)


@pytest.fixture
async def callers():
    made = make_callers(SystemClock())
    yield made
    await made.close()


class Scraped:
    """A loop over one exporter, and what came of it."""

    def __init__(self, exporter: Exporter, callers: Callers, max_series: int = 10**6) -> None:
        self.source = MemorySource()
        self.sink = MemorySink(self.source, max_series=max_series)
        self.registry = CollectorRegistry()
        self.noted = Noted()
        self.clock = FakeClock()
        self.metrics = ScrapeMetrics(self.registry, self.noted)
        self._exporter = exporter
        self._callers = callers

    def loop(self, **fields) -> TargetLoop:
        """Make a loop of a job with these fields."""
        base = ScrapeJob("shop", Path(), 15.0, 5.0, Reading(DEFAULT_PROTOCOLS))
        job = replace(base, **fields)
        target = make_target(job, Relabelling(job.relabel_rules), {"__address__": self._exporter.address, "env": "dev"})
        assert isinstance(target, Target)
        tools = LoopTools(
            job,
            Relabelling(job.metric_relabel_rules),
            fetcher(job, self._callers),
            self.sink,
            TENANT,
            SystemClock(),
            self.metrics,
            Sayings(self.clock),
            1.0,
        )
        return TargetLoop(target, tools)

    def series(self, name: str = "") -> dict[tuple[tuple[str, str], ...], list[tuple[int, float | str]]]:
        """Give the samples by labels without those of the target, times in seconds; stale markers as a word."""
        found = {}
        for labels, kept in self.source.tenant(TENANT).series.items():
            own = tuple((key, value) for key, value in labels if key not in {"instance", "job", "env"})
            if dict(labels)["__name__"].startswith(name or "") and (name or not _is_report(labels)):
                found[own] = [
                    (each.ts_ms // 1000, STALE if _is_stale(each.value) else each.value)
                    for each in kept.between(-(2**62), 2**62)
                ]
        return found

    def value(self, name: str) -> float | str:
        """Give the last value of the only series of this name."""
        (samples,) = (points for labels, points in self.series(name).items() if dict(labels)["__name__"] == name)
        return samples[-1][1]


def _is_stale(value: float) -> bool:
    return int(np.float64(value).view(np.uint64)) == 0x7FF0000000000002


def _is_report(labels) -> bool:
    name = dict(labels)["__name__"]
    return name == "up" or name.startswith("scrape_")


@pytest.fixture
def scraped(exporter, callers):
    return Scraped(exporter, callers)
