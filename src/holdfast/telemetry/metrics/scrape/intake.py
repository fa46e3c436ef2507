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
    PageSample,
    Protocol,
    make_template,
    parse_page,
)
from holdfast.telemetry.metrics.scrape.fresh_exemplars import FreshExemplars
from holdfast.telemetry.metrics.scrape.known_page import DROPPED, KnownPage
from holdfast.telemetry.metrics.scrape.ladders import Ladder, converted, in_order
from holdfast.telemetry.metrics.scrape.native_limits import within_limits

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.arrivals import SeriesBook
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.scrape.config import ScrapeJob
    from holdfast.telemetry.metrics.scrape.sample_labels import SampleLabels

UNASKED: Final = -3  # of a page over its limit: the book has not heard of it
_ASK_AGAIN: Final = 20  # pages after which a refused series is asked for again
_MOST_AHEAD_MS: Final = 600_000  # a time of the target's own that lies further ahead is no time (scrape.go)
_NO_REFS: Final = np.empty(0, np.int64)


class SampleLimitError(LimitError):
    """A page has more samples than its job may; `exposed` and `kept` count them before and after relabelling."""

    def __init__(self, exposed: int, kept: int, limit: int) -> None:
        super().__init__(f"sample_limit exceeded: {kept} samples, the limit is {limit}")
        self.exposed, self.kept = exposed, kept


