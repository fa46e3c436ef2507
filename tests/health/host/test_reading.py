"""The real machine, read for real; and machines that hide things."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from holdfast.health.host import HostReader, machine
from holdfast.health.host.processes import Processes
from holdfast.health.host.samples import name_samples
from holdfast.health.host.snapshot import HostSnapshot
from holdfast.kernel.clock import FakeClock


@pytest.fixture
def reader(fake_clock) -> HostReader:
    return HostReader(fake_clock, processes=Processes(monotonic=fake_clock.monotonic))


async def _read_again(reader, fake_clock) -> HostSnapshot:
    """Read until the machine has counted time on each processor: it does in hundredths of a second, some in seconds."""
    async with asyncio.timeout(20):
        while True:
            await asyncio.sleep(0.05)
            await fake_clock.advance(10)
            found = reader.read()
            if found.cpu.busy_ratio is not None and len(found.cpu.per_cpu) == found.cpu.count:
                return found


async def test_two_readings_of_this_machine_tell_everything_with_rates(reader, fake_clock):
    first = reader.read()
    assert first.cpu.busy_ratio is None
    assert all(interface.received_bytes_s is None for interface in first.network)
    second = await _read_again(reader, fake_clock)
    assert 0 <= second.cpu.busy_ratio <= 1
    assert len(second.cpu.per_cpu) == second.cpu.count
    assert 0 < second.memory.used_ratio < 1
    assert any(disk.mount == "/" for disk in second.disks)
    assert second.process_count > 1
    assert second.processes[0].cpu_ratio is not None
    assert second.boot_at < second.at or second.boot_at.year >= 2020


async def test_every_metric_has_the_rooms_prefix_a_unit_and_the_host(reader, fake_clock):
    reader.read()
    samples = name_samples(await _read_again(reader, fake_clock))
    names = {sample.name for sample in samples}
    assert {"holdfast_host_cpu_busy_ratio", "holdfast_host_memory_used_bytes", "holdfast_host_load"} <= names
    assert all(name.startswith("holdfast_host_") for name in names)
    assert all(sample.labels["host"] for sample in samples)
    keys = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "hidden", ["swap_memory", "disk_io_counters", "net_io_counters", "cpu_times", "sensors_temperatures"]
)
@pytest.mark.parametrize("error", [PermissionError(), psutil.Error(), ValueError("half a file"), IndexError()])
def test_what_a_machine_hides_is_missing_and_the_rest_stands(monkeypatch, fake_clock, hidden, error):
    def refuse(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(machine.psutil, hidden, refuse, raising=False)
    snapshot = HostReader(fake_clock, processes=Processes(list)).read()
    assert snapshot.memory.total_bytes > 0
    assert name_samples(snapshot)


def test_a_machine_without_swap_has_none(monkeypatch, fake_clock):
    monkeypatch.setattr(machine.psutil, "swap_memory", lambda: type("Swap", (), {"total": 0, "used": 0}))
    snapshot = HostReader(fake_clock, processes=Processes(list)).read()
    assert (snapshot.memory.swap_total_bytes, snapshot.memory.swap_used_bytes) == (0, 0)


def test_a_node_with_hundreds_of_interfaces_is_told_by_its_busiest(monkeypatch):
    def crowd(*_args, **_kwargs):
        return {f"veth{number}": FakeInterface(number) for number in range(500)}

    monkeypatch.setattr(machine.psutil, "net_io_counters", crowd)
    interfaces = machine.read_counters().interfaces
    assert len(interfaces) == machine.MAX_DEVICES
    assert "veth499" in interfaces


class FakeInterface(tuple):
    __slots__ = ()

    def __new__(cls, amount: int):
        return super().__new__(cls, (amount, amount))

    def _asdict(self):
        return {"bytes_recv": self[0], "bytes_sent": self[1], "errin": 0, "errout": 0, "dropin": 0, "dropout": 0}


def test_the_clock_of_a_reading_is_the_given_one():
    clock = FakeClock()
    assert HostReader(clock, processes=Processes(list)).read().at == clock.now()
