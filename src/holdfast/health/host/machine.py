"""What psutil says of the machine, each part on its own: a part that cannot be read is missing, the others stand.

Kernels in sandboxes and odd containers hide files and write half of them; psutil then fails in many ways.
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from holdfast.health.host.counters import CpuTimes
from holdfast.health.host.snapshot import FileDescriptors, Memory, Temperature

T = TypeVar("T")
Numbers = Mapping[str, float]

MAX_DEVICES: Final = 32  # a node with many containers has hundreds of virtual interfaces
_FAILURES: Final = (psutil.Error, OSError, NotImplementedError, RuntimeError, ValueError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class Counters:
    """What only grows; two of these give rates."""

    cpu: CpuTimes = field(default_factory=dict)
    per_cpu: tuple[CpuTimes, ...] = ()
    disks: Mapping[str, Numbers] = field(default_factory=dict)
    interfaces: Mapping[str, Numbers] = field(default_factory=dict)


def try_read(read: Callable[[], T], otherwise: T) -> T:
    """Give what `read` gives, or `otherwise` where the machine does not tell."""
    try:
        return read()
    except _FAILURES:
        return otherwise


def read_counters() -> Counters:
    """Read all that grows."""
    return Counters(
        cpu=try_read(lambda: psutil.cpu_times()._asdict(), {}),
        per_cpu=try_read(lambda: tuple(times._asdict() for times in psutil.cpu_times(percpu=True)), ()),
        disks=_busiest(try_read(_read_disks, {}), "read_bytes", "write_bytes"),
        interfaces=_busiest(try_read(_read_interfaces, {}), "bytes_recv", "bytes_sent"),
    )


def _read_disks() -> dict[str, dict[str, float]]:
    """Read whole devices, without their partitions and without those that were never used."""
    found = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    blocks = Path("/sys/block")
    whole = {block.name for block in blocks.iterdir()} if blocks.is_dir() else set(found)
    return {name: numbers._asdict() for name, numbers in found.items() if name in whole and any(numbers[:4])}


def _read_interfaces() -> dict[str, dict[str, float]]:
    found = psutil.net_io_counters(pernic=True, nowrap=False) or {}
    return {name: numbers._asdict() for name, numbers in found.items() if any(numbers)}


def _busiest(found: dict[str, dict[str, float]], *keys: str) -> dict[str, dict[str, float]]:
    """Keep the devices that moved the most bytes."""
    if len(found) <= MAX_DEVICES:
        return found
    ranked = sorted(found, key=lambda name: -sum(found[name].get(key, 0) for key in keys))
    return {name: found[name] for name in ranked[:MAX_DEVICES]}


def read_memory() -> Memory:
    """Read memory and swap; a machine without swap has none, and one that hides it seems to have none."""
    main = psutil.virtual_memory()
    swap: Any = try_read(psutil.swap_memory, None)
    return Memory(
        total_bytes=main.total,
        available_bytes=main.available,
        used_bytes=max(0, main.total - main.available),
        swap_total_bytes=swap.total if swap else 0,
        swap_used_bytes=swap.used if swap else 0,
    )


def read_fds() -> FileDescriptors | None:
    """Read how many files are open, and how many may be (Linux, proc_sys_fs(5), file-nr)."""
    words: list[str] = try_read(lambda: Path("/proc/sys/fs/file-nr").read_text(encoding="ascii").split(), [])
    return FileDescriptors(used=int(words[0]), limit=int(words[2])) if len(words) == 3 else None


def read_load() -> tuple[float, float, float] | None:
    """Read the load averages over 1, 5 and 15 minutes."""
    return try_read(os.getloadavg, None)


def read_temperatures() -> tuple[Temperature, ...]:
    """Read the sensors, where there are any."""
    sensors: Mapping[str, Any] = try_read(lambda: psutil.sensors_temperatures(), {})  # noqa: PLW0108 - some systems lack it
    return tuple(
        Temperature(f"{chip} {reading.label}".strip(), reading.current, reading.critical or None)
        for chip, readings in sensors.items()
        for reading in readings
        if reading.current is not None and -100 < reading.current < 200  # a broken sensor tells nonsense
    )[:MAX_DEVICES]


@dataclass(frozen=True, slots=True)
class Identity:
    """What does not change while the machine runs."""

    hostname: str
    os: str
    kernel: str
    boot_at: datetime
    cpu_count: int


def read_identity() -> Identity:
    """Read what stays."""
    names: dict[str, str] = try_read(platform.freedesktop_os_release, {})
    return Identity(
        hostname=socket.gethostname(),
        os=names.get("PRETTY_NAME") or platform.system(),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        boot_at=datetime.fromtimestamp(psutil.boot_time(), UTC),
        cpu_count=os.cpu_count() or 1,
    )
