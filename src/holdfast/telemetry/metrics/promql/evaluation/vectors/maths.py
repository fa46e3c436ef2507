"""Functions that turn each number into another: abs, ceil, logarithms, trigonometry, clamp, round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, empty_frame

PLAIN: Final[dict[str, Callable[[Floats], Floats]]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": np.degrees,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": np.radians,
    "sgn": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def each_number(frame: Frame, values: Floats, present: Bools | None = None) -> Frame:
    """Give a frame of new numbers at the places of the old; histograms go, names are to be dropped."""
    kept = frame.is_float if present is None else present
    return Frame(frame.labels, values, kept, np.ones_like(frame.drops)).without_empty_rows()


def apply_plain(name: str, frame: Frame) -> Frame:
    """Apply one of `PLAIN`."""
    with np.errstate(all="ignore"):
        return each_number(frame, PLAIN[name](frame.values))


def round_to(frame: Frame, nearest: Floats) -> Frame:
    """Round to multiples of `nearest` (T); ties go up."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest
        return each_number(frame, np.floor(frame.values * inverse + 0.5) / inverse)


def clamp(frame: Frame, lowest: Floats, highest: Floats) -> Frame:
    """Keep numbers between two bounds (T each); nothing where they are the wrong way round."""
    if not len(frame.labels):
        return empty_frame(frame.values.shape[1])
    is_sane = ~(highest < lowest)
    return each_number(frame, _larger(lowest, _smaller(highest, frame.values)), frame.is_float & is_sane)


def _smaller(left: Floats, right: Floats) -> Floats:
    """Give the smaller one, as Go's `math.Min` has it: minus infinity even beside NaN."""
    return np.where(np.isneginf(left) | np.isneginf(right), -np.inf, np.minimum(left, right))


def _larger(left: Floats, right: Floats) -> Floats:
    """Give the larger one, as Go's `math.Max` has it: infinity even beside NaN."""
    return np.where(np.isposinf(left) | np.isposinf(right), np.inf, np.maximum(left, right))
