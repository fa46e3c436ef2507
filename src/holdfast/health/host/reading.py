"""One reading of the whole host; it remembers the counters of the last one, so that each new one yields rates.

Blocks for some milliseconds: `sampler` calls it in a thread. What cannot be read is left out, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from holdfast.health.host import counters, machine
from holdfast.health.host.containers import ControlGroups, CpuAccount
from holdfast.health.host.disks import Disks
from holdfast.health.host.machine import Counters
from holdfast.health.host.processes import Processes
from holdfast.health.host.snapshot import Container, Cpu, DiskIo, HostSnapshot, Interface, Memory
from holdfast.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class _Before:
    """The reading before: when it was, what had been counted by then."""

    at_s: float
    counted: Counters
    account: CpuAccount


class HostReader:
    """Reads this host; one reader per series of readings, from one thread at a time."""

    def __init__(
        self,
        clock: Clock,
        *,
        groups: ControlGroups | None = None,
        disks: Disks | None = None,
        processes: Processes | None = None,
    ) -> None:
        self._clock = clock
        self._groups = groups or ControlGroups()
        self._disks = disks or Disks()
        self._processes = processes or Processes()
        self._identity = machine.read_identity()
        self._before: _Before | None = None

    def read(self) -> HostSnapshot:
        """Read everything; the first reading of a reader has no rates."""
        at, at_s = self._clock.now(), self._clock.monotonic()
        counted = machine.read_counters()
        container, account = self._groups.read()
        before = self._before or _Before(at_s, Counters(), CpuAccount())
        self._before = _Before(at_s, counted, account)
        elapsed_s = at_s - before.at_s
        return HostSnapshot(
            at=at,
            hostname=self._identity.hostname,
            os=self._identity.os,
            kernel=self._identity.kernel,
            boot_at=self._identity.boot_at,
            cpu=self._cpu(before, counted, container, account, elapsed_s),
            memory=bound_memory(machine.read_memory(), container),
            disks=self._disks.read(),
            disk_io=_disk_io(before.counted, counted, elapsed_s),
            network=_network(before.counted, counted, elapsed_s),
            fds=machine.read_fds(),
            processes=self._processes.read(),
            process_count=self._processes.count,
            temperatures=machine.read_temperatures(),
            container=replace(container, throttled_ratio=_throttled(before.account, account)),
        )

    def _cpu(
        self, before: _Before, counted: Counters, container: Container, account: CpuAccount, elapsed_s: float
    ) -> Cpu:
        """In a container with a quota, busy is what its own processes took of the quota, not what the machine does."""
        modes = counters.shares(before.counted.cpu, counted.cpu) if before.counted.cpu else {}
        busy = counters.busy(modes)
        if container.cpu_cores:
            used = counters.rate(before.account.used_s, account.used_s, elapsed_s)
            busy = min(1.0, used / container.cpu_cores) if used is not None else None
        pairs = zip(before.counted.per_cpu, counted.per_cpu, strict=False)
        per_cpu = [counters.busy(counters.shares(old, new)) for old, new in pairs]
        return Cpu(
            count=self._identity.cpu_count,
            cores=container.cpu_cores or float(self._identity.cpu_count),
            load=machine.read_load(),
            busy_ratio=busy,
            modes=modes,
            per_cpu=tuple(share for share in per_cpu if share is not None),
        )


def bound_memory(memory: Memory, container: Container) -> Memory:
    """Give the memory that a container may use, where that is less than the machine's."""
    limit, used = container.memory_bytes, container.memory_used_bytes
    if limit is None or used is None or limit >= memory.total_bytes:
        return memory
    available = max(0, min(limit - used, memory.available_bytes))
    return replace(memory, total_bytes=limit, available_bytes=available, used_bytes=limit - available)


def _throttled(before: CpuAccount, after: CpuAccount) -> float | None:
    periods = after.periods - before.periods
    return max(0.0, (after.throttled - before.throttled) / periods) if periods > 0 else None


def _disk_io(before: Counters, after: Counters, elapsed_s: float) -> tuple[DiskIo, ...]:
    found = []
    for device, now in sorted(after.disks.items()):
        old = before.disks.get(device, {})
        read, written, busy_ms = (
            counters.rate(old.get(key), now.get(key), elapsed_s) for key in ("read_bytes", "write_bytes", "busy_time")
        )
        operations = [counters.rate(old.get(key), now.get(key), elapsed_s) for key in ("read_count", "write_count")]
        found.append(
            DiskIo(
                device=device,
                read_bytes=int(now["read_bytes"]),
                written_bytes=int(now["write_bytes"]),
                read_bytes_s=read,
                written_bytes_s=written,
                operations_s=None if None in operations else sum(filter(None, operations)),
                busy_ratio=min(1.0, busy_ms / 1000) if busy_ms is not None else None,
            )
        )
    return tuple(found)


def _network(before: Counters, after: Counters, elapsed_s: float) -> tuple[Interface, ...]:
    found = []
    for name, now in sorted(after.interfaces.items()):
        old = before.interfaces.get(name, {})
        received, sent = (counters.rate(old.get(key), now.get(key), elapsed_s) for key in ("bytes_recv", "bytes_sent"))
        errors, errors_before = _errors(now), _errors(old) if old else None
        found.append(
            Interface(
                name=name,
                received_bytes=int(now["bytes_recv"]),
                sent_bytes=int(now["bytes_sent"]),
                errors=errors,
                drops=int(now["dropin"] + now["dropout"]),
                received_bytes_s=received,
                sent_bytes_s=sent,
                errors_s=counters.rate(errors_before, errors, elapsed_s),
            )
        )
    return tuple(found)


def _errors(numbers: machine.Numbers) -> int:
    return int(numbers["errin"] + numbers["errout"])
