"""Ids sort by creation; a fake clock moves only when told."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.ids import new_id, uuid7


def test_ids_are_uuids_of_version_7_with_the_time_in_front() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before_ms <= made.int >> 80 <= before_ms + 60_000


def test_ids_only_grow_even_thousands_in_a_millisecond() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(set(ids))


def test_threads_never_share_an_id() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(new_id() for _ in range(2000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(set(made)) == 16_000


async def test_a_fake_clock_wakes_sleepers_in_order() -> None:
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [
        asyncio.create_task(sleeper(name, seconds)) for name, seconds in (("late", 5), ("early", 2), ("never", 99))
    ]
    await clock.advance(10)
    assert woken == [("early", 2.0), ("late", 5.0)]
    assert clock.sleeping == 1
    tasks[2].cancel()


async def test_a_jump_of_the_wall_clock_passes_no_time() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.jump(timedelta(hours=-1))
    assert clock.now() == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert clock.monotonic() == 0.0


async def test_the_system_clock_is_aware_and_sleeping_back_in_time_is_nothing() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    await clock.sleep(-5)


def test_an_error_reads_as_place_message_and_fix() -> None:
    error = InvalidError("unknown key 'evry'", hint="did you mean 'every'?", place=Place("a.yaml", 3, "checks[0].evry"))
    assert str(error) == "a.yaml:3: checks[0].evry: unknown key 'evry' (did you mean 'every'?)"
    both = ConfigError((error, InvalidError("too long")))
    assert str(both).splitlines()[1] == "too long"
