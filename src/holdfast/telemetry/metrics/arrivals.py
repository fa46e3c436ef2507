"""What every door of metrics (scrape, remote write, OTLP, push, import) hands to the sink: columns, not objects.

A door asks the sink once for the reference of a series, remembers it by the bytes in which the series was written,
and from then on only appends numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.labels import Labels

REFUSED: Final = -1  # the reference of a series that a limit keeps out; its samples are dropped and counted
STALE_BITS: Final = 0x7FF0000000000002  # the NaN that ends a series, as Prometheus writes it


class HistogramSample(NamedTuple):
    """One native histogram of the series `ref`."""

    ref: int
    ts_ms: int
    histogram: Histogram
    start_ms: int = 0


class Exemplar(NamedTuple):
    """An example behind a sample of the series `ref`; `labels` usually hold `trace_id`."""

    ref: int
    ts_ms: int
    value: float
    labels: Labels


class MetricMetadata(NamedTuple):
    """What is said about all series of one metric family; `type` is the word of OpenMetrics (`counter`, ...)."""

    family: str
    type: str
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in one scrape or one request, of one tenant.

    `refs`, `ts_ms`, `values` are parallel, in any order; `starts_ms`, if given, holds since when a counter counts, 0
    where that is not known. References are valid for the `generation` of the book that gave them.
    Samples for which nobody waits may give `patience_s`: how long the store may gather them with others, instead of its
    own linger.
    """

    generation: int
    refs: npt.NDArray[np.int64]
    ts_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    starts_ms: npt.NDArray[np.int64] | None = None
    histograms: Sequence[HistogramSample] = ()
    exemplars: Sequence[Exemplar] = ()
    metadata: Sequence[MetricMetadata] = ()
    patience_s: float | None = None


@dataclass(frozen=True, slots=True)
class RefusedSeries:
    """New series of one metric that were kept out, all for one reason; `examples` are some of them."""

    metric: str
    origin: str
    reason: str
    count: int
    examples: Sequence[Labels]


class SeriesBook(Protocol):
    """The series of one tenant that this process writes to."""

    @property
    def generation(self) -> int:
        """Changes when idle series were forgotten: whoever remembers references drops them all then."""
        ...

    def ref(self, labels: Labels, *, origin: str) -> int:
        """Give the reference of a series, made known if it is new; `REFUSED` if a limit keeps it out (and counts it).

        `origin` says who sends, such as `scrape:shop/10.0.0.7:8000`, for the limits per sender and the page that shows
        who exploded. Never blocks; nothing is stored before `ArrivalSink.append`.
        """
        ...

    def renumbered(self, refs: npt.NDArray[np.int64], generation: int) -> npt.NDArray[np.int64]:
        """Give what references of a generation are now, without those that mean nothing any more."""
        ...

    def keeps_out(self, metric: str, origin: str) -> str:
        """Give why every new series of a metric from a sender is kept out; empty if some may come in.

        A reason holds as long as the generation.
        """
        ...

    def has(self, identity: int) -> bool:
        """Tell whether a series with this id is known."""
        ...

    def admit(self, labels: Labels, identity: int, origin: str) -> int:
        """Do what `ref` does, with an id that was computed before."""
        ...

    def refuse(self, refused: RefusedSeries) -> None:
        """Count series that were kept out without asking for each."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an arrival; what is not listed here was stored."""

    samples: int = 0
    histograms: int = 0
    exemplars: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # samples by reason: `limit`, `too_old`, ...


class ArrivalSink(Protocol):
    """Where arrivals go; `MetricSink` is the real one, `MemorySink` its twin."""

    def book(self, tenant: TenantId) -> SeriesBook:
        """Give the book of a tenant's series."""
        ...

    async def append(self, tenant: TenantId, arrival: Arrival) -> Written:
        """Store an arrival; when this returns, the store has accepted all that was not refused.

        Raises:
            BusyError, StorageFullError, UnavailableError: nothing of it is acknowledged, the same may be sent again.
            ConflictError: the references are of another generation; ask the book again.
        """
        ...
