"""Functions of the calendar: what day, hour, month a number of seconds since 1970 falls on, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.promql.evaluation.arrays import Floats

Seconds = npt.NDArray[np.datetime64]
FURTHEST_S: Final = 2**53  # beyond, years do not fit; nobody means them


def _number(span: npt.NDArray[Any]) -> Floats:
    return np.asarray(span.astype(np.int64), dtype=np.float64)


def _since(part: str, whole: str) -> Callable[[Seconds], Floats]:
    def count(moments: Seconds) -> Floats:
        fine, coarse = moments.astype(f"datetime64[{part}]"), moments.astype(f"datetime64[{whole}]")
        return _number(fine - coarse.astype(f"datetime64[{part}]"))

    return count


def _days_in_month(moments: Seconds) -> Floats:
    month = moments.astype("datetime64[M]")
    begin, end = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    return _number(end - begin)


def _day_of_week(moments: Seconds) -> Floats:
    days = moments.astype("datetime64[D]").astype(np.int64)
    return ((days + 4) % 7).astype(np.float64)  # 1970 began on a Thursday; Sunday is 0


PARTS: Final[dict[str, Callable[[Seconds], Floats]]] = {
    "minute": _since("m", "h"),
    "hour": _since("h", "D"),
    "day_of_week": _day_of_week,
    "day_of_month": lambda moments: np.add(_since("D", "M")(moments), 1),
    "day_of_year": lambda moments: _since("D", "Y")(moments) + 1,
    "days_in_month": _days_in_month,
    "month": lambda moments: _since("M", "Y")(moments) + 1,
    "year": lambda moments: _number(moments.astype("datetime64[Y]")) + 1970,
}


def read_calendar(name: str, seconds: Floats) -> Floats:
    """Apply one of `PARTS` to seconds since 1970; fractions are cut off, as Go converts to an integer."""
    usable = np.where(np.isfinite(seconds), np.clip(seconds, -FURTHEST_S, FURTHEST_S), 0.0)
    return PARTS[name](np.trunc(usable).astype(np.int64).astype("datetime64[s]"))
