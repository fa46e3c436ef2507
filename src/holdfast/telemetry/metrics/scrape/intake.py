"""From the pages of one target to columns of samples: known pages by their template, others by the strict parser.

Remembers for each series the reference that the book gave, by the bytes in which the target writes it. Knows nothing of
HTTP and of when to scrape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.arrivals import REFUSED, Exemplar, HistogramSample, MetricMetadata
from holdfast.telemetry.metrics.exposition import (
    Page,
    PageExemplar,
    PageSample,
    Protocol,
    Template,
    make_template,
    parse_page,
)
from holdfast.telemetry.metrics.scrape.native_limits import within_limits

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.arrivals import SeriesBook
    from holdfast.telemetry.metrics.scrape.config import ScrapeJob
    from holdfast.telemetry.metrics.scrape.sample_labels import SampleLabels

DROPPED: Final = -2  # what relabelling throws away
_ASK_AGAIN: Final = 20  # pages after which a refused series is asked for again
_NO_REFS: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one page came to.

    Attributes:
        exposed: samples on the page.
        tracked: the references that are missed when the next page does not have them.
        added: series that the page before did not have.
    """

    refs: npt.NDArray[np.int64]
    ts_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    starts_ms: npt.NDArray[np.int64] | None
    histograms: tuple[HistogramSample, ...]
    exemplars: tuple[Exemplar, ...]
    metadata: tuple[MetricMetadata, ...]
    exposed: int
    tracked: npt.NDArray[np.int64]
    added: int

    @property
    def kept(self) -> int:
        """Count the samples after relabelling."""
        return len(self.refs) + len(self.histograms)


@dataclass(frozen=True, slots=True)
class _Known:
    """A page whose series are known: its template, and what each value of it is."""

    template: Template
    protocol: Protocol
    kept: npt.NDArray[np.int64]
    refs: npt.NDArray[np.int64]
    all_refs: npt.NDArray[np.int64]
    created: npt.NDArray[np.int64] | None
    tracked: npt.NDArray[np.int64]
    exposed: int


