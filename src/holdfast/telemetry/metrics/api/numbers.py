"""Sample values and times in JSON: values as strings the way Go prints them, times as seconds with milliseconds.

Written by the column, because a range query gives millions of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson

if TYPE_CHECKING:
    import numpy.typing as npt

_PLAIN_FROM: Final = 1e-5  # between these bounds the shortest digits of orjson are written without an exponent
_PLAIN_TO: Final = 1e16
_EXPONENT_FROM: Final = 1e21  # from here on, and below 1e-6, Prometheus writes an exponent
_EXPONENT_BELOW: Final = 1e-6


def write_value(value: float) -> str:
    """Write one value."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    if size and not _EXPONENT_BELOW <= size < _EXPONENT_FROM:
        digits, _, exponent = repr(value).partition("e")
        return f"{digits.removesuffix('.0')}e{int(exponent):+03d}" if exponent else f"{value:e}"
    text = np.format_float_positional(value, trim="-")
    return "0" if text == "-0" and not math.copysign(1.0, value) < 0 else text


def write_values(values: npt.NDArray[np.float64]) -> list[bytes]:
    """Write many values, without quotes."""
    if not values.size:
        return []
    text: bytes = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    tokens = (text[1:-1] + b",").replace(b".0,", b",").split(b",")
    tokens.pop()
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        odd = ~((size >= _PLAIN_FROM) & (size < _PLAIN_TO)) & (values != 0)
    for index in np.flatnonzero(odd):
        tokens[index] = write_value(float(values[index])).encode()
    return tokens


def write_times(ts_ms: npt.NDArray[np.int64]) -> list[bytes]:
    """Write many times."""
    return [write_time(at) for at in ts_ms.tolist()]


def write_time(ts_ms: int) -> bytes:
    """Write one time: whole seconds without a point, else with three digits behind it."""
    seconds, rest = divmod(abs(ts_ms), 1000)
    sign = b"-" if ts_ms < 0 else b""
    return b"%s%d.%03d" % (sign, seconds, rest) if rest else b"%s%d" % (sign, seconds)
