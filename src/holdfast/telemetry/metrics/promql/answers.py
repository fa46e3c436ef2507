"""What a query evaluates to, as columns; the HTTP API, rules and the terminal write it out.

`Grid` is also the engine's own working value: one row per series, one column per step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.promql.nodes import ValueType
    from holdfast.telemetry.metrics.selection import SeriesColumns


@dataclass(frozen=True, slots=True)
class Grid:
    """Values of S series at T steps; where `present` is False there is no sample (NaN is a sample).

    Attributes:
        labels: S label sets.
        values: float64, S x T.
        present: bool, S x T.
        histograms: objects (`Histogram` or None), S x T; None when no value is a histogram.
    """

    labels: Sequence[Labels]
    values: npt.NDArray[np.float64]
    present: npt.NDArray[np.bool_]
    histograms: npt.NDArray[np.object_] | None = None


@dataclass(frozen=True, slots=True)
class QueryStats:
    """What a query cost."""

    series: int = 0
    samples: int = 0
    peak_bytes: int = 0
    fetch_s: float = 0.0
    evaluate_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a query.

    `steps_ms` are the T times: one for an instant query; a range query of a scalar gives one series without labels.
    `series` is set instead of `grid` for an instant query of a range selector; `text` for a string. Warnings and infos
    are whole sentences that end with their position, as Prometheus writes them.
    """

    type: ValueType
    steps_ms: npt.NDArray[np.int64]
    grid: Grid | None = None
    series: SeriesColumns | None = None
    text: str | None = None
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    stats: QueryStats = field(default_factory=QueryStats)
