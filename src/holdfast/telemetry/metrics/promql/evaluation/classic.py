"""Gathers the buckets of classic histograms: series that differ in `le` alone belong together.

Where a native histogram of the same labels has a value at the same step, neither is evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.labels import Labels, name_of, without
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes, of_name
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.quoting import quote

LE: Final = "le"


@dataclass(slots=True)
class Bucketed:
    """The buckets of one classic histogram: B rows of a frame, and their upper bounds."""

    rows: list[int] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HistogramInput:
    """What a function of histograms looks at: classic ones by their labels, and where native ones stand (S x T)."""

    frame: Frame
    classic: dict[Labels, Bucketed]
    natives: Bools

    def buckets(self, found: Bucketed) -> tuple[Floats, Floats, Bools]:
        """Give bounds (B), counts (B x T) and where these are (B x T)."""
        return np.array(found.bounds), self.frame.values[found.rows], self._floats()[found.rows]

    def _floats(self) -> Bools:
        return self.frame.is_float


def read_bound(text: str) -> float | None:
    """Read the value of `le`; None if it is no number."""
    if not text or text != text.strip() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def gather_histograms(frame: Frame, span: Span, notes: Notes) -> HistogramInput:
    """Sort the series of a vector into classic and native histograms."""
    floats, natives = frame.is_float, frame.is_histogram.copy()
    classic: dict[Labels, Bucketed] = {}
    for row, labels in enumerate(frame.labels):
        if not floats[row].any():
            continue
        text = dict(labels).get(LE, "")
        bound = read_bound(text)
        if bound is None:
            what = f'bucket label "le" is missing or has a malformed value of {quote(text)}'
            notes.warn(what + of_name(name_of(labels)), span)
            continue
        found = classic.setdefault(without(labels, LE), Bucketed())
        found.rows.append(row)
        found.bounds.append(bound)
    present = floats.copy()
    _exclude_conflicts(frame, classic, present, natives, (span, notes))
    kept = Frame(frame.labels, frame.values, present | natives, frame.drops, frame.histograms)
    return HistogramInput(kept, classic, natives)


def _exclude_conflicts(
    frame: Frame, classic: dict[Labels, Bucketed], present: Bools, natives: Bools, say: tuple[Span, Notes]
) -> None:
    for row in np.flatnonzero(natives.any(axis=1)).tolist():
        rival = classic.get(frame.labels[row])
        if rival is None:
            continue
        clash = natives[row] & present[rival.rows].any(axis=0)
        if not clash.any():
            continue
        what = "vector contains a mix of classic and native histograms"
        say[1].warn(what + of_name(name_of(frame.labels[row])), say[0])
        natives[row] &= ~clash
        present[rival.rows] &= ~clash


def all_drop(rows: Sequence[object]) -> Bools:
    """Give the flag that the names of all these results are to be dropped."""
    return np.ones(len(rows), dtype=np.bool_)
