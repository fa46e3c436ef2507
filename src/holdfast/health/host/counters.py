"""What grows between two readings becomes a rate; a counter that fell was reset and yields nothing."""

from __future__ import annotations

from collections.abc import Mapping

CpuTimes = Mapping[str, float]


def rate(before: float | None, after: float | None, elapsed_s: float) -> float | None:
    """Give the growth per second; None without two readings, without time between them, or after a reset."""
    if before is None or after is None or elapsed_s <= 0 or after < before:
        return None
    return (after - before) / elapsed_s


def shares(before: CpuTimes, after: CpuTimes) -> dict[str, float]:
    """Give the share of the elapsed CPU time that each mode took; nothing when no time passed.

    Guest time is part of user time already and is left out (Linux, proc_stat(5)). Some modes may seem to run
    backwards by a tick; they count as nothing.
    """
    grown = {mode: max(0.0, after[mode] - before.get(mode, 0.0)) for mode in after if not mode.startswith("guest")}
    total = sum(grown.values())
    return {mode: value / total for mode, value in grown.items()} if total > 0 else {}


def busy(by_mode: Mapping[str, float]) -> float | None:
    """Give the share that was neither idle nor waiting for a disk; None when nothing is known."""
    if not by_mode:
        return None
    return min(1.0, max(0.0, 1.0 - by_mode.get("idle", 0.0) - by_mode.get("iowait", 0.0)))
