"""`/loki/api/v1/patterns` as Loki answers it, and `GET /api/v1/logs/patterns` with a sample and the trend of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.api.envelope import success
from holdfast.telemetry.logs.api.parameters import NS, read_range, read_step_ns
from holdfast.telemetry.logs.logql import parse, parse_selector
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.patterns.keeping import PatternKeeping, PatternScope, PatternSeries
from holdfast.telemetry.logs.patterns.tables import BUCKET_S
from holdfast.telemetry.logs.records import DETECTED_LEVEL
from holdfast.telemetry.logs.selection import StreamScope
from holdfast.telemetry.metrics.api import Parameters
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.matching import chosen

if TYPE_CHECKING:
    from holdfast.telemetry.logs.selection import RecordSource
    from holdfast.telemetry.metrics import Matcher

Reader = Annotated[Identity, Depends(requires("logs.read"))]
_MOST_STEPS: Final = 11_000
_LEVELS: Final = frozenset({DETECTED_LEVEL, "level"})
_TREND: Final = 60  # steps


@dataclass(frozen=True, slots=True)
class LokiPatternRoutes:
    """The call of Loki's API; a `Part` of its surface."""

    keeping: PatternKeeping
    source: RecordSource

    def add_to(self, router: APIRouter) -> None:
        """Put it on the router."""
        router.add_api_route("/patterns", self.patterns, methods=["GET", "POST"])

    async def patterns(self, request: Request, identity: Reader) -> Response:
        """Give the patterns of the services whose streams match, with counts over time."""
        given = await Parameters.of(request)
        span = read_range(given)
        step_s = max(read_step_ns(given, span) // NS, BUCKET_S) if given.text("step") else BUCKET_S
        if (span.end_ns - span.start_ns) // NS > step_s * _MOST_STEPS:
            raise InvalidError(f"more than {_MOST_STEPS} steps", hint="ask for a longer step or a shorter time")
        matchers = _matchers(given.text("query"))
        streams = [each for each in matchers if each.label not in _LEVELS]
        scope = StreamScope((tuple(streams),), span.start_ns, span.end_ns)
        found = await self.source.streams(identity.tenant, scope)
        services = sorted({dict(labels).get("service_name", "unknown_service") for labels in found})
        if not services:
            return success([])
        asked = PatternScope(span.start_ns // NS, -(-span.end_ns // NS), step_s, services)
        levels = [each for each in matchers if each.label in _LEVELS]
        read = await self.keeping.read(identity.tenant, asked)
        return success(
            [
                {"pattern": each.text, "level": each.key.level, "samples": each.samples}
                for each in read
                if chosen([labels_of(dict.fromkeys(_LEVELS, each.key.level))], levels)
            ]
        )


def _matchers(query: str) -> tuple[Matcher, ...]:
    if not query.strip().endswith("}"):
        found = parse(query)
        if not isinstance(found, LogSelector):
            raise InvalidError("patterns are of lines, not of a metric", hint='ask for {service_name="..."}')
        return tuple(found.matchers)
    return parse_selector(query)


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Lines in a step that begins at `at`."""

    at: datetime
    lines: int


@dataclass(frozen=True, slots=True)
class PatternView:
    """A pattern with one of its lines.

    Attributes:
        trend: steps with lines; at most 60 steps between start and end.
        filter: the filter of LogQL that finds its lines.
    """

    id: str
    service: str
    level: str
    pattern: str
    sample: str
    lines: int
    first_at: datetime
    last_at: datetime
    filter: str
    trend: list[TrendPoint]


@dataclass(frozen=True, slots=True)
class PatternList:
    """Patterns, those with most lines first, and the seconds of a step of their trends."""

    patterns: list[PatternView]
    step_s: int


def routes(keeping: PatternKeeping, clock: Clock) -> APIRouter:
    """Give the routes of our own API."""
    router = APIRouter(prefix="/logs", tags=["logs"])

    @router.get("/patterns", operation_id="listLogPatterns")
    async def list_patterns(
        identity: Reader,
        service: Annotated[list[str] | None, Query(max_length=100)] = None,
        level: Annotated[list[str] | None, Query(max_length=10)] = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> PatternList:
        """Give patterns of services and levels (all if not given) from start to end, by default the last hour."""
        last = (end or clock.now()).timestamp()
        first = start.timestamp() if start else last - timedelta(hours=1).total_seconds()
        if not 0 <= first < last < 2**32:
            raise InvalidError("end is not after start", hint="give RFC 3339 times between 1970 and 2106")
        step_s = max(BUCKET_S, -(-int((last - first) / _TREND) // BUCKET_S) * BUCKET_S)
        scope = PatternScope(int(first), -int(-last // 1), step_s, service or (), level or (), limit)
        found = await keeping.read(identity.tenant, scope)
        return PatternList([_view(each) for each in found], step_s)

    return router


def _view(each: PatternSeries) -> PatternView:
    return PatternView(
        f"{each.key.identity:016x}",
        each.key.service,
        each.key.level,
        each.text,
        each.sample,
        each.lines,
        datetime.fromtimestamp(each.first_s, UTC),
        datetime.fromtimestamp(each.last_s, UTC),
        f"|> `{each.text}`",
        [TrendPoint(datetime.fromtimestamp(at_s, UTC), lines) for at_s, lines in each.samples],
    )
