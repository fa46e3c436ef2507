"""What the operators do to numbers, elementwise over arrays of any shapes that fit each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats


def _divide_or_nan(left: Floats, right: Floats) -> Floats:
    return np.divide(left, np.where(right == 0, np.nan, right))


ARITHMETIC: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "/0": _divide_or_nan,  # no text is read as this: it is the division of languages that evaluate here, such as LogQL
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISONS: Final[dict[str, Callable[[Floats, Floats], Bools]]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
TRIMS: Final = frozenset({"</", ">/"})
SETS: Final = frozenset({"and", "or", "unless"})


def compute(op: str, left: Floats, right: Floats) -> tuple[Floats, Bools | None]:
    """Give the values and, for a comparison, where it holds; a comparison's values are those of its left side."""
    with np.errstate(all="ignore"):
        if op in ARITHMETIC:
            return ARITHMETIC[op](left, right), None
        if op in TRIMS:
            shape = np.broadcast_shapes(left.shape, right.shape)
            return np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        holds = COMPARISONS[op](left, right)
        return np.broadcast_to(left, holds.shape), holds
