"""The in-memory twins of the store: samples go into lists by `MemorySink` and come out of them by `MemorySource`.

For tests, unit tests of rules and backtests. Refuses nothing but what cannot be answered, keeps everything until
`clear`, and is no place for a server's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.kernel.errors import ConflictError, LimitError
from holdfast.telemetry.metrics.arrivals import REFUSED, Arrival, Written
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.matching import chosen
from holdfast.telemetry.metrics.promql.histograms import settle_hints
from holdfast.telemetry.metrics.samples import MatchOp
from holdfast.telemetry.metrics.selection import Selection, SelectionLimits, SeriesColumns
from holdfast.telemetry.metrics.series import series_id

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import Exemplar, MetricMetadata, RefusedSeries
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.samples import Matcher

_NO_LIMITS: Final = SelectionLimits(2**62, 2**62)


class Kept(NamedTuple):
    """One sample as it is kept."""

    ts_ms: int
    value: float
    histogram: Histogram | None
    start_ms: int


class _Samples:
    """The samples of one series, each time once; what comes later for the same time wins."""

    __slots__ = ("_by_time", "_sorted")

    def __init__(self) -> None:
        self._by_time: dict[int, Kept] = {}
        self._sorted: list[Kept] | None = None

    def add(self, sample: Kept) -> None:
        self._by_time[sample.ts_ms] = sample
        self._sorted = None

    def between(self, start_ms: int, end_ms: int) -> list[Kept]:
        if self._sorted is None:
            self._sorted = _with_settled_hints([self._by_time[ts_ms] for ts_ms in sorted(self._by_time)])
        return [sample for sample in self._sorted if start_ms < sample.ts_ms <= end_ms]


def _with_settled_hints(samples: list[Kept]) -> list[Kept]:
    """Give histograms the hints that a store would give them."""
    hinted = settle_hints([sample.histogram for sample in samples])
    return [
        sample if histogram is sample.histogram else sample._replace(histogram=histogram)
        for sample, histogram in zip(samples, hinted, strict=True)
    ]


class _Tenant:
    """The series of one tenant, by label set, and by name for the selectors that know it."""

    def __init__(self) -> None:
        self.series: dict[Labels, _Samples] = {}
        self.by_name: dict[str, list[Labels]] = {}
        self.exemplars: list[tuple[Labels, Exemplar]] = []
        self.metadata: dict[MetricMetadata, None] = {}

    def samples_of(self, labels: Labels) -> _Samples:
        known = self.series.get(labels)
        if known is None:
            known = self.series[labels] = _Samples()
            name = next((value for label, value in labels if label == METRIC_NAME), "")
            self.by_name.setdefault(name, []).append(labels)
        return known

    def matching(self, matchers: Sequence[Matcher]) -> list[Labels]:
        names = [each.value for each in matchers if each.label == METRIC_NAME and each.op is MatchOp.EQUAL]
        candidates = self.by_name.get(names[0], []) if names else list(self.series)
        return [candidates[place] for place in chosen(candidates, matchers)]


class MemorySource:
    """Samples of many tenants; implements `SampleSource`."""

    def __init__(self) -> None:
        self._tenants: dict[TenantId, _Tenant] = {}

    def add(
        self, tenant: TenantId, labels: Labels, samples: Iterable[tuple[int, float | Histogram]], *, start_ms: int = 0
    ) -> None:
        """Put samples, (time in ms, value), into a series; a value for a time that has one replaces it."""
        series = self.tenant(tenant).samples_of(labels)
        for ts_ms, value in samples:
            histogram = value if isinstance(value, Histogram) else None
            series.add(Kept(ts_ms, 0.0 if isinstance(value, Histogram) else value, histogram, start_ms))

    def clear(self, tenant: TenantId) -> None:
        """Forget what a tenant has."""
        self._tenants.pop(tenant, None)

    def tenant(self, tenant: TenantId) -> _Tenant:
        """Give the tenant's lists; for the twins that stand beside this one."""
        return self._tenants.setdefault(tenant, _Tenant())

    async def select(
        self, tenant: TenantId, selections: Sequence[Selection], limits: SelectionLimits | None = None
    ) -> list[SeriesColumns]:
        """Answer each selection, in order.

        Raises:
            LimitError: more series or samples than the limits allow.
        """
        bound = limits or _NO_LIMITS
        series = samples = 0
        answers = []
        for selection in selections:
            answer = _columns(self.tenant(tenant), selection)
            series, samples = series + len(answer.labels), samples + len(answer.ts_ms)
            _check("series", series, bound.max_series, selection)
            _check("samples", samples, bound.max_samples, selection)
            answers.append(answer)
        return answers


