"""The values that nodes of a query evaluate to: `Frame` for vectors, `Scalars` for scalars, `str` for strings.

A frame carries for each series whether its name is still to be dropped: that happens at the very end of a query, so
that `label_replace` and grouping can use names before they go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Objects, filled

METADATA_LABELS: Final = ("__name__", "__type__", "__unit__")
SAME_LABELSET: Final = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True)
class Scalars:
    """A scalar at each of T moments."""

    values: Floats

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.values.nbytes


@dataclass(frozen=True, slots=True)
class Frame:
    """A vector at each of T moments: S series.

    Attributes:
        labels: S label sets, names included; may repeat where names are still to be dropped.
        values: float64, S x T; meaningless where nothing is present or a histogram stands.
        present: bool, S x T.
        drops: bool, S: the metadata labels of this series go at the end.
        histograms: objects, S x T, None where there is no histogram; None as a whole where there is none at all.
    """

    labels: Sequence[Labels]
    values: Floats
    present: Bools
    drops: Bools
    histograms: Objects | None = None

    @property
    def nbytes(self) -> int:
        """Memory held, without what histograms hold themselves."""
        held = self.histograms.nbytes if self.histograms is not None else 0
        return self.values.nbytes + self.present.nbytes + held

    @property
    def is_histogram(self) -> Bools:
        """Tell where histograms stand, S x T."""
        if self.histograms is None:
            return np.zeros(self.values.shape, dtype=np.bool_)
        return filled(self.histograms) & self.present

    @property
    def is_float(self) -> Bools:
        """Tell where floats stand, S x T."""
        return self.present if self.histograms is None else self.present & ~self.is_histogram

    def take(self, rows: Sequence[int] | np.ndarray) -> Frame:
        """Give these rows only, in this order."""
        index = np.asarray(rows, dtype=np.int64)
        return Frame(
            [self.labels[i] for i in index.tolist()],
            self.values.take(index, axis=0),
            self.present.take(index, axis=0),
            self.drops.take(index),
            None if self.histograms is None else self.histograms.take(index, axis=0),
        )

    def without_empty_rows(self) -> Frame:
        """Give the frame without series that have no value at any moment."""
        alive = self.present.any(axis=1)
        frame = self if alive.all() else self.take(np.flatnonzero(alive))
        if frame.histograms is not None and not frame.is_histogram.any():
            frame = replace(frame, histograms=None)
        return frame


def empty_frame(steps: int) -> Frame:
    """Give a vector without series."""
    return Frame([], np.zeros((0, steps)), np.zeros((0, steps), dtype=np.bool_), np.zeros(0, dtype=np.bool_))


def float_frame(labels: Sequence[Labels], values: Floats, present: Bools, drops: Bools) -> Frame:
    """Give a frame of floats, without rows that are empty."""
    return Frame(labels, values, present, drops).without_empty_rows()


def drop_metadata(labels: Labels) -> Labels:
    """Give the labels without name, type and unit."""
    if labels and labels[0][0] == METRIC_NAME and (len(labels) == 1 or not labels[1][0].startswith("__")):
        return labels[1:]
    return tuple(pair for pair in labels if pair[0] not in METADATA_LABELS)


def merge_same(frame: Frame) -> Frame:
    """Give the frame with one row per label set.

    Raises:
        QueryExecutionError: two series of the same label set have a value at the same moment.
    """
    if len(set(frame.labels)) == len(frame.labels):
        return frame
    rows: dict[Labels, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        rows.setdefault(labels, []).append(row)
    merged = frame.take([group[0] for group in rows.values()])
    for target, group in enumerate(rows.values()):
        for row in group[1:]:
            mask = frame.present[row]
            if (merged.present[target] & mask).any():
                raise QueryExecutionError(SAME_LABELSET)
            merged.values[target][mask] = frame.values[row][mask]
            merged.present[target] |= mask
            merged.drops[target] |= frame.drops[row]
            if merged.histograms is not None and frame.histograms is not None:
                merged.histograms[target][mask] = frame.histograms[row][mask]
    return merged


def drop_names(frame: Frame) -> Frame:
    """Drop the names that are still to be dropped, at the end of a query.

    Raises:
        QueryExecutionError: as `merge_same`.
    """
    if not frame.drops.any():
        return merge_same(frame)
    labels = [
        drop_metadata(labels) if drop else labels
        for labels, drop in zip(frame.labels, frame.drops.tolist(), strict=True)
    ]
    return merge_same(replace(frame, labels=labels))
