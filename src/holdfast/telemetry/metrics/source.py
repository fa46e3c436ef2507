"""Where samples come out: what PromQL selects, the latest value of a metric, its values on a grid of times.

Series are chosen by `indexing`, samples read by `reading`. Rates, joins and arithmetic are PromQL's work. Without the
sink's feed nothing is remembered between two questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import numpy as np
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import InvalidError, LimitError
from holdfast.kernel.ids import TenantId
from holdfast.store import Store
from holdfast.telemetry.metrics.downsampling import Cuts, RolledAnswer, RolledSlots, RollupReader
from holdfast.telemetry.metrics.indexing import Chosen, SeriesIndex
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, without
from holdfast.telemetry.metrics.reading import Assembled, BlockCache, CacheFigures, SampleReader
from holdfast.telemetry.metrics.samples import Matcher, MatchOp, Point, Series
from holdfast.telemetry.metrics.selection import SampleSource, Selection, SelectionLimits, SeriesColumns
from holdfast.telemetry.metrics.settings import MetricsSettings
from holdfast.telemetry.metrics.storing import Announced, Feed, Stored
from holdfast.telemetry.metrics.warming import WARMED_SERIES, Warming

LOOKBACK: Final = timedelta(minutes=5)  # how long a value stays the current one, as in Prometheus
MAX_STEPS: Final = 11_000  # points per series, as in Prometheus


class UsageLog(Protocol):
    """Who wants to know which metrics are queried."""

    def note(self, tenant: TenantId, names: Iterable[str]) -> None:
        """Take that a query has read these metrics."""
        ...

    async def used(self, tenant: TenantId) -> Mapping[str, int]:
        """Give the second at which each metric was last queried."""
        ...


class MetricSource:
    """Reads samples of one tenant at a time; a `SampleSource`."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock | None = None,
        feed: Feed | None = None,
        usage: UsageLog | None = None,
        settings: MetricsSettings | None = None,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        """Prepare; nothing is read.

        Args:
            store: where samples are.
            clock: the time, where none is asked for.
            feed: of the sink by which this process writes to the store; without it nothing is remembered.
            usage: told which metrics queries read.
            settings: how much is remembered.
            metrics: where it is told how often what is remembered served.
        """
        settings = settings or MetricsSettings()
        self._store = store
        self._clock = clock or SystemClock()
        self._usage = usage
        is_alone = not store.settings.url.reveal().startswith("clickhouse")
        self.index = SeriesIndex(
            store, self._clock, most=settings.indexed_series, is_fed=feed is not None, is_alone=is_alone
        )
        cache = BlockCache(settings.cache) if feed is not None and settings.cache else None
        if metrics is not None:
            CacheFigures(metrics, self.index, cache or BlockCache(0))
        self.reader = SampleReader(store, self._clock, cache, margin_s=0 if is_alone else settings.writers_margin)
        self._warming = Warming(store, self._clock, self.index, self.reader, settings.warm)
        self.rolled = RolledSlots(store, self._clock)
        self.cuts = Cuts(store, self._clock, is_alone=is_alone)
        self._rollups = RollupReader(store, self._clock, self.rolled, self.cuts, self.reader, settings.rollups)
        if feed is not None:
            feed.follow_series(self._take_series)
            feed.follow_samples(self._take_samples)
            feed.follow_samples(self.rolled.samples_stored)

    async def warm(self, tenant: TenantId, most_series: int = WARMED_SERIES) -> bool:
        """Read what the first queries of a tenant would have to wait for, within bounds.

        Returns:
            Whether its series are no more than `most_series`; nothing is read of a tenant that has more.
        """
        await self.cuts.slots()
        await self.rolled.clean(tenant)
        queried = {} if self._usage is None else await self._usage.used(tenant)
        return await self._warming.warm(tenant, queried, most_series)

    def _take_series(self, news: Announced) -> None:
        self.index.note(*news)

    def _take_samples(self, news: Stored) -> None:
        if news.values is None:
            self.reader.note_histograms(news.tenant)
        if self.reader.cache is not None:
            self.reader.cache.note(news.tenant, news.ids, news.ts_ms, news.values, has_starts=news.has_starts)

    @property
    def unnoted(self) -> SampleSource:
        """Give the same samples without telling the usage log: for who reads every metric, because it is there."""
        return _Unnoted(self)

    async def select(
        self,
        tenant: TenantId,
        selections: Sequence[Selection],
        limits: SelectionLimits | None = None,
        *,
        is_use: bool = True,
    ) -> list[SeriesColumns]:
        """Answer each selection, in order; raises as `SampleSource.select` does."""
        limits = limits or SelectionLimits()
        series, samples = limits.max_series, limits.max_samples
        answers = []
        for selection in selections:
            answer = await self._select(tenant, selection, (series, samples), is_use=is_use)
            series -= len(answer.labels)
            samples -= len(answer.values)
            answers.append(answer)
        return answers

    async def _select(
        self, tenant: TenantId, selection: Selection, left: tuple[int, int], *, is_use: bool
    ) -> SeriesColumns:
        series, samples = left
        chosen = await self.index.choose(tenant, selection.matchers, selection.start_ms, selection.end_ms)
        if len(chosen.labels) > series:
            raise LimitError(
                f"{describe(selection.matchers)} chooses {len(chosen.labels)} series; the query may have {series} more",
                hint="choose fewer series, or raise the limit of series per query",
            )
        if is_use and self._usage is not None:
            self._usage.note(tenant, chosen.names)
        if not chosen.labels:
            return _columns(chosen, None)
        span = (selection.start_ms, selection.end_ms)
        try:
            rolled = await self._rollups.read(tenant, chosen, selection, max(samples, 0))
            if rolled is not None:
                return _without_empty(chosen, rolled)
            found = await self.reader.read(
                tenant, chosen, span, has_starts=selection.needs_starts, most=max(samples, 0)
            )
        except LimitError as error:
            raise LimitError(
                f"{describe(selection.matchers)} chooses too many samples ({error.message}) of "
                f"{len(chosen.labels)} series, and the query may have {samples} more",
                hint="ask for a shorter time or fewer series, or raise the limit of samples per query",
            ) from error
        return _columns(chosen, found)

    async def latest(
        self,
        tenant: TenantId,
        name: str,
        matchers: Sequence[Matcher] = (),
        *,
        at: datetime | None = None,
        lookback: timedelta = LOOKBACK,
    ) -> list[Series]:
        """Give each series' newest value at `at` (now if not given), if it is not older than `lookback`."""
        end = at or self._clock.now()
        found = await self._plain(tenant, name, matchers, end - lookback, end)
        last = found.offsets[1:] - 1
        points = zip(found.labels, found.ts_ms[last].tolist(), found.values[last].tolist(), strict=True)
        made = [_series(name, labels, (Point(_at(ts_ms), value),)) for labels, ts_ms, value in points]
        return sorted(made, key=_by_labels)

    async def range(
        self,
        tenant: TenantId,
        name: str,
        matchers: Sequence[Matcher] = (),
        *,
        start: datetime,
        end: datetime,
        step: timedelta,
        lookback: timedelta = LOOKBACK,
    ) -> list[Series]:
        """Give each series' value at `start`, `start + step`, ... up to `end`.

        The value at a time is the newest one up to then, if it is not older than `lookback` rounded up to whole steps;
        where there is none, there is no point.

        Raises:
            InvalidError: the step is not positive, or there would be more than 11,000 points.
        """
        if step <= timedelta() or end < start or (end - start) / step > MAX_STEPS:
            raise InvalidError(
                f"{start} to {end} by {step} is no grid", hint=f"at most {MAX_STEPS} steps, each longer than nothing"
            )
        found = await self._plain(tenant, name, matchers, start - lookback, end)
        steps, held = int((end - start) / step), -(-lookback // step)
        first_ms, step_ms = _ms(start), int(step / timedelta(milliseconds=1))
        slots = -((first_ms - found.ts_ms) // step_ms)
        made = []
        for number, labels in enumerate(found.labels):
            part = slice(int(found.offsets[number]), int(found.offsets[number + 1]))
            newest = dict(zip(slots[part].tolist(), found.values[part].tolist(), strict=True))
            points = _carried(newest.items(), steps, held)
            if points:
                made.append(_series(name, labels, tuple(Point(start + slot * step, value) for slot, value in points)))
        return sorted(made, key=_by_labels)

    async def _plain(
        self, tenant: TenantId, name: str, matchers: Sequence[Matcher], start: datetime, end: datetime
    ) -> SeriesColumns:
        named = (Matcher(METRIC_NAME, MatchOp.EQUAL, name), *matchers)
        return (await self.select(tenant, [Selection(named, _ms(start), _ms(end))]))[0]


class _Unnoted:
    def __init__(self, source: MetricSource) -> None:
        self._source = source

    async def select(
        self, tenant: TenantId, selections: Sequence[Selection], limits: SelectionLimits | None = None
    ) -> list[SeriesColumns]:
        return await self._source.select(tenant, selections, limits, is_use=False)


def describe(matchers: Sequence[Matcher]) -> str:
    """Give a selector as PromQL writes it."""
    return "{" + ", ".join(f'{m.label}{m.op}"{m.value}"' for m in matchers) + "}"


def _columns(chosen: Chosen, found: Assembled | None) -> SeriesColumns:
    """Give the series that have samples."""
    if found is None:
        nothing = np.zeros(0, np.int64)
        return SeriesColumns((), np.zeros(1, np.int64), nothing, np.zeros(0), clocks=np.zeros(0, np.int32))
    labels: Sequence[Labels] = chosen.labels
    offsets, clocks = found.offsets, found.clocks
    if found.has_empty:
        kept = np.flatnonzero(np.diff(offsets))
        labels = [labels[place] for place in kept.tolist()]
        offsets = np.concatenate((offsets[:-1][kept], offsets[-1:]))
        clocks = clocks[kept]
    return SeriesColumns(labels, offsets, found.ts_ms, found.values, found.histograms, found.starts_ms, clocks=clocks)


def _without_empty(chosen: Chosen, found: RolledAnswer) -> SeriesColumns:
    """Give the series that have samples, of such as were answered out of sums."""
    kept = np.flatnonzero(np.diff(found.offsets) > 0)
    labels = [chosen.labels[place] for place in kept.tolist()]
    offsets = np.concatenate((found.offsets[:-1][kept], found.offsets[-1:]))
    return SeriesColumns(labels, offsets, found.ts_ms, found.values, found.histograms, weights=found.weights)


def _series(name: str, labels: Labels, points: tuple[Point, ...]) -> Series:
    return Series(name, dict(without(labels, METRIC_NAME)), points)


def _by_labels(series: Series) -> list[tuple[str, str]]:
    return sorted(series.labels.items())


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _at(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC)


def _carried(known: Iterable[tuple[int, float]], steps: int, held: int) -> list[tuple[int, float]]:
    """Give the value at every step, each known one held for at most `held` steps."""
    return list(_carry(known, steps, held))


def _carry(known: Iterable[tuple[int, float]], steps: int, held: int) -> Iterator[tuple[int, float]]:
    before: tuple[int, float] | None = None
    for slot, value in [*known, (steps + 1, 0.0)]:
        if before is not None:
            first, last = max(before[0], 0), min(slot - 1, before[0] + held - 1, steps)
            yield from ((filled, before[1]) for filled in range(first, last + 1))
        before = slot, value