class Intake:
    """One target's pages, one after the other."""

    def __init__(self, job: ScrapeJob, labels: SampleLabels, book: SeriesBook, origin: str) -> None:
        self._job = job
        self._labels = labels
        self._book = book
        self._origin = origin
        self._generation = book.generation
        self._refs: dict[bytes, int] = {}
        self._known: _Known | None = None
        self._since_asked = 0
        self.metadata: tuple[MetricMetadata, ...] = ()
        self.tracked: npt.NDArray[np.int64] = _NO_REFS

    @property
    def generation(self) -> int:
        """The generation of the book that the references are of."""
        return self._generation

    def forget(self) -> None:
        """Drop all references: the book has a new generation."""
        self._generation = self._book.generation
        self._refs.clear()
        self._known = None
        self.tracked = _NO_REFS

    def lost(self) -> npt.NDArray[np.int64]:
        """Give the series that the target had until now, and forget that it had them: the scrape failed."""
        tracked, self.tracked = self.tracked, _NO_REFS
        return tracked

    def take_known(self, page: bytes, protocol: Protocol, now_ms: int) -> Taken | None:
        """Read a page whose series are those of the page before; None if they are not."""
        known = self._known
        if known is None or known.protocol is not protocol or self._generation != self._book.generation:
            return None
        self._since_asked += 1
        if self._since_asked >= _ASK_AGAIN and (known.refs == REFUSED).any():
            return None
        reading = known.template.read(page)
        if reading is None:
            return None
        times = np.full(len(known.refs), now_ms, np.int64)
        if reading.ts_ms is not None and self._job.honor_timestamps:
            own = reading.ts_ms[known.kept]
            times = np.where(own != 0, own, times)
        starts = None
        if known.created is not None:
            values = np.append(reading.values, 0.0)  # the index -1 stands for no start
            starts = (values[known.created] * 1000).astype(np.int64)
        exemplars = [
            _exemplar(int(known.all_refs[index]), now_ms, found)
            for index, found in reading.exemplars
            if known.all_refs[index] >= 0
        ]
        added = len(known.tracked) if self.tracked is not known.tracked else 0
        self.tracked = known.tracked
        return Taken(
            known.refs,
            times,
            reading.values[known.kept],
            starts,
            (),
            tuple(exemplars),
            (),
            known.exposed,
            known.tracked,
            added,
        )

    def parse(self, page: bytes, protocol: Protocol) -> Page:
        """Parse a page strictly; touches nothing of this, so it may run in a thread."""
        reading = self._job.reading
        return parse_page(page, protocol, is_native=reading.is_native, is_classic_too=reading.is_classic_too)

    def take_parsed(self, page: bytes, parsed: Page, protocol: Protocol, now_ms: int) -> Taken:
        """Take a page that was parsed strictly, and remember it for the next time.

        Raises:
            LimitError: a limit of the job is passed; nothing of the page counts.
            ExpositionError: relabelling leaves a sample without a name.
        """
        if self._generation != self._book.generation:
            self.forget()
        if self._since_asked >= _ASK_AGAIN:
            self._refs = {series: ref for series, ref in self._refs.items() if ref != REFUSED}
            self._since_asked = 0
        samples = self._own(parsed)
        refs = [self._ref(sample) for sample in samples]
        taken = self._collected(samples, refs, now_ms)
        limit = self._job.limits.samples
        if limit and taken.kept > limit:
            raise LimitError(f"sample_limit exceeded: {taken.kept} samples, the limit is {limit}")
        self.tracked = taken.tracked
        self._remember(page, parsed, protocol, samples, refs)
        return taken

    def _own(self, parsed: Page) -> list[PageSample]:
        """Give the samples that are series: starts are what others know of themselves, a second one is passed over."""
        created = {sample.created for sample in parsed.samples()} - {0}
        found: dict[bytes, PageSample] = {}
        for sample in parsed.samples():
            if sample.line not in created or not sample.line:
                found.setdefault(
                    sample.series if sample.ts_ms is None else sample.series + b"\0%d" % sample.ts_ms, sample
                )
        return list(found.values())

    def _ref(self, sample: PageSample) -> int:
        ref = self._refs.get(sample.series)
        if ref is None:
            labels = self._labels.of(sample.labels)
            ref = DROPPED if labels is None else self._book.ref(labels, origin=self._origin)
            self._refs[sample.series] = ref
        return ref

    def _collected(self, samples: list[PageSample], refs: list[int], now_ms: int) -> Taken:
        honors = self._job.honor_timestamps
        kept = [(s, ref) for s, ref in zip(samples, refs, strict=True) if ref != DROPPED]
        floats = [(s, ref) for s, ref in kept if s.histogram is None]
        natives = [
            HistogramSample(
                ref, _time(s, now_ms, honors=honors), within_limits(s.histogram, self._job.limits), s.start_ms
            )
            for s, ref in kept
            if s.histogram is not None
        ]
        exemplars = [
            _exemplar(ref, _time(s, now_ms, honors=honors), found)
            for s, ref in kept
            if ref >= 0
            for found in ((s.exemplar,) if s.exemplar is not None else s.exemplars)
        ]
        tracked = self._tracked(samples, refs)
        starts = np.array([s.start_ms for s, _ in floats], np.int64)
        return Taken(
            np.array([ref for _, ref in floats], np.int64),
            np.array([_time(s, now_ms, honors=honors) for s, _ in floats], np.int64),
            np.array([s.value for s, _ in floats], np.float64),
            starts if starts.any() else None,
            tuple(natives),
            tuple(exemplars),
            (),
            len(samples),
            tracked,
            len(np.setdiff1d(tracked, self.tracked, assume_unique=True)),
        )

    def _tracked(self, samples: list[PageSample], refs: list[int]) -> npt.NDArray[np.int64]:
        """Give the series whose absence will mean their end; one with its own timestamps only if the job says so."""
        is_all = self._job.tracks_timestamp_staleness or not self._job.honor_timestamps
        found = [ref for s, ref in zip(samples, refs, strict=True) if ref >= 0 and (is_all or s.ts_ms is None)]
        return np.unique(np.array(found, np.int64))

    def _remember(
        self, page: bytes, parsed: Page, protocol: Protocol, samples: list[PageSample], refs: list[int]
    ) -> None:
        self._known = None
        if len(self._refs) > 2 * len(samples):  # series that are gone are forgotten
            self._refs = {sample.series: ref for sample, ref in zip(samples, refs, strict=True)}
        self.metadata = tuple(
            MetricMetadata(family.name, family.type, family.help, family.unit) for family in parsed.families
        )
        made = None
        if protocol is not Protocol.PROTOBUF:
            made = make_template(page, parsed, is_openmetrics=protocol.is_openmetrics)
        if made is None:
            return
        template, in_order = made
        by_line = {sample.line: ref for sample, ref in zip(samples, refs, strict=True)}
        all_refs = np.array([by_line.get(sample.line, DROPPED) for sample in in_order], np.int64)
        kept = np.flatnonzero(all_refs != DROPPED)
        index = {sample.line: number for number, sample in enumerate(in_order)}
        created = np.array([index.get(in_order[number].created, -1) for number in kept], np.int64)
        self._known = _Known(
            template,
            protocol,
            kept,
            all_refs[kept],
            all_refs,
            created if (created >= 0).any() else None,
            self.tracked,
            len(samples),
        )


def _time(sample: PageSample, now_ms: int, *, honors: bool) -> int:
    return sample.ts_ms if honors and sample.ts_ms is not None else now_ms


def _exemplar(ref: int, now_ms: int, found: PageExemplar) -> Exemplar:
    return Exemplar(ref, found.ts_ms if found.ts_ms is not None else now_ms, found.value, found.labels)
