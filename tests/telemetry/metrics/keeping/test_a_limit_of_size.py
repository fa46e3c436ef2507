"""When metrics outgrow `metrics.max_size` the oldest raw samples go, then sums; space comes back, and all is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.secrets import Secret
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics import AroundSize, Deletion, MetricBrowser, MetricsSettings, Rolling, SizeLimit
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.downsampling import Cuts, Kept
from holdfast.telemetry.metrics.keeping.cutting import DAY_SLOTS, plan
from holdfast.telemetry.metrics.keeping.storage import read_storage
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.settings import RollupSettings
from holdfast.telemetry.metrics.tables import SLOT_MS

DAY_MS = DAY_SLOTS * SLOT_MS
DAYS = 5
TODAY_MS = int(datetime.now(UTC).timestamp() * 1000) // DAY_MS * DAY_MS  # the engine drops what is old
NOW_MS = TODAY_MS + DAY_MS - 1  # of the newest slot the last samples are there, too
OTHER = TenantId("other")


class Room:
    def __init__(self, store: Store, *, rolls: bool = True) -> None:
        self.store = store
        self.clock = FakeClock(datetime.fromtimestamp(NOW_MS / 1000, UTC))
        settings = MetricsSettings(rollups=RollupSettings(least_samples=0))
        self.sink = MetricSink(store, clock=self.clock)
        self.source = MetricSource(store, clock=self.clock, feed=self.sink.feed, settings=settings)
        self.rolling = Rolling(store, self.source.rolled, settings.rollups, self.clock)
        self.deletion = Deletion(store, self.sink, self.source)
        self.told: list[NewEvent] = []
        self.metrics = CollectorRegistry()
        self.rolls = rolls

    def limit(self, max_bytes: int) -> SizeLimit:
        finished = self.rolling.finished if self.rolls else None
        around = AroundSize(finished, self.source.reader.forget, self.deletion.forget, self._tell)
        self.metrics = CollectorRegistry()
        return SizeLimit(self.store, self.source.cuts, self.clock, max_bytes, around, self.metrics)

    async def _tell(self, event: NewEvent) -> None:
        self.told.append(event)

    def measured(self, name: str, **labels: str) -> float | None:
        return self.metrics.get_sample_value(name, labels)

    async def fill(self, tenant: TenantId = DEFAULT_TENANT, hosts: int = 30) -> None:
        book = self.sink.book(tenant)
        random = np.random.default_rng(3)
        for day in range(DAYS):
            ts_ms = TODAY_MS - (DAYS - 1 - day) * DAY_MS + np.arange(15_000, DAY_MS, 15_000)
            names = [f"h{host}" for host in range(hosts)] + ([] if day else ["gone"])
            refs = [book.ref(labels_of({"__name__": "m", "host": host}), origin="x") for host in names]
            values = np.cumsum(random.random((len(refs), len(ts_ms))), axis=1) + day * 10_000
            every = np.repeat(refs, len(ts_ms)), np.tile(ts_ms, len(refs)), values.ravel()
            await self.sink.append(tenant, Arrival(book.generation, *every))

    async def days(self, query: str = "sum(count_over_time(m[1d]))", tenant: TenantId = DEFAULT_TENANT) -> list[float]:
        start_ms, end_ms = TODAY_MS - (DAYS - 2) * DAY_MS, TODAY_MS + DAY_MS
        answer = await Engine(self.source).range(tenant, query, start_ms, end_ms, DAY_MS)
        if not len(answer.grid.values):
            return [0.0] * DAYS
        return [v if there else 0.0 for v, there in zip(answer.grid.values[0], answer.grid.present[0], strict=True)]

    async def hosts(self) -> set[str]:
        return {dict(labels)["host"] for labels in await self.browser().series(DEFAULT_TENANT, Scope())}

    def browser(self) -> MetricBrowser:
        return MetricBrowser(self.store, self.source.index)


def on_disk(folder: str) -> int:
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    await store.register(SCHEMA)
    made = Room(store)
    yield made
    await made.sink.close()


def test_raw_samples_go_first_then_sums_then_the_newest_day_slot_by_slot():
    now_ms = 100 * DAY_MS - 1
    last = now_ms // SLOT_MS
    shares = {kind: dict.fromkeys(range(last - 10 * DAY_SLOTS + 1, last + 1), 10.0) for kind in Kept}
    day = 10.0 * DAY_SLOTS

    def of(surplus: float) -> list[tuple[Kept, int, bool]]:
        return [(c.kind, last + 1 - c.slot, c.is_newest_day) for c in plan(shares, surplus, now_ms)]

    assert of(0) == []
    assert of(1) == [(Kept.RAW, 9 * DAY_SLOTS, False)]
    assert of(day) == [(Kept.RAW, 9 * DAY_SLOTS, False)]
    assert of(day + 1) == [(Kept.RAW, 8 * DAY_SLOTS, False)]
    raw, sums = (Kept.RAW, DAY_SLOTS, False), (Kept.SUMS_5M, DAY_SLOTS, False)
    assert of(9 * day + 1) == [raw, (Kept.SUMS_5M, 9 * DAY_SLOTS, False)]
    assert of(18 * day + 1) == [raw, sums, (Kept.SUMS_1H, 9 * DAY_SLOTS, False)]
    every = [raw, sums, (Kept.SUMS_1H, DAY_SLOTS, False)]
    assert of(27 * day + 11) == [*every, (Kept.RAW, DAY_SLOTS - 2, True)]
    assert of(1e9) == [*every, (Kept.RAW, 2, True)]
    assert plan({}, 1e9, now_ms) == []


def test_what_is_of_the_future_is_of_the_newest_day_and_stays():
    now_ms = 100 * DAY_MS
    slot = now_ms // SLOT_MS
    assert plan({Kept.RAW: {slot + 500: 1e9}}, 1.0, now_ms) == []
    assert plan({Kept.RAW: {slot: 1e9, slot - 1: 1e9}}, 1.0, now_ms) == []


async def test_the_oldest_raw_days_go_the_space_comes_back_and_sums_still_answer(room: Room):
    await room.fill()
    await room.fill(OTHER, hosts=3)
    await room.rolling.roll(DEFAULT_TENANT)
    before, rates = await room.days(), await room.days("sum(rate(m[1d]))")
    size, folder = await room.limit(0).size_bytes(), on_disk(room.store.place)
    limit = room.limit(size * 6 // 10)
    done = await limit.enforce()
    assert {cut.kind for cut in done} == {Kept.RAW}
    assert await limit.size_bytes() <= size * 6 // 10
    assert folder - on_disk(room.store.place) > size // 4
    assert await room.days() == before  # `other` was summed up on the way
    assert await room.days("sum(rate(m[1d]))") == pytest.approx(rates)
    raw = await room.days("sum(count_over_time(m[1d])) + 0 * sum(stddev_over_time(m[1d]))")
    assert raw[0] == raw[1] == 0
    assert raw[-1] == before[-1]
    assert (await room.days(tenant=OTHER))[0] == 4 * 5759
    assert {event.tenant for event in room.told} == {DEFAULT_TENANT, OTHER}
    assert {event.data["newest_day"] for event in room.told} == {False}
    assert room.measured("holdfast_metrics_size_cut_bytes_total", kind="raw") == sum(cut.size_bytes for cut in done)
    assert room.measured("holdfast_metrics_size_exceeded") == 0
    assert await limit.enforce() == []
    assert await Cuts(room.store, room.clock).slots() == {"raw": max(cut.slot for cut in done)}
    assert await room.hosts() == {"gone", *(f"h{host}" for host in range(30))}  # sums of it are left


async def test_without_sums_series_go_with_their_samples(store: Store):
    await store.register(SCHEMA)
    room = Room(store, rolls=False)
    await room.fill()
    size = await room.limit(0).size_bytes()
    await room.limit(size // 2).enforce()
    days = await room.days()
    assert days[0] == 0
    assert days[-1] == 30 * 5759
    assert await room.hosts() == {f"h{host}" for host in range(30)}
    await room.fill()
    assert await room.hosts() == {"gone", *(f"h{host}" for host in range(30))}
    await room.sink.close()


async def test_the_newest_day_goes_last_and_loudly_and_its_newest_slots_stay(room: Room):
    await room.fill()
    limit = room.limit(1000)
    await limit.enforce()
    assert await room.days() == [0.0] * (DAYS - 1) + [30 * 5759]  # sums of the newest day
    left = await room.store.query(
        "SELECT count() AS n FROM metric_points WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT
    )
    assert 30 * 2 * 480 - 30 <= left["n"][0].as_py() <= 30 * 3 * 480
    kinds = [event.data["kind"] for event in room.told if event.kind == "metrics.size_cut"]
    assert list(dict.fromkeys(kinds)) == ["raw", "sums_5m", "sums_1h"]
    is_newest = [event.data["newest_day"] for event in room.told if event.kind == "metrics.size_cut"]
    assert is_newest == [False] * (len(kinds) - 1) + [True]
    assert room.told[-1].kind == "metrics.size_exceeded"
    assert room.measured("holdfast_metrics_size_newest_day_cuts_total") == 1
    assert room.measured("holdfast_metrics_size_exceeded") == 1
    told = len(room.told)
    await limit.enforce()
    assert len(room.told) == told  # it is said once


async def test_a_server_takes_the_oldest_days_too(any_store_url: str):
    settings = StoreSettings(url=Secret(any_store_url), linger=0.005, fsync_after_insert=False)
    async with Store(settings) as store:
        await store.register(SCHEMA)
        room = Room(store)
        await room.fill(hosts=10)
        size = await room.limit(0).size_bytes()
        await room.limit(size // 2).enforce()
        assert await room.limit(0).size_bytes() <= size // 2
        assert (await room.days())[-1] == 10 * 5759
        await room.sink.close()


async def test_what_is_taken_is_shown_by_kind_and_tenant(room: Room):
    await room.fill(hosts=10)
    await room.fill(OTHER, hosts=10)
    await room.rolling.roll(DEFAULT_TENANT)
    limit = room.limit(10**9)
    shown = await read_storage(limit, OTHER)
    raw, minutes, hours = shown.kinds
    assert (raw.kind, minutes.kind, hours.kind) == ("raw", "sums_5m", "sums_1h")
    assert raw.tenant_bytes == pytest.approx(raw.bytes / 2, rel=0.2)
    assert minutes.tenant_bytes == 0
    assert 0 < hours.bytes < minutes.bytes < raw.bytes
    assert raw.bytes + minutes.bytes + hours.bytes <= shown.bytes
    assert shown.limit_bytes == 10**9
    assert raw.since == datetime.fromtimestamp((TODAY_MS - (DAYS - 1) * DAY_MS) / 1000, UTC)
    assert (await read_storage(room.limit(0), OTHER)).limit_bytes is None
