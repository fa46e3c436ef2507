"""What Linux' control groups, of version 1 or 2, allow this process, and take from it.

The strictest of its group and those around it counts. In a container its own group may be all that is to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NO_LIMIT: Final = 2**60
"""Version 1 says so, less a page, where there is none."""


def read_file(path: Path) -> str:
    """Give a file of the kernel's; empty where it is missing or not ours to read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def read_pairs(path: Path, separator: str) -> dict[str, str]:
    """Give the values of a file of the kernel's by their names."""
    lines = (line.partition(separator) for line in read_file(path).splitlines())
    return {name: value.strip() for name, _, value in lines}


class ControlGroup:
    """The group of the process whose folder in /proc is `process`; `root` is where groups are mounted."""

    def __init__(self, process: Path, root: Path) -> None:
        self._process = process
        self._root = root

    def memory_limit_bytes(self) -> int | None:
        """Give the memory that it may use; None: there is no limit."""
        files = ("memory.max", "memory.limit_in_bytes")
        texts = (read_file(folder / file).strip() for folder in self._folders("memory") for file in files)
        limits = [int(text) for text in texts if text.isdigit()]
        return min((limit for limit in limits if limit < _NO_LIMIT), default=None)

    def cpu_limit(self) -> float | None:
        """Give the processors whose whole time it may use; None: there is no limit."""
        limits = []
        for folder in self._folders("cpu"):
            quota, _, period = read_file(folder / "cpu.max").strip().partition(" ")
            if not quota:
                quota = read_file(folder / "cpu.cfs_quota_us").strip()
                period = read_file(folder / "cpu.cfs_period_us").strip()
            if quota.isdigit() and period.isdigit() and int(period):
                limits.append(int(quota) / int(period))
        return min(limits, default=None)

    def throttled_s(self) -> float | None:
        """Give the seconds for which it was kept from the processor; None: nobody counts them."""
        stats = [read_pairs(folder / "cpu.stat", " ") for folder in self._folders("cpu")]
        counted = [int(stat["throttled_usec"]) / 1e6 for stat in stats if "throttled_usec" in stat]
        counted += [int(stat["throttled_time"]) / 1e9 for stat in stats if "throttled_time" in stat]
        return max(counted, default=None)

    def _folders(self, controller: str) -> Iterator[Path]:
        """Give the folders of the group and of those around it, as far as they are to be seen."""
        for line in read_file(self._process / "cgroup").splitlines():
            _, controllers, place = (*line.split(":", 2), "", "")[:3]
            if controllers and controller not in controllers.split(","):
                continue
            mount = self._root / controller if controllers else self._root
            folder = mount if ".." in place.split("/") else mount / place.lstrip("/")
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(mount))
