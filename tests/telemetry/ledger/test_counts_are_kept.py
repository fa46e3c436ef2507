"""The ledger adds up across processes and restarts, waits for a store that is away, and stays bounded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import StorageFullError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.secrets import Secret
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.ledger import (
    OTHERS,
    REASONS,
    SCHEMA,
    Cut,
    Ledger,
    Reason,
    Services,
    Signal,
    meaning_of,
    read_hours,
    read_services,
    reason_of,
    service_of,
)
from holdfast.telemetry.ledger.ledger import MOST_SERVICES

ACME = TenantId("acme")
GIB = 1 << 30


@pytest.fixture
def clock() -> FakeClock:
    """A clock of today, for the engine lets what is past its retention go."""
    return FakeClock(datetime.now(UTC))


def around(clock: Any, **more: Any) -> Cut:
    return Cut(clock.now() - timedelta(days=2), clock.now() + timedelta(days=2), **more)


async def told(store: Any, clock: Any, tenant: TenantId = DEFAULT_TENANT, **more: Any) -> set[tuple[Any, ...]]:
    sums = await read_services(store, tenant, around(clock, **more))
    return {(each.signal, each.service, each.reason, each.records, each.bytes, each.requests) for each in sums}


def fill(ledger: Ledger, tenant: TenantId = DEFAULT_TENANT) -> None:
    codes, sizes = np.array([1, 2, 1], np.int32), np.array([10, 20, 30])
    ledger.note_each(tenant, Signal.LOGS, None, services=("", "shop", "mail"), codes=codes, sizes=sizes)
    ledger.note_each(tenant, Signal.METRICS, None, services=("", "shop", "mail"), codes=codes, sizes=16)
    ledger.note(tenant, Signal.LOGS, "shop", Reason.SAMPLED, records=5, size=50)


FILLED = {
    ("logs", "shop", "", 2, 40, 1),
    ("logs", "mail", "", 1, 20, 1),
    ("logs", "shop", "sampled", 5, 50, 1),
    ("metrics", "shop", "", 2, 32, 1),
    ("metrics", "mail", "", 1, 16, 1),
}


async def test_batches_are_summed_by_service_and_reason(store: Any, clock: FakeClock) -> None:
    await store.register(SCHEMA)
    ledger = Ledger(store, clock)
    fill(ledger)
    ledger.note_each(DEFAULT_TENANT, Signal.TRACES, None, services=("shop",), codes=np.array([], np.int32))
    await ledger.write()
    assert await told(store, clock) == FILLED
    assert await told(store, clock, ACME) == set()
    assert await told(store, clock, signal="metrics", services=["mail"]) == {("metrics", "mail", "", 1, 16, 1)}
    assert await told(store, clock, services=[]) == set()


class SlowStore:
    """Takes rows, and says so only when it is let."""

    def __init__(self) -> None:
        self.begun, self.is_let = asyncio.Event(), asyncio.Event()
        self.taken: dict[str, int] = {}

    def writer(self, table: Any) -> SlowStore:
        return self

    async def write(self, rows: Any, *, tenant: TenantId) -> None:
        self.begun.set()
        await self.is_let.wait()
        self.taken[tenant] = self.taken.get(tenant, 0) + sum(rows["records"].to_pylist())


async def test_who_writes_while_another_does_waits_for_what_that_one_took_along(clock: FakeClock) -> None:
    slow: Any = SlowStore()
    ledger = Ledger(slow, clock)
    fill(ledger)
    first = asyncio.create_task(ledger.write())
    await slow.begun.wait()
    second = asyncio.create_task(ledger.write())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not second.done()
    slow.is_let.set()
    await asyncio.gather(first, second)


@pytest.mark.parametrize("is_last", [False, True])
async def test_a_write_that_is_cancelled_loses_nothing_and_counts_nothing_twice(
    clock: FakeClock, is_last: bool
) -> None:
    slow: Any = SlowStore()
    ledger = Ledger(slow, clock)
    fill(ledger)
    cancelled = asyncio.create_task(ledger.finish() if is_last else ledger.write())
    await slow.begun.wait()
    cancelled.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert cancelled.done() is not is_last  # the last one waits for the store's answer, which is still to come
    ledger.note(ACME, Signal.LOGS, "shop", None, records=1)
    slow.is_let.set()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert cancelled.cancelled()
    await ledger.finish()
    assert slow.taken == {DEFAULT_TENANT: 11, ACME: 1}


class FaultyStore(SlowStore):
    """Breaks for one tenant in a way that nobody foresaw."""

    async def write(self, rows: Any, *, tenant: TenantId) -> None:
        if tenant == DEFAULT_TENANT and not self.is_let.is_set():
            raise RuntimeError("not foreseen")
        self.is_let.set()
        await super().write(rows, tenant=tenant)


async def test_an_error_that_nobody_foresaw_loses_no_counts(clock: FakeClock) -> None:
    faulty: Any = FaultyStore()
    ledger = Ledger(faulty, clock)
    fill(ledger)
    fill(ledger, ACME)
    with pytest.raises(RuntimeError, match="not foreseen"):
        await ledger.write()
    await ledger.write()
    assert faulty.taken == {DEFAULT_TENANT: 11, ACME: 11}


async def test_two_processes_on_one_server_add_up_and_a_restart_keeps_it(server_url: str, clock: FakeClock) -> None:
    settings = StoreSettings(url=Secret(server_url), linger=0.005, fsync_after_insert=False)
    async with Store(settings) as one, Store(settings) as other:
        first, second = Ledger(one, clock), Ledger(other, clock)
        for store in (one, other):
            await store.register(SCHEMA)
        for _ in range(3):
            fill(first)
            fill(second)
            await first.write()
            await second.write()
        thrice_twice = {(*key[:3], *(6 * amount for amount in key[3:])) for key in FILLED}
        assert await told(one, clock) == thrice_twice
    async with Store(settings) as again:
        await again.register(SCHEMA)
        assert await told(again, clock) == thrice_twice


async def test_each_hour_is_told_for_itself(store: Any) -> None:
    await store.register(SCHEMA)
    clock = FakeClock(datetime.now(UTC).replace(minute=50, second=0, microsecond=0))
    ledger = Ledger(store, clock)
    fill(ledger)
    await clock.advance(20 * 60)
    fill(ledger)
    await ledger.write()
    hours = await read_hours(store, DEFAULT_TENANT, around(clock, signal="logs"))
    begun = clock.now().replace(minute=0)
    assert [(each.hour, each.is_dropped, each.records) for each in sorted(hours, key=lambda each: each.hour)] == [
        (begun - timedelta(hours=1), False, 3),
        (begun - timedelta(hours=1), True, 5),
        (begun, False, 3),
        (begun, True, 5),
    ]


async def test_a_clock_that_jumps_leaves_each_count_in_one_hour(store: Any, clock: FakeClock) -> None:
    await store.register(SCHEMA)
    ledger = Ledger(store, clock)
    for jump in (0, 1, -1, -1, 1):
        clock.jump(timedelta(hours=jump))
        fill(ledger)
        assert 0 <= ledger.behind_s() < 1
    await ledger.write()
    assert {(service, records) for _, service, _, records, _, _ in await told(store, clock, signal="metrics")} == {
        ("shop", 10),
        ("mail", 5),
    }
    hours = await read_hours(store, DEFAULT_TENANT, around(clock, signal="metrics"))
    begun = clock.now().replace(minute=0, second=0, microsecond=0)
    assert {each.hour - begun: each.records for each in hours} == {
        timedelta(hours=-1): 3,
        timedelta(0): 9,
        timedelta(hours=1): 3,
    }


async def until_written(ledger: Ledger) -> None:
    """Write as soon as the store has looked again at the room on the disk, as it does each second."""
    async with asyncio.timeout(30):
        while True:
            try:
                await ledger.write()
            except StorageFullError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_what_the_store_does_not_take_stays_until_it_does(
    open_store: Any, store_url: str, clock: FakeClock
) -> None:
    free = [0]
    store = await open_store(store_url, SCHEMA, free_bytes=lambda: free[0], reserve=GIB)
    registry = CollectorRegistry()
    ledger = Ledger(store, clock, registry)
    fill(ledger)
    await clock.advance(40)
    with pytest.raises(StorageFullError):
        await ledger.write()
    assert registry.get_sample_value("holdfast_ledger_failures_total", {"code": "storage_full"}) == 1
    assert registry.get_sample_value("holdfast_ledger_behind_seconds") == 40
    assert registry.get_sample_value("holdfast_ledger_waiting_rows") == 5
    fill(ledger)  # nobody who notes hears of it
    free[0] = 10 * GIB
    await clock.advance(60)
    await until_written(ledger)
    assert await told(store, clock) == {(*key[:3], *(2 * amount for amount in key[3:])) for key in FILLED}
    assert registry.get_sample_value("holdfast_ledger_rows_written_total") == 5
    assert registry.get_sample_value("holdfast_ledger_behind_seconds") == 0


async def test_services_beyond_a_number_are_told_as_one(store: Any, clock: FakeClock) -> None:
    await store.register(SCHEMA)
    ledger = Ledger(store, clock)
    for number in range(MOST_SERVICES + 7):
        ledger.note(DEFAULT_TENANT, Signal.TRACES, f"s{number}", None, records=1)
    await ledger.write()
    found = await told(store, clock)
    assert len(found) == MOST_SERVICES + 1
    assert ("traces", OTHERS, "", 7, 0, 7) in found


def test_the_service_of_labels_is_that_which_around_finds() -> None:
    services = Services()
    assert service_of((("app", "a"), ("job", "shop/orders"))) == "orders"
    assert service_of((("job", "j"), ("service_name", "s"))) == "s"
    assert service_of((("instance", "i"),)) == ""
    codes = [services.code((("job", name),)) for name in ("a", "b", "a")]
    assert [services.names[code] for code in codes] == ["a", "b", "a"]


@pytest.mark.parametrize("signal", list(Signal))
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_meaning_and_a_fix(signal: Signal, reason: Reason) -> None:
    told = meaning_of(signal, reason)
    assert told.meaning.endswith(".")
    assert told.fix.endswith(".")
    assert reason_of(reason) is reason


def test_reasons_that_are_not_known_are_told_all_the_same() -> None:
    assert reason_of("limit") is Reason.SERIES_LIMIT
    assert reason_of("never heard of") is Reason.OTHER
    assert meaning_of("profiles", "sampled").meaning == meaning_of("logs", "of_tomorrow").meaning
