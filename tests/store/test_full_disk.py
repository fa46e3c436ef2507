"""A full disk: writes are refused with the way out, reads go on, and writing resumes by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import StorageFullError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.store.metrics import StoreMetrics
from holdfast.store.space import SpaceWatch
from store.samples import SAMPLES, SCHEMA, rows

COUNT = "SELECT count() AS n FROM samples WHERE tenant = {tenant:String}"
MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", place], check=False).returncode:
        pytest.skip("only a user who may mount can make a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Leave `leave` bytes of room."""
    stat = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (stat.f_bavail * stat.f_frsize - leave))
    return ballast


async def count(store: Store) -> int:
    [found] = (await store.query(COUNT, tenant=DEFAULT_TENANT))["n"].to_pylist()
    return int(found)


async def write(store: Store, how_many: int = 1) -> None:
    await store.writer(SAMPLES).write(rows([float(n) for n in range(how_many)]), tenant=DEFAULT_TENANT)


async def write_when_there_is_room(store: Store) -> None:
    for _ in range(100):
        try:
            await write(store)
        except StorageFullError:
            await asyncio.sleep(0.1)
        else:
            return
    pytest.fail("writing did not resume")


@pytest.mark.parametrize(("reserve", "leave"), [(0, 0), (0, 64 * 1024), (16 * MIB, 8 * MIB)])
async def test_a_full_disk_refuses_writes_serves_reads_and_heals(small_disk: Path, reserve: int, leave: int):
    store = Store(StoreSettings(linger=0.0, reserve=reserve), folder=small_disk / "columns")
    await store.register(SCHEMA)
    async with store:
        await write(store, 1000)
        ballast = fill(small_disk, leave)
        with pytest.raises(StorageFullError, match="writing resumes by itself"):
            for _ in range(200):
                await write(store, 1000)
        kept = await count(store)
        assert kept >= 1000
        await store.check()
        ballast.unlink()
        await write_when_there_is_room(store)
        assert await count(store) == kept + 1


async def test_a_store_on_a_full_disk_can_be_opened_and_read(small_disk: Path):
    folder = small_disk / "columns"
    for is_full in (False, True):
        store = Store(StoreSettings(linger=0.0, reserve=0), folder=folder)
        await store.register(SCHEMA)
        async with store:
            if not is_full:
                await write(store, 10)
            assert await count(store) == 10
        if not is_full:
            fill(small_disk, 0)


async def test_the_reserve_is_kept_on_any_machine(open_store, store_url):
    room = 100 * MIB
    store = await open_store(store_url, SCHEMA, free_bytes=lambda: room, reserve=64 * MIB)
    await write(store)
    room = 63 * MIB
    store._running.space._next_look_s = 0.0
    with pytest.raises(StorageFullError, match=r"has 63\.0 MiB left, and telemetry\.reserve keeps 64\.0 MiB"):
        await write(store)
    assert await count(store) == 1
    room = 100 * MIB
    await write_when_there_is_room(store)


async def test_the_disk_is_looked_at_once_a_second(fake_clock: FakeClock):
    looks = []
    registry = CollectorRegistry()
    watch = SpaceWatch("here", 10, lambda: looks.append(1) or len(looks), fake_clock, StoreMetrics(registry))
    for _ in range(50):
        with pytest.raises(StorageFullError):
            watch.check()
    assert len(looks) == 1
    assert registry.get_sample_value("holdfast_store_full") == 1
    for _ in range(9):
        await fake_clock.advance(1)
        if len(looks) < 9:
            with pytest.raises(StorageFullError):
                watch.check()
    watch.check()
    assert registry.get_sample_value("holdfast_store_full") == 0
    assert registry.get_sample_value("holdfast_store_free_bytes") == 10
