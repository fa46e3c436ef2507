"""The host's past as curves, read from the stored metrics; counters become rates between the points of the grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, Protocol

from holdfast.health.host.samples import PREFIX
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.telemetry import Matcher, MatchOp, Point, Series

MAX_POINTS: Final = 2000
_POINTS: Final = 240
_LONGEST_S: Final = 100 * 366 * 86_400


class HostMetric(StrEnum):
    """What of the host can be drawn."""

    CPU = "cpu"
    MEMORY = "memory"
    LOAD = "load"
    DISK = "disk"
    DISK_IO = "disk_io"
    NETWORK = "network"
    FDS = "fds"
    TEMPERATURE = "temperature"


@dataclass(frozen=True, slots=True)
class _Curve:
    """One stored metric: how its series are called, and what makes a point of a value.

    `label` may name the series' labels in braces. A counter is drawn as its growth per second.
    """

    metric: str
    label: str
    factor: float = 1.0
    is_counter: bool = False
    only: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Chart:
    unit: str
    curves: tuple[_Curve, ...]


_CHARTS: Final[Mapping[HostMetric, _Chart]] = {
    HostMetric.CPU: _Chart(
        "percent",
        (
            _Curve("cpu_busy_ratio", "busy", 100),
            _Curve("cpu_mode_ratio", "{mode}", 100, only={"mode": "user|system|iowait|steal"}),
        ),
    ),
    HostMetric.MEMORY: _Chart(
        "bytes",
        (
            _Curve("memory_used_bytes", "used"),
            _Curve("memory_available_bytes", "available"),
            _Curve("swap_used_bytes", "swap used"),
        ),
    ),
    HostMetric.LOAD: _Chart("processes", (_Curve("load", "{window}"),)),
    HostMetric.DISK: _Chart("percent", (_Curve("disk_used_ratio", "{mount}", 100),)),
    HostMetric.DISK_IO: _Chart(
        "bytes/s",
        (
            _Curve("disk_read_bytes_total", "{device} read", is_counter=True),
            _Curve("disk_written_bytes_total", "{device} written", is_counter=True),
        ),
    ),
    HostMetric.NETWORK: _Chart(
        "bytes/s",
        (
            _Curve("network_received_bytes_total", "{interface} received", is_counter=True),
            _Curve("network_sent_bytes_total", "{interface} sent", is_counter=True),
        ),
    ),
    HostMetric.FDS: _Chart("files", (_Curve("fds_used", "open"),)),
    HostMetric.TEMPERATURE: _Chart("celsius", (_Curve("temperature_celsius", "{sensor}"),)),
}


@dataclass(frozen=True, slots=True)
class SeriesOut:
    """One curve: pairs of Unix seconds and value; null where nothing was measured."""

    label: str
    points: list[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class HostSeriesOut:
    """A chart of the host."""

    metric: HostMetric
    unit: str
    step_s: float
    series: list[SeriesOut]


class Source(Protocol):
    """Where the past is read; `telemetry.MetricSource` is one."""

    async def range(
        self,
        tenant: TenantId,
        name: str,
        matchers: Sequence[Matcher] = (),
        *,
        start: datetime,
        end: datetime,
        step: timedelta,
        lookback: timedelta = ...,
    ) -> list[Series]:
        """Give the values on a grid of times."""
        ...


class HostHistory:
    """Draws the host's past."""

    def __init__(self, source: Source, every_s: float) -> None:
        self._source = source
        self._every_s = every_s

    async def chart(
        self, metric: HostMetric, host: str, start: datetime, end: datetime, step_s: float | None = None
    ) -> HostSeriesOut:
        """Give one chart.

        Args:
            metric: what to draw.
            host: the host's name.
            start: of the grid.
            end: of the grid; not before `start`.
            step_s: seconds between two points, never less than between two readings; about 240 points without it.

        Raises:
            InvalidError: the end is before the start, the start before 1970 or 100 years away, or there would be more
                than 2,000 points.
            UnavailableError: the store does not answer.
        """
        length_s = (end - start).total_seconds()
        if length_s <= 0:
            raise InvalidError("end must be after start", hint="both are times such as 2026-01-01T00:00:00Z")
        if start.timestamp() < 0:
            raise InvalidError(f"start is before 1970: {start.isoformat()}", hint="no host was read then")
        if length_s > _LONGEST_S:
            raise InvalidError("start and end are more than 100 years apart", hint="choose a shorter time range")
        chosen_s = max(self._every_s, min(step_s or length_s / _POINTS, length_s))
        if length_s / chosen_s > MAX_POINTS:
            raise InvalidError(
                f"{length_s / chosen_s:.0f} points are more than {MAX_POINTS}", hint="choose a longer step_s"
            )
        chart = _CHARTS[metric]
        first = datetime.fromtimestamp(start.timestamp() // chosen_s * chosen_s, start.tzinfo)
        found: list[SeriesOut] = []
        for curve in chart.curves:
            found += await self._draw(curve, host, first, end, chosen_s)
        return HostSeriesOut(metric, chart.unit, chosen_s, found)

    async def _draw(self, curve: _Curve, host: str, first: datetime, end: datetime, step_s: float) -> list[SeriesOut]:
        step = timedelta(seconds=step_s)
        matchers = [Matcher("host", MatchOp.EQUAL, host)]
        matchers += [Matcher(label, MatchOp.MATCHES, value) for label, value in (curve.only or {}).items()]
        start = first - step if curve.is_counter else first
        found = await self._source.range(
            DEFAULT_TENANT,
            f"{PREFIX}{curve.metric}",
            matchers,
            start=start,
            end=end,
            step=step,
            lookback=max(step, timedelta(seconds=3 * self._every_s)),
        )
        return [
            SeriesOut(
                curve.label.format_map(dict(series.labels)),
                _fill(_rates(series.points, step_s) if curve.is_counter else series.points, curve.factor, step_s),
            )
            for series in found
        ]


def _rates(points: Sequence[Point], step_s: float) -> list[Point]:
    """Give the growth per second between neighbours on the grid; none over a gap or a reset."""
    return [
        Point(now.at, (now.value - before.value) / step_s)
        for before, now in pairwise(points)
        if (now.at - before.at).total_seconds() < 1.5 * step_s and now.value >= before.value
    ]


def _fill(points: Sequence[Point], factor: float, step_s: float) -> list[tuple[float, float | None]]:
    """Give pairs for the chart, with one null in each gap, so that no line is drawn across it."""
    filled: list[tuple[float, float | None]] = []
    for point in points:
        at_s = point.at.timestamp()
        if filled and at_s - filled[-1][0] > 1.5 * step_s:
            filled.append((filled[-1][0] + step_s, None))
        filled.append((at_s, point.value * factor))
    return filled