class MemoryBook:
    """The series of one tenant that a `MemorySink` writes to; implements `SeriesBook`."""

    def __init__(self, max_series: int) -> None:
        self.generation = 1
        self.labels: list[Labels] = []
        self.origins: list[str] = []
        self._refs: dict[Labels, int] = {}
        self._max_series = max_series

    def ref(self, labels: Labels, *, origin: str) -> int:
        """Give the reference of a series, made known if it is new; `REFUSED` over the limit."""
        known = self._refs.get(labels)
        if known is not None:
            return known
        if self.keeps_out("", origin):
            return REFUSED
        self._refs[labels] = len(self.labels)
        self.labels.append(labels)
        self.origins.append(origin)
        return len(self.labels) - 1

    def renumbered(self, refs: npt.NDArray[np.int64], generation: int) -> npt.NDArray[np.int64]:
        """Give the references as they are, or none of another generation."""
        return refs if generation == self.generation else refs[:0]

    def keeps_out(self, metric: str, origin: str) -> str:
        """Give `max_series` when there are as many."""
        del metric, origin
        return "max_series" if len(self.labels) >= self._max_series else ""

    def has(self, identity: int) -> bool:
        """Tell whether a series with this id is known."""
        return any(series_id(labels) == identity for labels in self.labels)

    def admit(self, labels: Labels, identity: int, origin: str) -> int:
        """Do what `ref` does."""
        del identity
        return self.ref(labels, origin=origin)

    def refuse(self, refused: RefusedSeries) -> None:
        """Count nothing."""

    def forget(self) -> None:
        """Drop all references, as the store does with series that are idle."""
        self.generation += 1
        self.labels, self.origins, self._refs = [], [], {}


class MemorySink:
    """Writes arrivals into a `MemorySource`; implements `ArrivalSink`. `max_series` is per tenant."""

    def __init__(self, source: MemorySource, *, max_series: int = 2**62) -> None:
        self.source = source
        self._max_series = max_series
        self._books: dict[TenantId, MemoryBook] = {}

    def book(self, tenant: TenantId) -> MemoryBook:
        """Give the book of a tenant's series."""
        return self._books.setdefault(tenant, MemoryBook(self._max_series))

    async def append(self, tenant: TenantId, arrival: Arrival) -> Written:
        """Keep an arrival.

        Raises:
            ConflictError: the references are of another generation; ask the book again.
        """
        book, kept = self.book(tenant), self.source.tenant(tenant)
        if arrival.generation != book.generation:
            message = f"references of generation {arrival.generation}, the book is at {book.generation}"
            raise ConflictError(message, hint="ask the book for the references again")
        refused = 0
        starts = arrival.starts_ms if arrival.starts_ms is not None else np.zeros(len(arrival.refs), np.int64)
        floats = zip(
            arrival.refs.tolist(), arrival.ts_ms.tolist(), arrival.values.tolist(), starts.tolist(), strict=True
        )
        histograms = ((each.ref, each.ts_ms, each.histogram, each.start_ms) for each in arrival.histograms)
        for ref, ts_ms, value, start_ms in chain[tuple[int, int, float | Histogram, int]](floats, histograms):
            if ref == REFUSED:
                refused += 1
            else:
                self.source.add(tenant, book.labels[ref], ((ts_ms, value),), start_ms=start_ms)
        exemplars = [(book.labels[each.ref], each) for each in arrival.exemplars if each.ref != REFUSED]
        kept.exemplars += exemplars
        kept.metadata |= dict.fromkeys(arrival.metadata)
        return Written(
            int(np.count_nonzero(arrival.refs != REFUSED)),
            sum(each.ref != REFUSED for each in arrival.histograms),
            len(exemplars),
            {"limit": refused} if refused else {},
        )


def _columns(tenant: _Tenant, selection: Selection) -> SeriesColumns:
    found = [
        (labels, samples)
        for labels in tenant.matching(selection.matchers)
        if (samples := tenant.series[labels].between(selection.start_ms, selection.end_ms))
    ]
    flat = [sample for _, samples in found for sample in samples]
    histograms = None
    if any(sample.histogram is not None for sample in flat):
        histograms = np.empty(len(flat), dtype=np.object_)
        histograms[:] = [sample.histogram for sample in flat]
    has_starts = selection.needs_starts and any(sample.start_ms for sample in flat)
    return SeriesColumns(
        [labels for labels, _ in found],
        np.cumsum([0, *(len(samples) for _, samples in found)], dtype=np.int64),
        np.array([sample.ts_ms for sample in flat], dtype=np.int64),
        np.array([sample.value for sample in flat], dtype=np.float64),
        histograms,
        np.array([sample.start_ms for sample in flat], dtype=np.int64) if has_starts else None,
    )


def _check(what: str, cost: int, limit: int, selection: Selection) -> None:
    if cost > limit:
        selector = ", ".join(f'{each.label}{each.op}"{each.value}"' for each in selection.matchers)
        message = f"the query needs more than {limit} {what} (max_{what}): {{{selector}}} brings them to {cost}"
        raise LimitError(message, hint="narrow the selector, or shorten the time range")
