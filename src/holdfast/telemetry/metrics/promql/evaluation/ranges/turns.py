"""`changes` and `resets` of floats: how often a value differs from, or is below, the one before it in the window."""

from __future__ import annotations

from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.ranges.resets import start_resets
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows


def changes(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the number of changes; NaN after NaN is none."""
    _count(windows, changed(windows.flat), windows.lo, out)
    return windows.counts > 0


def resets(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the number of counter resets."""
    _count(windows, fell(windows), windows.lo, out)
    return windows.counts > 0


def changed(flat: Floats) -> Bools:
    """Tell where a value differs from the one before; false for the first."""
    mask = np.zeros(len(flat), dtype=np.bool_)
    both_nan = np.isnan(flat[1:]) & np.isnan(flat[:-1])
    mask[1:] = (flat[1:] != flat[:-1]) & ~both_nan
    return mask


def fell(windows: Windows) -> Bools:
    """Tell where a counter was reset, by its values or by its start timestamps; false for the first."""
    flat = windows.flat
    mask = np.zeros(len(flat), dtype=np.bool_)
    mask[1:] = flat[1:] < flat[:-1]
    if windows.samples.starts is not None:
        mask[1:] |= start_resets(windows)
    return mask


def _count(windows: Windows, mask: Bools, first: Ints, out: Floats) -> None:
    sums = np.concatenate(([0], np.cumsum(mask)))
    inner = np.minimum(first + 1, windows.hi)  # the first sample of a window has nothing before it
    out[:] = sums.take(windows.bases + windows.hi) - sums.take(windows.bases + inner)


KERNELS: Final[dict[str, Kernel]] = {"changes": changes, "resets": resets}
