"""Names the numbers of a snapshot as metrics, as Prometheus does: base units, `_total` for what only grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from holdfast.health.host.snapshot import Cpu, Disk, HostSnapshot, Memory
from holdfast.health.probes import Sample

PREFIX: Final = "holdfast_host_"


def name_samples(snapshot: HostSnapshot) -> list[Sample]:
    """Give every number of the snapshot that is known, labelled with the host's name."""
    parts = (
        *_cpu(snapshot.cpu),
        *_memory(snapshot.memory),
        *(sample for disk in snapshot.disks for sample in _disk(disk)),
        *_devices(snapshot),
        *_rest(snapshot),
    )
    return [
        Sample(f"{PREFIX}{name}", float(value), {"host": snapshot.hostname, **labels})
        for name, value, labels in parts
        if value is not None
    ]


_Part = tuple[str, float | None, dict[str, str]]


def _cpu(cpu: Cpu) -> Iterator[_Part]:
    yield "cpu_cores", cpu.cores, {}
    yield "cpu_busy_ratio", cpu.busy_ratio, {}
    for mode, share in cpu.modes.items():
        yield "cpu_mode_ratio", share, {"mode": mode}
    for number, share in enumerate(cpu.per_cpu):
        yield "cpu_core_busy_ratio", share, {"cpu": str(number)}
    for window, load in zip(("1m", "5m", "15m"), cpu.load or (), strict=False):
        yield "load", load, {"window": window}


def _memory(memory: Memory) -> Iterator[_Part]:
    yield "memory_total_bytes", memory.total_bytes, {}
    yield "memory_used_bytes", memory.used_bytes, {}
    yield "memory_available_bytes", memory.available_bytes, {}
    yield "swap_total_bytes", memory.swap_total_bytes, {}
    yield "swap_used_bytes", memory.swap_used_bytes, {}


def _disk(disk: Disk) -> Iterator[_Part]:
    labels = {"device": disk.device, "mount": disk.mount, "fstype": disk.fstype}
    yield "disk_hung", float(disk.is_hung), labels
    if not disk.is_hung:
        yield "disk_total_bytes", disk.total_bytes, labels
        yield "disk_used_bytes", disk.used_bytes, labels
        yield "disk_free_bytes", disk.free_bytes, labels
        yield "disk_used_ratio", disk.used_ratio, labels
        yield "disk_inodes_used_ratio", disk.inodes_ratio, labels


def _devices(snapshot: HostSnapshot) -> Iterator[_Part]:
    for disk in snapshot.disk_io:
        labels = {"device": disk.device}
        yield "disk_read_bytes_total", disk.read_bytes, labels
        yield "disk_written_bytes_total", disk.written_bytes, labels
        yield "disk_busy_ratio", disk.busy_ratio, labels
    for interface in snapshot.network:
        labels = {"interface": interface.name}
        yield "network_received_bytes_total", interface.received_bytes, labels
        yield "network_sent_bytes_total", interface.sent_bytes, labels
        yield "network_errors_total", interface.errors, labels
        yield "network_drops_total", interface.drops, labels


def _rest(snapshot: HostSnapshot) -> Iterator[_Part]:
    if snapshot.fds:
        yield "fds_used", snapshot.fds.used, {}
        yield "fds_limit", snapshot.fds.limit, {}
    yield "processes", snapshot.process_count, {}
    yield "boot_time_seconds", snapshot.boot_at.timestamp(), {}
    yield "cpu_throttled_ratio", snapshot.container.throttled_ratio, {}
    for reading in snapshot.temperatures:
        yield "temperature_celsius", reading.celsius, {"sensor": reading.sensor}
