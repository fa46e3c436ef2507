"""Gathers everything that moved around a moment: each part by itself, within one time, and ranked together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from holdfast.kernel.errors import BusyError, HoldfastError
from holdfast.resilience import BulkheadFull, bulkhead, timeout
from holdfast.telemetry.correlate.curves import CurveReader
from holdfast.telemetry.correlate.findings import Lane, Part, PartState, Report
from holdfast.telemetry.correlate.happenings import look_at_events
from holdfast.telemetry.correlate.lines import look_at_levels, look_at_patterns
from holdfast.telemetry.correlate.metrics import MetricFinder, look_at_metrics
from holdfast.telemetry.correlate.operations import find_neighbours, look_at_neighbours, look_at_operations
from holdfast.telemetry.metrics.promql import Engine, QueryLimits
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.events import EventLog
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.correlate.moment import Moment
    from holdfast.telemetry.correlate.settings import AroundSettings
    from holdfast.telemetry.logs.patterns import PatternKeeping
    from holdfast.telemetry.logs.selection import RecordSource
    from holdfast.telemetry.metrics.browsing import SeriesBrowser

_LEAST_S: Final = 0.01
_MOST_STEPS: Final = 2000
_MOST_BYTES: Final = 256 * 1024 * 1024


class Neighbourhood(Protocol):
    """Who stands next to a service by what people wrote down."""

    def neighbours_of(self, tenant: TenantId, service: str) -> Sequence[str]:
        """Give the services that it needs and that need it; none if nobody knows it."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is read."""

    engine: Engine
    browser: SeriesBrowser
    records: RecordSource
    patterns: PatternKeeping
    events: EventLog
    neighbourhood: Neighbourhood


@dataclass(frozen=True, slots=True)
class AroundMeters:
    """What is told of the answers."""

    duration: Histogram
    partial: Counter


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about: a service, and instead of its usual labels a set of matchers if one is given.

    `also` are neighbours that are known otherwise, such as the other services of a trace.
    """

    service: str
    matchers: tuple[Matcher, ...] = ()
    also: Sequence[str] = ()


class Correlator:
    """Answers what moved around a moment, for every tenant."""

    def __init__(self, sources: Sources, settings: AroundSettings, clock: Clock, meters: AroundMeters) -> None:
        self.settings = settings
        self._sources = sources
        self._clock = clock
        self._meters = meters
        self._turns = bulkhead(settings.concurrency, queue=settings.queue, name="around")

    async def look(self, tenant: TenantId, subject: Subject, moment: Moment) -> Report:
        """Give everything that moved; what could not be read in time is told in its part.

        Raises:
            BusyError: too many questions wait.
        """
        started = self._clock.monotonic()
        try:
            async with self._turns:
                looking = _Looking(self._sources, self.settings, tenant, subject, moment, clock=self._clock)
                report = await looking.report()
        except BulkheadFull as full:
            raise BusyError(
                f"{self.settings.queue} questions about moments wait already", hint="ask again in a few seconds"
            ) from full
        self._meters.duration.observe(self._clock.monotonic() - started)
        for part in report.parts:
            if part.state is not PartState.WHOLE:
                self._meters.partial.labels(part.lane).inc()
        return report


class _Looking:
    """One question as it is answered."""

    def __init__(
        self,
        sources: Sources,
        settings: AroundSettings,
        tenant: TenantId,
        subject: Subject,
        moment: Moment,
        *,
        clock: Clock,
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._tenant = tenant
        self._subject = subject
        self._moment = moment
        self._clock = clock
        self._ends = clock.monotonic() + settings.timeout
        self._parts = {lane: Part(lane) for lane in Lane}
        self._neighbours: list[str] = []
        limits = QueryLimits(settings.max_samples, settings.max_samples, _MOST_STEPS, _MOST_BYTES)
        self._reader = CurveReader(sources.engine, tenant, moment, limits)

    async def report(self) -> Report:
        service = self._subject.service
        await self._within(Lane.NEIGHBOURS, self._meet_neighbours)
        looks = [
            self._within(Lane.EVENTS, self._events),
            self._within(Lane.LOGS, self._levels),
            self._within(Lane.METRICS, self._metrics),
        ]
        if service:
            looks.append(self._within(Lane.PATTERNS, self._patterns))
        await asyncio.gather(*looks)
        events, checks = self._parts[Lane.EVENTS], self._parts[Lane.CHECKS]
        checks.state, checks.message = events.state, events.message
        found = [finding for part in self._parts.values() for finding in part.findings]
        found.sort(key=lambda finding: (-finding.rank, finding.moved_at, finding.title))
        most = self._settings.max_findings
        parts = list(self._parts.values())
        return Report(service, self._moment, self._neighbours, found[:most], max(0, len(found) - most), parts)

    async def _within(self, lane: Lane, look: Callable[[], Awaitable[None]]) -> None:
        """Let a part look for so long as there is time; what it has found until then counts."""
        part = self._parts[lane]
        try:
            async with timeout(max(self._ends - self._clock.monotonic(), _LEAST_S)):
                await look()
        except TimeoutError:
            part.cut(f"the time of {self._settings.timeout:g} s was over before everything was looked at")
        except HoldfastError as error:
            part.state, part.message = PartState.FAILED, error.message

    async def _meet_neighbours(self) -> None:
        service, most = self._subject.service, self._settings.max_neighbours
        if not service:
            return
        known = self._sources.neighbourhood.neighbours_of(self._tenant, service)
        seen = await find_neighbours(self._sources.browser, self._tenant, service, self._moment)
        found = sorted({*known, *seen, *self._subject.also} - {service})
        self._neighbours = found[:most]
        if len(found) > most:
            self._parts[Lane.NEIGHBOURS].cut(f"{len(found) - most} more neighbours were not looked at")

    async def _events(self) -> None:
        await look_at_events(
            (self._parts[Lane.EVENTS], self._parts[Lane.CHECKS]),
            self._sources.events,
            self._tenant,
            self._subject.service,
            self._neighbours,
            self._moment,
        )

    async def _levels(self) -> None:
        service = self._subject.service
        matchers = self._subject.matchers or (Matcher("service_name", MatchOp.EQUAL, service),)
        part = self._parts[Lane.LOGS]
        await look_at_levels(part, self._sources.records, self._tenant, matchers, service, self._moment)

    async def _patterns(self) -> None:
        part = self._parts[Lane.PATTERNS]
        await look_at_patterns(part, self._sources.patterns, self._tenant, self._subject.service, self._moment)

    async def _metrics(self) -> None:
        """Look at all that is asked in PromQL, one after the other; what says most comes first."""
        subject, finder = self._subject, MetricFinder(self._sources.browser, self._settings.labels)
        own, has_week = await finder.find(self._tenant, subject.service, subject.matchers, self._moment)
        if subject.service:
            part = self._parts[Lane.OPERATIONS]
            await look_at_operations(part, self._reader, subject.service, has_week=has_week)
            near = self._parts[Lane.NEIGHBOURS]
            await look_at_neighbours(near, self._reader, subject.service, self._neighbours, has_week=has_week)
        metrics = self._parts[Lane.METRICS]
        most = self._settings.max_metrics
        if len(own) > most:
            metrics.cut(f"{len(own) - most} of {len(own)} metrics were not compared")
        await look_at_metrics(
            metrics,
            self._reader,
            own[:most],
            subject.service,
            most_series=self._settings.max_series,
            has_week=has_week,
        )
