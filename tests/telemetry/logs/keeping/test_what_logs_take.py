"""What logs take is told by day and service, and beyond `logs.max_size` the oldest hours go."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import Line, arrival, bodies, wanted
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.telemetry.logs import SCHEMA, LogSink, LogSource
from holdfast.telemetry.logs.keeping import LogSizeLimit, LogUse, read_usage

NOW = datetime.now(UTC)
HOUR_NS = 3600 * 10**9
OTHER = TenantId("other")


class Kept:
    """Logs in a store, and the limit of their size."""

    def __init__(self, store) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        self.source = LogSource(store, clock=self.clock)
        self.sink = LogSink(store, clock=self.clock, watches=(self.source.directory,))
        self.told = []
        self.metrics = CollectorRegistry()

    async def write(self, hours_ago: int, count: int, service: str = "shop", tenant=DEFAULT_TENANT) -> None:
        noise = random.Random(hours_ago)
        at_ns = int(NOW.timestamp()) * 10**9 - hours_ago * HOUR_NS
        lines = [
            Line(at_ns + number, f"{hours_ago} {noise.randbytes(100).hex()}", {"service_name": service})
            for number in range(count)
        ]
        await self.sink.append(tenant, arrival(self.sink, lines, tenant))

    def limit(self, max_bytes: int) -> LogSizeLimit:
        async def tell(event) -> None:
            self.told.append(event)

        self.metrics = CollectorRegistry()
        return LogSizeLimit(self.store, self.clock, max_bytes, tell, self.metrics)

    async def hours(self, tenant=DEFAULT_TENANT) -> set[int]:
        return {int(body.split()[0]) for body in await bodies(self.source, wanted(()), tenant)}


@pytest.fixture
async def kept(store):
    await store.register(SCHEMA)
    return Kept(store)


async def test_the_oldest_hours_go_when_logs_are_too_large(kept):
    for hours_ago in (50, 40, 30, 0):
        await kept.write(hours_ago, 3000)
    await kept.write(50, 10, tenant=OTHER)
    assert await kept.hours(OTHER) == {50}  # the same records as another tenant has are its own
    size = await kept.limit(0).size_bytes()
    limit = kept.limit(round(size * 0.6))
    assert await limit.enforce() > 0
    assert await limit.size_bytes() <= limit.max_bytes
    assert await kept.hours() == {30, 0}
    assert await kept.hours(OTHER) == set()
    assert {(event.kind, event.tenant) for event in kept.told} == {
        ("logs.size_cut", DEFAULT_TENANT),
        ("logs.size_cut", OTHER),
    }
    assert kept.metrics.get_sample_value("holdfast_logs_size_cut_bytes_total") > 0
    assert kept.metrics.get_sample_value("holdfast_logs_size_exceeded") == 0


async def test_the_newest_hours_stay_and_that_is_told(kept):
    await kept.write(0, 1000)
    limit = kept.limit(1)
    assert await limit.enforce() == 0
    assert await kept.hours() == {0}
    assert kept.metrics.get_sample_value("holdfast_logs_size_exceeded") == 1


async def test_without_a_limit_nothing_goes(kept):
    await kept.write(50, 10)
    assert await kept.limit(0).enforce() == 0
    assert await kept.hours() == {50}


async def test_use_is_told_by_day_and_service_and_by_stream(kept):
    await kept.write(0, 20)
    await kept.write(0, 10, "mail")
    await kept.write(48, 5)
    await kept.write(0, 7, tenant=OTHER)
    today = NOW.date()
    uses = await read_usage(kept.store, DEFAULT_TENANT, today - timedelta(days=6), today, "service_name")
    assert [(use.day, use.labels, use.records, use.bytes) for use in uses] == [
        (today, {"service_name": "shop"}, 20, 20 * 202),
        (today, {"service_name": "mail"}, 10, 10 * 202),
        (today - timedelta(days=2), {"service_name": "shop"}, 5, 5 * 203),
    ]
    assert all(use.disk_bytes > 0 for use in uses)
    (mail,) = [use for use in await read_usage(kept.store, DEFAULT_TENANT, today, today, "") if use.records == 10]
    assert isinstance(mail, LogUse)
    assert mail.labels == {"service_name": "mail"}
    assert await read_usage(kept.store, TenantId("nobody"), today, today, "") == []
