"""The host is measured from the first second on, off the event loop, on a grid that does not drift."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from holdfast.health.host import HostReader, HostSettings
from holdfast.health.host.sampler import HostSampler
from holdfast.kernel import decoding
from holdfast.kernel.errors import ConfigError, UnavailableError


class FakeReader:
    """Counts readings and notes when and where they were."""

    def __init__(self, clock, reading) -> None:
        self.clock, self.reading, self.times, self.threads = clock, reading, [], []
        self.takes_s = 0.0
        self.fails = False

    def read(self):
        self.times.append(self.clock.monotonic())
        self.threads.append(threading.current_thread())
        if self.fails:
            raise PermissionError("/proc is closed")
        return self.reading


class Recorder:
    def __init__(self) -> None:
        self.names: list[str] = []

    def record(self, tenant, name, labels, at, value) -> None:
        self.names.append(name)


@pytest.fixture
def reader(fake_clock):
    return FakeReader(fake_clock, HostReader(fake_clock).read())


@contextlib.asynccontextmanager
async def running(sampler):
    task = asyncio.create_task(sampler.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def pass_time(clock, reader, seconds):
    """Move time on by whole seconds, and let the reading threads finish in between."""
    for _ in range(seconds):
        for _ in range(50):
            await asyncio.sleep(0.001)
            if clock.sleeping:
                break
        await clock.advance(1)


async def test_readings_are_at_once_after_a_second_and_then_on_the_grid(fake_clock, reader):
    sampler = HostSampler(reader, Recorder(), fake_clock, every_s=10.0)
    async with running(sampler):
        await pass_time(fake_clock, reader, 31)
    assert reader.times == [0.0, 1.0, 10.0, 20.0, 30.0]
    assert threading.main_thread() not in reader.threads


async def test_every_number_is_recorded_as_a_metric(fake_clock, reader):
    recorder = Recorder()
    await HostSampler(reader, recorder, fake_clock, every_s=10.0).measure()
    assert "holdfast_host_memory_total_bytes" in recorder.names
    assert "holdfast_host_disk_used_ratio" in recorder.names


async def test_before_the_first_reading_there_is_nothing_and_it_says_so(fake_clock, reader):
    sampler = HostSampler(reader, Recorder(), fake_clock, every_s=10.0)
    with pytest.raises(UnavailableError, match="has not been measured yet"):
        assert sampler.latest
    await sampler.measure()
    assert sampler.latest is reader.reading


async def test_a_machine_that_closes_itself_leaves_the_last_reading_in_place(fake_clock, reader):
    sampler = HostSampler(reader, Recorder(), fake_clock, every_s=10.0)
    await sampler.measure()
    reader.fails = True
    await sampler.measure()
    assert sampler.latest is reader.reading


def test_less_than_a_second_between_readings_is_refused():
    with pytest.raises(ConfigError, match="1s or more"):
        decoding.decode(HostSettings, {"every": "100ms"})
