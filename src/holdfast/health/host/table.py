"""The host as tables on a terminal. Draws what a snapshot says; colours mean trouble and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.health.host.snapshot import Disk, HostSnapshot, Process
from holdfast.kernel.units import format_size

_HIGH: Final = 0.8
_FULL: Final = 0.9
_UNKNOWN: Final = "-"


def draw_host(snapshot: HostSnapshot, *, processes: int = 10) -> RenderableType:
    """Give the whole host, the greatest `processes` last."""
    parts: list[RenderableType] = [_summary(snapshot), Text(), _disks(snapshot.disks)]
    if snapshot.network:
        parts += [Text(), _network(snapshot)]
    if snapshot.processes and processes:
        parts += [Text(), _processes(snapshot.processes[:processes])]
    return Group(*parts)


def _summary(snapshot: HostSnapshot) -> Table:
    cpu, memory = snapshot.cpu, snapshot.memory
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    table.add_row("host", f"{snapshot.hostname}  {snapshot.os}  {snapshot.kernel}")
    table.add_row("up since", f"{snapshot.boot_at:%Y-%m-%d %H:%M} UTC ({_age(snapshot.boot_at, snapshot.at)})")
    bound = " (limit of the container)" if snapshot.container.cpu_cores else ""
    table.add_row("cpu", Text.assemble(_share(cpu.busy_ratio), f" of {cpu.cores:g} processors{bound}"))
    if cpu.load:
        table.add_row("load", " ".join(f"{load:.2f}" for load in cpu.load))
    bound = " (limit of the container)" if snapshot.container.memory_bytes == memory.total_bytes else ""
    told = f"  {format_size(memory.used_bytes)} of {format_size(memory.total_bytes)}{bound}"
    table.add_row("memory", Text.assemble(_share(memory.used_ratio), told))
    if memory.swap_total_bytes:
        share = memory.swap_used_bytes / memory.swap_total_bytes
        told = f"  {format_size(memory.swap_used_bytes)} of {format_size(memory.swap_total_bytes)}"
        table.add_row("swap", Text.assemble(_share(share), told))
    if snapshot.fds:
        table.add_row("open files", f"{snapshot.fds.used:,}")
    table.add_row("processes", f"{snapshot.process_count:,}")
    for reading in snapshot.temperatures[:4]:
        table.add_row(reading.sensor, f"{reading.celsius:.0f} °C")
    return table


def _disks(disks: tuple[Disk, ...]) -> Table:
    table = _table("disk", "used", "free", "inodes", "type", numbers=("used", "free", "inodes"))
    for disk in disks:
        name = disk.mount + (" (read-only)" if disk.is_read_only else "")
        if disk.is_hung:
            table.add_row(name, Text("does not answer", style="bold red"), _UNKNOWN, _UNKNOWN, disk.fstype)
        else:
            free = format_size(disk.free_bytes)
            table.add_row(name, _share(disk.used_ratio), free, _share(disk.inodes_ratio), disk.fstype)
    return table


def _network(snapshot: HostSnapshot) -> Table:
    table = _table(
        "network", "received/s", "sent/s", "errors", "drops", numbers=("received/s", "sent/s", "errors", "drops")
    )
    for link in snapshot.network:
        errors = Text(str(link.errors), style="red" if link.errors_s else "")
        table.add_row(link.name, _speed(link.received_bytes_s), _speed(link.sent_bytes_s), errors, str(link.drops))
    return table


def _processes(processes: tuple[Process, ...]) -> Table:
    table = _table("pid", "user", "cpu", "memory", numbers=("pid", "cpu", "memory"))
    table.expand = True
    table.add_column("command", no_wrap=True, overflow="ellipsis", ratio=1)  # takes what the others leave
    for process in processes:
        used = _UNKNOWN if process.cpu_ratio is None else f"{100 * process.cpu_ratio:.1f} %"
        size = format_size(process.rss_bytes)
        table.add_row(str(process.pid), process.user, used, size, Text(process.command))
    return table


def _table(*columns: str, numbers: tuple[str, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=True)
    return table


def _share(ratio: float | None) -> Text:
    if ratio is None:
        return Text(_UNKNOWN)
    style = "bold red" if ratio >= _FULL else "yellow" if ratio >= _HIGH else ""
    return Text(f"{100 * ratio:.1f} %", style=style)


def _speed(bytes_s: float | None) -> str:
    return _UNKNOWN if bytes_s is None else format_size(round(bytes_s))


def _age(since: datetime, now: datetime) -> str:
    seconds = max(0, int((now.astimezone(UTC) - since).total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
