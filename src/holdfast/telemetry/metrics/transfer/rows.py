"""What every file of samples comes down to: rows, and what is said about families, each with the place behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import MetricMetadata
    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.labels import Labels

MOST_LINE: Final = 1_000_000  # bytes of a line, or letters of a row; one that is longer has no end, perhaps
_MOST_MS: Final = 253_402_300_799_999  # the end of the year 9999


def whole_ms(value: Any, *, in_seconds: bool) -> int:
    """Give a timestamp in milliseconds.

    Raises:
        ValueError: it is no number, or beyond the year 9999, as milliseconds are that are taken for seconds.
    """
    try:
        ts_ms = round(float(_plain(value)) * 1000) if in_seconds else int(_plain(value))
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{_shown(value)} is no timestamp") from None
    if abs(ts_ms) > _MOST_MS:
        raise ValueError(f"the timestamp {_shown(value)} is beyond the year 9999; is it in milliseconds?")
    return ts_ms


def number(value: Any) -> float:
    """Give the value of a sample; raises `ValueError` where it is none."""
    try:
        return float(_plain(value))
    except (ValueError, TypeError):
        raise ValueError(f"{_shown(value)} is no number") from None


def _plain(value: Any) -> Any:
    """Give the value; text that only Python takes for a number, such as `1_0`, is none."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(text, str) and ("_" in text or not text.isascii()):
        raise ValueError
    return value


def _shown(value: Any) -> str:
    return repr(value.decode(errors="replace") if isinstance(value, bytes) else value)[:100]


class RowExemplar(NamedTuple):
    """An example behind a sample."""

    labels: Labels
    value: float
    ts_ms: int


class Row(NamedTuple):
    """One sample; reading on from `position` gives the next one. `start_ms` is since when it counts, 0 if unknown.

    A native histogram stands in the place of the value.
    """

    labels: Labels
    ts_ms: int
    value: float
    position: int
    metadata: MetricMetadata | None = None
    start_ms: int = 0
    exemplar: RowExemplar | None = None
    histogram: Histogram | None = None
