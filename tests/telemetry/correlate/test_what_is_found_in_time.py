"""A signal that does not answer costs its own lane, and the lane says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import BusyError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.correlate import AroundSettings, Correlator, Subject, read_moment
from holdfast.telemetry.correlate.engine import AroundMeters, Sources
from holdfast.telemetry.logs import RecordCounts

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Hanging:
    """An engine of PromQL that never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def range(self, *_asked: Any, **_more: Any) -> Any:
        self.asked.set()
        await asyncio.Event().wait()


class Browser:
    async def metadata(self, *_asked: Any) -> list[Any]:
        return []

    async def series(self, *_asked: Any) -> list[Any]:
        return [(("__name__", "queue_length"), ("job", "orders"))]

    async def label_values(self, *_asked: Any) -> list[str]:
        return []


class Records:
    async def counts(self, *_asked: Any, **_more: Any) -> RecordCounts:
        nothing = np.zeros(0, np.int64)
        return RecordCounts([], nothing, nothing, nothing)


class Patterns:
    async def read(self, *_asked: Any) -> list[Any]:
        raise UnavailableError("the store is away")


class Events:
    async def read(self, *_asked: Any, **_more: Any) -> list[Any]:
        return []


class Alone:
    def neighbours_of(self, *_asked: Any) -> list[str]:
        return []


@pytest.fixture
def hanging() -> Hanging:
    return Hanging()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def correlator(hanging, registry):
    def build(**settings: Any) -> Correlator:
        sources = Sources(hanging, Browser(), Records(), Patterns(), Events(), Alone())  # type: ignore[arg-type] # stand-ins
        meters = AroundMeters(
            Histogram("took_seconds", "", registry=registry),
            Counter("partial_total", "", ["lane"], registry=registry),
        )
        return Correlator(sources, AroundSettings(**settings), SystemClock(), meters)

    return build


def moment() -> Any:
    return read_moment(None, timedelta(minutes=15), NOW, longest=timedelta(days=1))


async def test_what_hangs_is_left_behind_and_told(correlator, registry):
    report = await correlator(timeout=0.1).look(DEFAULT_TENANT, Subject("orders"), moment())
    told = {part.lane: (part.state, part.message) for part in report.parts}
    assert told["metrics"] == ("partial", "the time of 0.1 s was over before everything was looked at")
    assert told["patterns"] == ("failed", "the store is away")
    assert {told[lane][0] for lane in ("logs", "events", "checks")} == {"whole"}
    assert registry.get_sample_value("partial_total", {"lane": "patterns"}) == 1
    assert registry.get_sample_value("took_seconds_count") == 1


async def test_who_comes_when_too_many_wait_is_told_that_we_are_busy(correlator, hanging):
    looking = correlator(timeout=60, concurrency=1, queue=0)
    first = asyncio.create_task(looking.look(DEFAULT_TENANT, Subject("orders"), moment()))
    await hanging.asked.wait()
    with pytest.raises(BusyError):
        await looking.look(DEFAULT_TENANT, Subject("orders"), moment())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.mark.parametrize("minutes", [1, 5, 15, 60, 1440])
@pytest.mark.parametrize("ago", [0, 3, 10_000])
def test_a_window_holds_its_moment_and_ends_by_now(minutes, ago):
    at = NOW - timedelta(minutes=ago)
    found = read_moment(at, timedelta(minutes=minutes), NOW, longest=timedelta(days=1))
    assert found.start <= at <= found.end
    assert found.end <= NOW + found.step
    assert found.before == found.start - found.length
    assert abs(found.length - timedelta(minutes=minutes)) <= found.step
    assert found.steps <= 61
