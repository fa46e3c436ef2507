"""One target's loop: wait for its moment, fetch the page, read it, hand the samples to the sink, say how it went.

Staleness, the `scrape_*` series and the state that the API shows are made here. Source: Prometheus 3, scrape.go.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.errors import ConflictError, HoldfastError, LimitError
from holdfast.kernel.http import AnswerTooLargeError
from holdfast.telemetry.metrics.arrivals import STALE_BITS, Arrival, MetricMetadata
from holdfast.telemetry.metrics.exposition import negotiated
from holdfast.telemetry.metrics.scrape.intake import Intake, SampleLimitError, Taken
from holdfast.telemetry.metrics.scrape.sample_labels import SampleLabels

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import ArrivalSink
    from holdfast.telemetry.metrics.scrape.calling import Fetch
    from holdfast.telemetry.metrics.scrape.config import ScrapeJob
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
    from holdfast.telemetry.metrics.scrape.relabelling import Relabelling
    from holdfast.telemetry.metrics.scrape.sayings import Sayings
    from holdfast.telemetry.metrics.scrape.targets import Target

STALE: Final = np.array([STALE_BITS], np.uint64).view(np.float64)[0]
_THREAD_BYTES: Final = 256 * 1024  # a page from here on is parsed beside the event loop when its series are new
_TOLERANCE: Final = 0.01  # of the interval: a scrape that is at most so late bears the time at which it was due
_MOST_OWED: Final = 100_000  # ends that the store has not heard of
_LINGER_SHARE: Final = 0.2  # of the interval: what waits for company must not hold the next scrape up
_REPORT: Final = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
_TOO_LARGE: Final = -1  # the size of a page beyond its body_size_limit
_EXTRA: Final = ("scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes")


@dataclass(slots=True)
class TargetState:
    """How the last scrape went."""

    health: str = "unknown"
    last_error: str = ""
    last_scrape: datetime = field(default_factory=lambda: datetime(1, 1, 1, tzinfo=UTC))
    last_duration_s: float = 0.0
    metadata: tuple[MetricMetadata, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopTools:
    """What all loops of a job share."""

    job: ScrapeJob
    relabelling: Relabelling
    fetch: Fetch
    sink: ArrivalSink
    tenant: TenantId
    clock: Clock
    metrics: ScrapeMetrics
    sayings: Sayings
    linger_s: float


class TargetLoop:
    """Scrapes one target until it is cancelled."""

    def __init__(self, target: Target, tools: LoopTools) -> None:
        self.target = target
        self.state = TargetState()
        self.refusal = ""  # why the target is not asked at all: its job has too many
        self._tools = tools
        self._labels = SampleLabels(tools.job, tools.relabelling, target.labels)
        self._book = tools.sink.book(tools.tenant)
        self._intake = Intake(tools.job, self._labels, self._book, target.origin)
        self._patience_s = min(tools.linger_s, _LINGER_SHARE * target.interval_s)
        self._names = _REPORT + (_EXTRA if tools.job.has_extra_metrics else ())
        self._reports: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, np.int64))
        self._owed: tuple[npt.NDArray[np.int64], int] = (np.empty(0, np.int64), 0)

    @property
    def tracked(self) -> tuple[npt.NDArray[np.int64], int]:
        """Give the series that will be missed, by references of a generation."""
        return self._intake.tracked, self._intake.generation

    def go_on_from(self, before: TargetLoop) -> None:
        """Go on where the loop of the same target ended that its job had before the job changed."""
        self.state = before.state
        self._intake.inherit(*before.tracked)

    async def run(self, seed: str) -> None:
        """Scrape at the target's moment of every interval, for ever."""
        clock, interval = self._tools.clock, self.target.interval_s
        now = clock.now().timestamp()
        offset = self.target.offset_s(seed)
        due = now - (now - offset) % interval + interval
        while True:
            await clock.sleep(max(0.0, due - clock.now().timestamp()))
            late = clock.now().timestamp() - due
            self._tools.metrics.lateness.observe(max(0.0, late))
            await self.scrape(due if 0 <= late <= _TOLERANCE * interval else clock.now().timestamp())
            missed = int((clock.now().timestamp() - due) // interval)
            self._tools.metrics.skipped.inc(max(0, missed))
            due += interval * (1 + max(0, missed))

    async def scrape(self, at_s: float) -> None:
        """Scrape once; `at_s` is the time that the samples bear."""
        clock, now_ms = self._tools.clock, round(at_s * 1000)
        started = clock.monotonic()
        taken, size, error, passed = None, 0, "", None
        try:
            if self.refusal:
                raise LimitError(self.refusal)
            answer = await self._tools.fetch(self.target)
            size = len(answer.body)
            taken = await self._take(answer.body, answer.headers.get("content-type", ""), now_ms)
            self._tools.metrics.scrapes.labels("ok").inc()
        except HoldfastError as failure:
            error = str(failure)
            size = _TOO_LARGE if isinstance(failure, AnswerTooLargeError) else size
            passed = failure if isinstance(failure, SampleLimitError) else None
            self._tools.metrics.scrapes.labels(failure.code).inc()
            self._tools.metrics.note_failure(self._tools.tenant, self.target.labels, self._tools.job.name, failure)
        duration = clock.monotonic() - started
        self.state = TargetState(
            "down" if error else "up", error, datetime.fromtimestamp(at_s, UTC), duration, self._intake.metadata
        )
        await self._store(taken, now_ms, (duration, size), passed)

    async def end(self) -> None:
        """Mark every series of the target as ended, now: it is not a target any more."""
        now_ms = round(self._tools.clock.now().timestamp() * 1000)
        reports = self._report_refs()
        await self._append([(np.append(self._intake.lost(), reports), STALE)], None, now_ms)

    async def _take(self, page: bytes, content_type: str, now_ms: int) -> tuple[Taken, npt.NDArray[np.int64]]:
        """Give what the page came to, and the series that it does not have any more."""
        intake, metrics = self._intake, self._tools.metrics
        protocol = negotiated(content_type, self._tools.job.reading.fallback)
        intake.follow()
        before = intake.tracked
        taken = intake.take_known(page, protocol, now_ms)
        metrics.pages.labels("template" if taken is not None else "strict").inc()
        if taken is None:
            if len(page) > _THREAD_BYTES:
                parsed = await asyncio.to_thread(intake.parse, page, protocol)
            else:
                parsed = intake.parse(page, protocol)
            intake.follow()  # others may have come to other references meanwhile
            before = intake.tracked
            taken = intake.take_parsed(page, parsed, protocol, now_ms)
            if intake.ahead:
                metrics.note_ahead(self._tools.tenant, self.target.labels, self._tools.job.name, intake.ahead)
        if intake.unconverted:
            metrics.unconverted.labels(self._tools.job.name).inc(intake.unconverted)
        if taken.tracked is before:
            return taken, before[:0]
        return taken, np.setdiff1d(before, taken.tracked, assume_unique=True)

    async def _store(
        self,
        result: tuple[Taken, npt.NDArray[np.int64]] | None,
        now_ms: int,
        cost: tuple[float, int],
        passed: SampleLimitError | None,
    ) -> None:
        taken, ended = result if result is not None else (None, self._intake.lost())
        duration, size = cost
        counted = taken or passed  # how far a page is beyond its limit is what one looks for then
        told = (
            float(taken is not None),
            duration,
            float(counted.exposed if counted else 0),
            float(counted.kept if counted else 0),
            float(taken.added if taken else 0),
            self.target.timeout_s,
            float(self._tools.job.limits.samples),
            float(size),
        )
        reports = np.array(told[: len(self._names)], np.float64)
        ended, generation = self._with_owed(ended, taken), self._book.generation
        is_stored = await self._append([(ended, STALE), (self._report_refs(), reports)], taken, now_ms)
        self._owed = (ended[:0] if is_stored else ended[:_MOST_OWED], generation)

    def _with_owed(self, ended: npt.NDArray[np.int64], taken: Taken | None) -> npt.NDArray[np.int64]:
        """Give what ends now, and what ended when the store took nothing, unless it is back."""
        owed = self._book.renumbered(*self._owed)
        if not len(owed):
            return ended
        return np.union1d(ended, owed if taken is None else np.setdiff1d(owed, taken.tracked))

    def _report_refs(self) -> npt.NDArray[np.int64]:
        generation, refs = self._reports
        if generation != self._book.generation:
            generation = self._book.generation
            origin = self.target.origin
            refs = np.array(
                [self._book.ref(self._labels.report(name), origin=origin) for name in self._names], np.int64
            )
            self._reports = (generation, refs)
        return refs

    async def _append(
        self,
        more: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64] | np.float64]],
        taken: Taken | None,
        now_ms: int,
    ) -> bool:
        """Tell whether the store has it."""
        arrival = replace(
            _arrival(self._reports[0], more, taken, now_ms),
            metadata=self._tools.sayings.news(self._intake.metadata),
            patience_s=self._patience_s,
        )
        metrics = self._tools.metrics
        try:
            written = await self._tools.sink.append(self._tools.tenant, arrival)
        except ConflictError:
            self._intake.forget()
            self._note_lost("conflict", arrival)
        except HoldfastError as error:
            self._note_lost(error.code, arrival)
        else:
            metrics.samples.inc(written.samples + written.histograms)
            return True
        return False

    def _note_lost(self, code: str, arrival: Arrival) -> None:
        tools = self._tools
        tools.sayings.take_back(arrival.metadata)
        tools.metrics.note_lost(tools.tenant, self.target.labels, tools.job.name, code, len(arrival.refs))


def _arrival(
    generation: int,
    more: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64] | np.float64]],
    taken: Taken | None,
    now_ms: int,
) -> Arrival:
    refs = [part for part, _ in more]
    values = [np.broadcast_to(value, len(part)) for part, value in more]
    count = sum(map(len, refs))
    times = [np.full(count, now_ms, np.int64)]
    starts = None
    if taken is not None:
        refs, values, times = [*refs, taken.refs], [*values, taken.values], [*times, taken.ts_ms]
        if taken.starts_ms is not None:
            starts = np.concatenate([np.zeros(count, np.int64), taken.starts_ms])
    return Arrival(
        generation,
        np.concatenate(refs),
        np.concatenate(times),
        np.concatenate(values),
        starts,
        taken.histograms if taken else (),
        taken.exemplars if taken else (),
    )
