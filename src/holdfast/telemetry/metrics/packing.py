"""Native histograms as columns, the form in which the store keeps them, and back.

One entry per histogram in every column; nothing is lost, not even the payload of a NaN. Tables are `tables`' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypedDict

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint

HINT_CODES: Final = {ResetHint.UNKNOWN: 0, ResetHint.RESET: 1, ResetHint.NOT_RESET: 2, ResetHint.GAUGE: 3}
"""The numbers of hints; those of `Histogram.ResetHint` in Prometheus' protocols (prompb/types.proto)."""
HINTS: Final = tuple(HINT_CODES)


class PackedHistograms(TypedDict):
    """Columns of the same length; the lists are what Arrow's `list(float64)` is built from."""

    schema: npt.NDArray[np.int8]
    count: npt.NDArray[np.float64]
    sum: npt.NDArray[np.float64]
    zero_threshold: npt.NDArray[np.float64]
    zero_count: npt.NDArray[np.float64]
    pos_first: npt.NDArray[np.int32]
    pos_counts: list[Sequence[float]]
    neg_first: npt.NDArray[np.int32]
    neg_counts: list[Sequence[float]]
    custom_values: list[Sequence[float]]
    hint: npt.NDArray[np.int8]


def pack(histograms: Sequence[Histogram]) -> PackedHistograms:
    """Give the columns of the histograms, in their order."""

    def floats(values: Iterable[float]) -> npt.NDArray[np.float64]:
        return np.fromiter(values, np.float64, len(histograms))

    return PackedHistograms(
        schema=np.fromiter((h.schema for h in histograms), np.int8, len(histograms)),
        count=floats(h.count for h in histograms),
        sum=floats(h.sum for h in histograms),
        zero_threshold=floats(h.zero_threshold for h in histograms),
        zero_count=floats(h.zero_count for h in histograms),
        pos_first=np.fromiter((h.positive.first for h in histograms), np.int32, len(histograms)),
        pos_counts=[h.positive.counts for h in histograms],
        neg_first=np.fromiter((h.negative.first for h in histograms), np.int32, len(histograms)),
        neg_counts=[h.negative.counts for h in histograms],
        custom_values=[h.custom_values for h in histograms],
        hint=np.fromiter((HINT_CODES[h.hint] for h in histograms), np.int8, len(histograms)),
    )


def unpack(columns: Mapping[str, Sequence[object] | npt.NDArray[np.generic]] | PackedHistograms) -> list[Histogram]:
    """Give the histograms of columns as `pack` names them; each may be an array of numpy or a list (`to_pylist`)."""
    named = {name: _plain(column) for name, column in columns.items()}
    bounds: dict[tuple[float, ...], tuple[float, ...]] = {}  # bounds repeat in every sample of a series: keep one
    histograms = []
    for values in zip(*(named[name] for name in PackedHistograms.__annotations__), strict=True):
        schema, count, total, threshold, zero, pos_first, pos_counts, neg_first, neg_counts, custom, hint = values
        own_bounds = tuple(custom)
        histograms.append(
            Histogram(
                schema=schema,
                count=count,
                sum=total,
                zero_threshold=threshold,
                zero_count=zero,
                positive=Buckets(pos_first, tuple(pos_counts)),
                negative=Buckets(neg_first, tuple(neg_counts)),
                custom_values=bounds.setdefault(own_bounds, own_bounds),
                hint=HINTS[hint],
            )
        )
    return histograms


def _plain(column: object) -> Sequence[object]:
    """Give Python's own numbers: those of numpy are slower one by one and print differently."""
    plain: Sequence[object] = column.tolist() if isinstance(column, np.ndarray) else column  # type: ignore[assignment]  # a sequence, as declared
    return plain
