"""Operations between two bare numbers are worked out when a query is read, as Loki does it: `1 + 2` is the number 3.

A comparison gives 1 or 0; what is divided by zero is no number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Final

import numpy as np

_OPERATIONS: Final[dict[str, Callable[[np.float64, np.float64], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else math.nan,
    "%": lambda left, right: np.fmod(left, right) if right else math.nan,
    "^": np.float_power,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def is_foldable(op: str) -> bool:
    """Tell whether an operation gives a number between two; those of sets do not."""
    return op in _OPERATIONS


def fold(op: str, left: float, right: float) -> float:
    """Give the result of an operation."""
    with np.errstate(all="ignore"):
        return float(_OPERATIONS[op](np.float64(left), np.float64(right)))