@dataclass(frozen=True, slots=True)
class Taken:
    """What one page came to.

    Attributes:
        exposed: samples on the page.
        tracked: the references that are missed when the next page does not have them.
        added: series that the last page with any did not have.
        repeated: samples that are left out, for their series has one, or for their time lies too far ahead.
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
    repeated: int

    @property
    def kept(self) -> int:
        """Count the samples after relabelling."""
        return len(self.refs) + len(self.histograms) + self.repeated


class Intake:
    """One target's pages, one after the other."""

    def __init__(self, job: ScrapeJob, labels: SampleLabels, book: SeriesBook, origin: str) -> None:
        self._job = job
        self._labels = labels
        self._book = book
        self._origin = origin
        self._generation = book.generation
        self._refs: dict[bytes, int] = {}
        self._known: KnownPage | None = None
        self._since_asked = 0
        self.metadata: tuple[MetricMetadata, ...] = ()
        self.tracked: npt.NDArray[np.int64] = _NO_REFS
        self._had: npt.NDArray[np.int64] = (
            _NO_REFS  # the series of the last page with any, those with times of their own too
        )
        self.unconverted = 0
        self.ahead = 0
        self._exemplars = FreshExemplars()

    @property
    def generation(self) -> int:
        """The generation of the book that the references are of."""
        return self._generation

    def forget(self) -> None:
        """Drop all references."""
        self._generation = self._book.generation
        self._refs.clear()
        self._known = None
        self._exemplars.forget()
        self.tracked = self._had = _NO_REFS

    def follow(self) -> None:
        """Take up the book's generation: the series that the target had have other references now."""
        if self._generation != self._book.generation:
            tracked, had = (self._book.renumbered(refs, self._generation) for refs in (self.tracked, self._had))
            self.forget()
            self.tracked, self._had = tracked, had

    def inherit(self, tracked: npt.NDArray[np.int64], generation: int) -> None:
        """Take it that the target had these series until now."""
        self.tracked = self._had = self._book.renumbered(tracked, generation)

    def lost(self) -> npt.NDArray[np.int64]:
        """Give the series that the target had until now, and forget that it had them: the scrape failed."""
        self.follow()
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
        if reading is None or (reading.ts_ms is not None and (reading.ts_ms > now_ms + _MOST_AHEAD_MS).any()):
            return None
        natives = known.natives(reading, self._job.limits, now_ms)
        if natives is None:
            return None
        times = np.full(len(known.refs), now_ms, np.int64)
        if reading.ts_ms is not None and self._job.honor_timestamps:
            times = np.where(known.timed, reading.ts_ms[known.kept], times)
        starts = None
        if known.created is not None:
            values = np.append(reading.values, 0.0)  # the index -1 stands for no start
            starts = (values[known.created] * 1000).astype(np.int64)
        columns = [column for column in (known.all_refs, known.ladder_refs) if column is not None]
        exemplars = self._exemplars.of(
            (int(column[index]), now_ms, found)
            for index, found in reading.exemplars
            for column in columns
            if column[index] >= 0
        )
        self.tracked = known.tracked
        return Taken(
            known.refs,
            times,
            reading.values[known.kept],
            starts,
            natives,
            exemplars,
            (),
            known.exposed,
            known.tracked,
            0,
            known.repeated,
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
        self.follow()
        if self._since_asked >= _ASK_AGAIN:
            self._refs = {series: ref for series, ref in self._refs.items() if ref != REFUSED}
            self._since_asked = 0
        ordered = in_order(parsed)
        ladders, broken = converted(parsed, ordered) if self._job.reading.is_custom else ([], ())
        self.unconverted = len(broken)
        samples, again = self._own(ordered, ladders)
        asked = self._ask(samples)
        refs = _first_only(samples, asked, honors=self._job.honor_timestamps)
        repeated = refs.count(DROPPED) - asked.count(DROPPED) + sum(self._refs.get(one.key) != DROPPED for one in again)
        taken = self._collected(samples, refs, now_ms, exposed=len(samples) + len(again), repeated=repeated)
        self.tracked = taken.tracked
        self._remember(page, parsed, protocol, samples, refs, repeated)
        if self._known is not None and (ladders or broken):
            self._known = self._known.with_ladders(ladders, broken, ordered, self._refs)
        return taken

    def _own(
        self, ordered: list[PageSample], ladders: list[tuple[Ladder, PageSample]]
    ) -> tuple[list[PageSample], list[PageSample]]:
        """Give the samples that are series, for starts are what others know of themselves, and those written again."""
        created = {sample.created for sample in ordered} - {0}
        gone: set[int] = set()
        if not self._job.reading.is_classic_too:
            gone = {place for ladder, _ in ladders for place in ladder.members}
        found: dict[bytes, PageSample] = {}
        again: list[PageSample] = []
        left = [sample for place, sample in enumerate(ordered) if place not in gone] if gone else ordered
        for sample in (*left, *(native for _, native in ladders)):
            if sample.line not in created or not sample.line:
                point = sample.series if sample.ts_ms is None else sample.series + b"\0%d" % sample.ts_ms
                if found.setdefault(point, sample) is not sample:
                    again.append(sample)
        return list(found.values()), again

    def _ask(self, samples: list[PageSample]) -> list[int]:
        """Give the references; of a page over a limit the book hears nothing, for its series would count as active."""
        known, limit = self._refs, self._job.limits.samples
        if limit and len(samples) > limit and not self._labels.may_drop:
            raise SampleLimitError(len(samples), len(samples), limit)
        fresh = {s.key: self._labels.of(s.labels, s.empty) for s in samples if s.key not in known}
        if limit and len(samples) > limit:
            known |= {series: DROPPED if labels is None else UNASKED for series, labels in fresh.items()}
            kept = sum(known[sample.key] != DROPPED for sample in samples)
            if kept > limit:
                self._refs = {sample.key: known[sample.key] for sample in samples}
                raise SampleLimitError(len(samples), kept, limit)
        return [self._ref(sample, fresh) for sample in samples]

    def _ref(self, sample: PageSample, fresh: dict[bytes, Labels | None]) -> int:
        key = sample.key
        ref = self._refs.get(key, UNASKED)
        if ref == UNASKED:
            labels = fresh[key] if key in fresh else self._labels.of(sample.labels, sample.empty)
            ref = DROPPED if labels is None else self._book.ref(labels, origin=self._origin)
            self._refs[key] = ref
        return ref

    def _collected(
        self, samples: list[PageSample], refs: list[int], now_ms: int, *, exposed: int, repeated: int
    ) -> Taken:
        honors = self._job.honor_timestamps
        found = [(s, ref) for s, ref in zip(samples, refs, strict=True) if ref != DROPPED]
        kept = [(s, ref) for s, ref in found if _time(s, now_ms, honors=honors) <= now_ms + _MOST_AHEAD_MS]
        self.ahead = len(found) - len(kept)
        floats = [(s, ref) for s, ref in kept if s.histogram is None]
        natives = [
            HistogramSample(
                ref, _time(s, now_ms, honors=honors), within_limits(s.histogram, self._job.limits), s.start_ms
            )
            for s, ref in kept
            if s.histogram is not None
        ]
        exemplars = self._exemplars.of(
            (ref, _time(s, now_ms, honors=honors), each)
            for s, ref in kept
            if ref >= 0
            for each in ((s.exemplar,) if s.exemplar is not None else s.exemplars)
        )
        starts = np.array([s.start_ms for s, _ in floats], np.int64)
        return Taken(
            np.array([ref for _, ref in floats], np.int64),
            np.array([_time(s, now_ms, honors=honors) for s, _ in floats], np.int64),
            np.array([s.value for s, _ in floats], np.float64),
            starts if starts.any() else None,
            tuple(natives),
            exemplars,
            (),
            exposed,
            self._tracked(samples, refs),
            self._added([ref for _, ref in kept]),
            repeated + self.ahead,
        )

    def _added(self, refs: list[int]) -> int:
        """Count the series that are new; none that was there before a failed scrape or an empty page is."""
        if not refs:
            return 0
        before, now = self._had, np.array(refs, np.int64)
        self._had = np.unique(now[now >= 0])
        return len(np.setdiff1d(self._had, before, assume_unique=True))

    def _tracked(self, samples: list[PageSample], refs: list[int]) -> npt.NDArray[np.int64]:
        """Give the series whose absence will mean their end; one with its own timestamps only if the job says so."""
        is_all = self._job.tracks_timestamp_staleness or not self._job.honor_timestamps
        found = [ref for s, ref in zip(samples, refs, strict=True) if ref >= 0 and (is_all or s.ts_ms is None)]
        return np.unique(np.array(found, np.int64))

    def _remember(
        self,
        page: bytes,
        parsed: Page,
        protocol: Protocol,
        samples: list[PageSample],
        refs: list[int],
        repeated: int,
    ) -> None:
        self._known = None
        if len(self._refs) > 2 * len(samples):  # series that are gone are forgotten
            self._refs = {sample.key: self._refs[sample.key] for sample in samples}
        self.metadata = tuple(
            MetricMetadata(family.name, family.type, family.help, family.unit) for family in parsed.families
        )
        made = None
        if protocol is not Protocol.PROTOBUF:
            made = make_template(page, parsed, is_openmetrics=protocol.is_openmetrics)
        if made is None:
            return
        template, lines = made
        by_line = {sample.line: ref for sample, ref in zip(samples, refs, strict=True)}
        all_refs = np.array([by_line.get(sample.line, DROPPED) for sample in lines], np.int64)
        kept = np.flatnonzero(all_refs != DROPPED)
        index = {sample.line: number for number, sample in enumerate(lines)}
        created = np.array([index.get(lines[number].created, -1) for number in kept], np.int64)
        self._known = KnownPage(
            template,
            protocol,
            np.array([lines[number].ts_ms is not None for number in kept], np.bool_),
            kept,
            all_refs[kept],
            all_refs,
            created if (created >= 0).any() else None,
            self.tracked,
            len(samples),
            repeated,
        )


def _first_only(samples: list[PageSample], refs: list[int], *, honors: bool) -> list[int]:
    """Give the references without those of a second sample of a series, written otherwise or relabelled to it."""
    known = [ref for ref in refs if ref >= 0]
    if len(set(known)) == len(known):
        return refs
    seen: set[tuple[int, int | None]] = set()
    found = []
    for sample, ref in zip(samples, refs, strict=True):
        point = (ref, sample.ts_ms if honors else None)
        found.append(DROPPED if ref >= 0 and point in seen else ref)
        seen.add(point)
    return found


def _time(sample: PageSample, now_ms: int, *, honors: bool) -> int:
    return sample.ts_ms if honors and sample.ts_ms is not None else now_ms
