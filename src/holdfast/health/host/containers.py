"""The real bounds of a process in a container: cgroup v2's limits on memory and CPU, the tightest on the way up.

Outside a container the machine's own numbers stand, even where a service manager bounds this one service.
Source: Linux, "Control Group v2", memory and CPU interface files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast.health.host.snapshot import Container

_MARKERS: Final = ("/.dockerenv", "/run/.containerenv")  # Docker and Podman leave these; others have a namespace


@dataclass(frozen=True, slots=True)
class CpuAccount:
    """What the bounded group has used so far, and in how many periods it was held back."""

    used_s: float | None = None
    periods: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """Where the kernel shows control groups; tests show it elsewhere."""

    root: Path = Path("/sys/fs/cgroup")
    own: Path = Path("/proc/self/cgroup")
    markers: tuple[Path, ...] = tuple(Path(marker) for marker in _MARKERS)

    def read(self) -> tuple[Container, CpuAccount]:
        """Read the bounds of our container; all None where there is none or it has none."""
        cores: list[tuple[float, Path]] = []
        limits: list[tuple[int, Path]] = []
        for group in self._groups():
            if (quota := _read_cpu_max(group / "cpu.max")) is not None:
                cores.append((quota, group))
            if (limit := _read_number(group / "memory.max")) is not None:
                limits.append((limit, group))
        account = _read_account(min(cores)[1] / "cpu.stat") if cores else CpuAccount()
        used = _read_working_set(min(limits)[1]) if limits else None
        container = Container(
            cpu_cores=min(cores)[0] if cores else None,
            memory_bytes=min(limits)[0] if limits else None,
            memory_used_bytes=used,
        )
        return container, account

    def _groups(self) -> list[Path]:
        """Give our group and those around it, nothing outside a container; a namespace shows our group as the root."""
        if not (self.root / "cgroup.controllers").exists():
            return []
        path = next((line[3:] for line in _read_lines(self.own) if line.startswith("0::")), "")
        if path == "/":
            return [self.root] if (self.root / "memory.max").exists() or (self.root / "cpu.max").exists() else []
        if not path or not any(marker.exists() for marker in self.markers):
            return []
        inner = self.root / path.lstrip("/")
        if ".." in inner.parts or not inner.is_dir():
            return [self.root]
        return [group for group in (inner, *inner.parents) if group.is_relative_to(self.root)]


def _read_cpu_max(file: Path) -> float | None:
    """Read `<quota> <period>` in microseconds as a number of processors."""
    words = _read_words(file)
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[1]):
        return None
    return int(words[0]) / int(words[1])


def _read_account(file: Path) -> CpuAccount:
    numbers = _read_table(file)
    used_us = numbers.get("usage_usec")
    return CpuAccount(
        used_s=used_us / 1e6 if used_us is not None else None,
        periods=numbers.get("nr_periods", 0),
        throttled=numbers.get("nr_throttled", 0),
    )


def _read_working_set(group: Path) -> int | None:
    """Give the memory that cannot be had back by dropping cached files: what the out-of-memory killer goes by."""
    current = _read_number(group / "memory.current")
    if current is None:
        return None
    return max(0, current - _read_table(group / "memory.stat").get("inactive_file", 0))


def _read_number(file: Path) -> int | None:
    words = _read_words(file)
    return int(words[0]) if len(words) == 1 and words[0].isdigit() else None


def _read_table(file: Path) -> dict[str, int]:
    words = _read_words(file)
    return {key: int(value) for key, value in zip(words[::2], words[1::2], strict=False) if value.isdigit()}


def _read_words(file: Path) -> list[str]:
    return [word for line in _read_lines(file) for word in line.split()]


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
