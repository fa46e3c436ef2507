"""Names for the arrays that everything here hands around, so that signatures stay readable."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]


def filled(cells: Objects) -> Bools:
    """Tell where a cell holds anything, so that it is not None."""
    return np.asarray(np.not_equal(cells, None), dtype=np.bool_)  # type: ignore[call-overload]  # the stub knows no None
