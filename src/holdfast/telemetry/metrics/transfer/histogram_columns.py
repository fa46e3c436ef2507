"""Native histograms as one column of Parquet: a struct of the fields of `Histogram`, null beside a plain value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeGuard

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

COLUMN: Final = "histogram"
_NUMBERS: Final = ("count", "sum", "zero_threshold", "zero_count")


def column_type() -> pa.DataType:
    """Give the type of the column."""
    import pyarrow as pa  # noqa: PLC0415 -- loads slowly

    counts = pa.list_(pa.float64())
    side = pa.struct([("first", pa.int32()), ("counts", counts)])
    numbers = [(name, pa.float64()) for name in _NUMBERS]
    rest = [("positive", side), ("negative", side), ("custom_values", counts), ("hint", pa.string())]
    return pa.struct([("schema", pa.int32()), *numbers, *rest])


def write_histogram(histogram: Histogram) -> dict[str, Any]:
    """Give what stands in the column."""
    sides = {
        name: {"first": side.first, "counts": list(side.counts)}
        for name, side in (("positive", histogram.positive), ("negative", histogram.negative))
    }
    numbers = {name: getattr(histogram, name) for name in _NUMBERS}
    custom = {"custom_values": list(histogram.custom_values), "hint": str(histogram.hint)}
    return {"schema": histogram.schema, **numbers, **sides, **custom}


def is_histogram(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a struct is one of these, and not labels that somebody calls so."""
    return isinstance(value, dict) and {"schema", "positive", *_NUMBERS} <= value.keys()


def read_histogram(held: Mapping[str, Any]) -> Histogram:
    """Give the histogram; whether it contradicts itself is the server's to tell.

    Raises:
        ValueError: a field of it is missing, or has another type.
    """
    try:
        return Histogram(
            schema=int(held["schema"]),
            positive=_read_side(held["positive"]),
            negative=_read_side(held.get("negative")),
            custom_values=tuple(map(float, held.get("custom_values") or ())),
            hint=ResetHint(held.get("hint") or ResetHint.UNKNOWN),
            **{name: float(held[name]) for name in _NUMBERS},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the histogram cannot be read: {error}") from None


def _read_side(held: Mapping[str, Any] | None) -> Buckets:
    return Buckets(int(held["first"]), tuple(map(float, held["counts"]))) if held else Buckets()
