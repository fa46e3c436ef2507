"""What PromQL asks of a store, and what it gets: samples of many series in a few flat columns.

`MetricSource` answers from the engine, `MemorySource` (tests, rule tests, backtests) from lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.samples import Matcher


@dataclass(frozen=True, slots=True)
class Selection:
    """One selector's wish: series that match all of `matchers`, samples in (start_ms, end_ms].

    The rest are hints, by which a source may answer with coarser samples or fewer series: the step and range of the
    query (0 for an instant one), and the function or aggregation right around the selector (`rate`, `max_over_time`),
    with `anchored` or `smoothed` after it where the selector says so.
    """

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    step_ms: int = 0
    range_ms: int = 0
    function: str = ""
    needs_starts: bool = False


@dataclass(frozen=True, slots=True)
class SeriesColumns:
    """Samples of S series: those of series `i` are `offsets[i]` to `offsets[i + 1]` of the flat columns, by time.

    Attributes:
        labels: S label sets, each once, in any order.
        offsets: int64, S + 1.
        ts_ms: int64, N; ascending within a series, each once.
        values: float64, N; the stale marker is among them (`STALE_BITS`), 0.0 where a histogram stands.
        histograms: N objects, a `Histogram` or None; None when the selection has no histogram at all.
        starts_ms: int64, N: since when a counter counts, 0 if unknown; None if nobody asked or nothing is known.
        weights: float64, N: how many raw samples each one stands for; None for raw samples. A source sets it only for
            functions that know what to do with it (`count_over_time`, `avg_over_time`, `rate`, `increase`, `delta`).
        clocks: int32, S: series with the same number have the very same timestamps; None if that is not known. Whoever
            knows it gives no series without samples.
    """

    labels: Sequence[Labels]
    offsets: npt.NDArray[np.int64]
    ts_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    histograms: npt.NDArray[np.object_] | None = None
    starts_ms: npt.NDArray[np.int64] | None = None
    weights: npt.NDArray[np.float64] | None = None
    clocks: npt.NDArray[np.int32] | None = None


@dataclass(frozen=True, slots=True)
class SelectionLimits:
    """What one query may fetch in all; over it the source raises `LimitError` naming limit, selector and cost."""

    max_series: int = 1_000_000
    max_samples: int = 50_000_000


class SampleSource(Protocol):
    """Where PromQL gets its samples."""

    async def select(
        self, tenant: TenantId, selections: Sequence[Selection], limits: SelectionLimits | None = None
    ) -> list[SeriesColumns]:
        """Answer each selection, in order.

        Raises:
            LimitError: more series or samples than the limits allow.
            TimedOutError, BusyError, UnavailableError: as the store says.
        """
        ...
