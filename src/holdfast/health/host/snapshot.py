"""What is known of this host at one moment. Plain data; reading it is `reading`, naming it as metrics `samples`.

A number that cannot be had is None and never 0. Sizes are bytes, shares are 0 to 1, rates are per second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Container:
    """The bounds that a control group sets on us; None where it sets none."""

    cpu_cores: float | None = None
    memory_bytes: int | None = None
    memory_used_bytes: int | None = None
    throttled_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Cpu:
    """Processors: `busy_ratio` is the share of all of them that is in use; `modes` say for what.

    `cores` is what may be used: the processors of the machine, or fewer in a container.
    """

    count: int
    cores: float
    load: tuple[float, float, float] | None = None
    busy_ratio: float | None = None
    modes: dict[str, float] = field(default_factory=dict)
    per_cpu: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory and swap; `total_bytes` is what may be used: the machine's memory, or less in a container."""

    total_bytes: int
    available_bytes: int
    used_bytes: int
    swap_total_bytes: int = 0
    swap_used_bytes: int = 0

    @property
    def used_ratio(self) -> float:
        """The share that is not available to programs."""
        return 1 - self.available_bytes / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Disk:
    """One mounted file system. Where it does not answer, `is_hung` is set and the rest is unknown."""

    device: str
    mount: str
    fstype: str
    total_bytes: int = 0
    used_bytes: int = 0
    free_bytes: int = 0
    inodes_ratio: float | None = None
    is_read_only: bool = False
    is_hung: bool = False

    @property
    def used_ratio(self) -> float:
        """The share in use of what ordinary programs may use, as `df` tells it."""
        usable = self.used_bytes + self.free_bytes
        return self.used_bytes / usable if usable else 0.0


@dataclass(frozen=True, slots=True)
class DiskIo:
    """One block device; the rates are None until there are two readings."""

    device: str
    read_bytes: int
    written_bytes: int
    read_bytes_s: float | None = None
    written_bytes_s: float | None = None
    operations_s: float | None = None
    busy_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface; the rates are None until there are two readings."""

    name: str
    received_bytes: int
    sent_bytes: int
    errors: int
    drops: int
    received_bytes_s: float | None = None
    sent_bytes_s: float | None = None
    errors_s: float | None = None


@dataclass(frozen=True, slots=True)
class FileDescriptors:
    """Open files of the whole machine."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Process:
    """One of the processes that use the most; `cpu_ratio` is in processors, so 1.5 is one and a half."""

    pid: int
    name: str
    user: str
    command: str
    rss_bytes: int
    cpu_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Temperature:
    """One sensor, where the machine has any."""

    sensor: str
    celsius: float
    critical_celsius: float | None = None


@dataclass(frozen=True, slots=True)
class HostSnapshot:
    """Everything, at one moment."""

    at: datetime
    hostname: str
    os: str
    kernel: str
    boot_at: datetime
    cpu: Cpu
    memory: Memory
    disks: tuple[Disk, ...] = ()
    disk_io: tuple[DiskIo, ...] = ()
    network: tuple[Interface, ...] = ()
    fds: FileDescriptors | None = None
    process_count: int = 0
    processes: tuple[Process, ...] = ()
    temperatures: tuple[Temperature, ...] = ()
    container: Container = Container()
