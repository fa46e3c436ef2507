"""What the API says of the host. Shares are in percent here, as people read them; what is not known is null."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.health.host.snapshot import Cpu, Disk, HostSnapshot, Memory, Process


@dataclass(frozen=True, slots=True)
class CpuOut:
    """Processors: `percent` of `cores` is in use; in a container `cores` may be less than `count`."""

    count: int
    cores: float
    percent: float | None
    per_cpu: list[float]
    modes: dict[str, float]
    load: list[float]
    throttled_percent: float | None


@dataclass(frozen=True, slots=True)
class MemoryOut:
    """Bytes of memory and swap; in a container `total` is its limit."""

    total: int
    used: int
    available: int
    percent: float
    swap_total: int
    swap_used: int


@dataclass(frozen=True, slots=True)
class DiskOut:
    """One file system; `hung` ones do not answer and have no numbers."""

    device: str
    mount: str
    fstype: str
    total: int
    used: int
    free: int
    percent: float
    inodes_percent: float | None
    read_only: bool
    hung: bool


@dataclass(frozen=True, slots=True)
class DiskIoOut:
    """One block device, per second."""

    device: str
    read_bytes_s: float | None
    written_bytes_s: float | None
    operations_s: float | None
    busy_percent: float | None


@dataclass(frozen=True, slots=True)
class InterfaceOut:
    """One network interface, per second; `errors` and `drops` count since it came up."""

    interface: str
    rx_bytes_s: float | None
    tx_bytes_s: float | None
    errors: int
    drops: int


@dataclass(frozen=True, slots=True)
class FdsOut:
    """Open files of the whole machine."""

    used: int
    max: int


@dataclass(frozen=True, slots=True)
class ProcessOut:
    """A process; `cpu_percent` of one processor, so that 150 is one and a half."""

    pid: int
    name: str
    user: str
    cpu_percent: float | None
    rss_bytes: int
    command: str


@dataclass(frozen=True, slots=True)
class TemperatureOut:
    """One sensor."""

    sensor: str
    celsius: float
    critical_celsius: float | None


@dataclass(frozen=True, slots=True)
class ContainerOut:
    """The bounds that a container sets; null where it sets none."""

    cpu_cores: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class HostOut:
    """This host at one moment."""

    at: datetime
    hostname: str
    os: str
    kernel: str
    boot_at: datetime
    cpu: CpuOut
    memory: MemoryOut
    disks: list[DiskOut]
    disk_io: list[DiskIoOut]
    network: list[InterfaceOut]
    fds: FdsOut | None
    process_count: int
    processes: list[ProcessOut]
    temperatures: list[TemperatureOut]
    container: ContainerOut


def percent(ratio: float | None) -> float | None:
    """Give a share of 0 to 1 in percent, to one decimal."""
    return None if ratio is None else round(100 * ratio, 1)


def show_host(snapshot: HostSnapshot) -> HostOut:
    """Give a snapshot as the API shows it."""
    container = snapshot.container
    return HostOut(
        at=snapshot.at,
        hostname=snapshot.hostname,
        os=snapshot.os,
        kernel=snapshot.kernel,
        boot_at=snapshot.boot_at,
        cpu=_cpu(snapshot.cpu, container.throttled_ratio),
        memory=_memory(snapshot.memory),
        disks=[_disk(disk) for disk in snapshot.disks],
        disk_io=[
            DiskIoOut(io.device, io.read_bytes_s, io.written_bytes_s, io.operations_s, percent(io.busy_ratio))
            for io in snapshot.disk_io
        ],
        network=[
            InterfaceOut(link.name, link.received_bytes_s, link.sent_bytes_s, link.errors, link.drops)
            for link in snapshot.network
        ],
        fds=FdsOut(snapshot.fds.used, snapshot.fds.limit) if snapshot.fds else None,
        process_count=snapshot.process_count,
        processes=[_process(process) for process in snapshot.processes],
        temperatures=[
            TemperatureOut(reading.sensor, reading.celsius, reading.critical_celsius)
            for reading in snapshot.temperatures
        ],
        container=ContainerOut(container.cpu_cores, container.memory_bytes),
    )


def _cpu(cpu: Cpu, throttled_ratio: float | None) -> CpuOut:
    return CpuOut(
        count=cpu.count,
        cores=cpu.cores,
        percent=percent(cpu.busy_ratio),
        per_cpu=[round(100 * share, 1) for share in cpu.per_cpu],
        modes={mode: round(100 * share, 1) for mode, share in cpu.modes.items()},
        load=[round(load, 2) for load in cpu.load or ()],
        throttled_percent=percent(throttled_ratio),
    )


def _memory(memory: Memory) -> MemoryOut:
    return MemoryOut(
        total=memory.total_bytes,
        used=memory.used_bytes,
        available=memory.available_bytes,
        percent=round(100 * memory.used_ratio, 1),
        swap_total=memory.swap_total_bytes,
        swap_used=memory.swap_used_bytes,
    )


def _disk(disk: Disk) -> DiskOut:
    return DiskOut(
        device=disk.device,
        mount=disk.mount,
        fstype=disk.fstype,
        total=disk.total_bytes,
        used=disk.used_bytes,
        free=disk.free_bytes,
        percent=round(100 * disk.used_ratio, 1),
        inodes_percent=percent(disk.inodes_ratio),
        read_only=disk.is_read_only,
        hung=disk.is_hung,
    )


def _process(process: Process) -> ProcessOut:
    return ProcessOut(
        process.pid,
        process.name,
        process.user,
        percent(process.cpu_ratio),
        process.rss_bytes,
        process.command,
    )
