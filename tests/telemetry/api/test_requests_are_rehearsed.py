"""Before anybody asks, one request of each kind is gone through: it counts nowhere, and nothing fails by it."""

from __future__ import annotations

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from holdfast import app
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.settings import load
from holdfast.telemetry.metrics.api import Origins, QueryRoutes, SeriesRoutes, rehearsing, surface
from holdfast.telemetry.metrics.api.rehearsing import Example, Rehearsal
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.memory_browsing import MemoryBrowser
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.queries import QueryDesk, QueryMetrics, QuerySettings

COUNTED = "holdfast_queries_duration_seconds_count"


@pytest.fixture
def registry() -> CollectorRegistry:
    """Where the desk counts that a test looks at."""
    return CollectorRegistry()


@pytest.fixture
def build(metrics_source, registry):
    """Build a rehearsal over samples in memory that asks about what `find` gives."""

    def make(find):
        clock, browser = SystemClock(), MemoryBrowser(metrics_source)
        desk = QueryDesk(Engine(metrics_source), QuerySettings(), clock, QueryMetrics(registry))
        router = surface([QueryRoutes(desk, browser, clock), SeriesRoutes(browser)], Origins(()))
        return Rehearsal(router, clock, find)

    return make


def counted(registry: CollectorRegistry) -> tuple[float, float]:
    kinds = (registry.get_sample_value(COUNTED, {"kind": kind}) or 0 for kind in ("instant", "range"))
    return tuple(kinds)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("find", "expected"), [(lambda: Example("requests_total", 600_000), (5, 7)), (lambda: None, (1, 0))]
)
async def test_each_kind_of_request_is_asked_once(build, registry, find, expected):
    await build(find).run()
    assert counted(registry) == expected
    assert registry.get_sample_value("holdfast_queries_samples_total") is not None


async def test_a_rehearsal_that_fails_is_forgotten(build, registry):
    def find() -> Example:
        raise UnavailableError("the store is away")

    await build(find).run()
    assert counted(registry) == (0, 0)


async def test_a_rehearsal_ends_in_time(build, registry, monkeypatch):
    monkeypatch.setattr(rehearsing, "LONGEST_S", 1e-9)
    monkeypatch.setattr(Rehearsal, "_ask", lambda *_: rehearsing._nothing())
    await build(lambda: None).run()
    assert counted(registry) == (0, 0)


@pytest.mark.slow
async def test_a_start_rehearses_what_is_stored_and_counts_nothing(tmp_path, monkeypatch):
    for limit in ("holdfast.telemetry.wiring.START_S", "holdfast.telemetry.metrics.api.rehearsing.LONGEST_S"):
        monkeypatch.setattr(limit, 60.0)  # a busy machine does neither in its usual time
    place = {"data": str(tmp_path / "data"), "ops": str(tmp_path / "ops")}
    for is_first in (True, False):
        settings = load(SECTIONS, environ={}, overrides={"server": place, "otlp": {"grpc_listen": ""}})
        holdfast = await app.build(settings, {})
        try:
            await holdfast.start()
            room = holdfast.room("telemetry")
            if is_first:
                book = room.sink.book(DEFAULT_TENANT)
                ref = np.array([book.ref(labels_of({"__name__": "m", "job": "a"}), origin="test")] * 3)
                now_ms = int(SystemClock().now().timestamp() * 1000)
                await room.sink.append(
                    DEFAULT_TENANT, Arrival(book.generation, ref, now_ms - np.arange(3) * 1000, ref * 1.0)
                )
                continue
            assert room.source.index.example(DEFAULT_TENANT, 10) is not None
            assert counted(holdfast.ground.metrics) == (0, 0)
            assert await room.source._usage.used(DEFAULT_TENANT) == {}
        finally:
            await holdfast.stop()
