"""What a range function of floats is: it fills a block's grid from its windows and says where there is a result."""

from __future__ import annotations

from typing import Protocol

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows


class Kernel(Protocol):
    """A range function over floats."""

    def __call__(self, windows: Windows, args: tuple[Floats, ...], out: Floats, /) -> Bools:
        """Fill `out` (R x T); `args` are the scalar arguments, T each. Give where results are, (1 or R) x T."""
        ...
