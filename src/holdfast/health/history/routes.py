"""The API of a check's past: runs, latency, uptime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query

from holdfast.health.history.reading import History
from holdfast.health.routes import own
from holdfast.health.showing import show_latency, show_run, show_uptime
from holdfast.health.verdict import Verdict
from holdfast.health.views import LatencyView, RunPage, UptimeView
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import InvalidError, Place

MAX_POINTS: Final = 2000
DEFAULT_POINTS: Final = 120
MAX_LENGTH: Final = timedelta(days=400)
_EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

Reader = Annotated[Identity, Depends(requires("health.read"))]
Name = Annotated[str, Path(max_length=100, description="The check's name.")]
Start = Annotated[datetime | None, Query(description="From this time on; a day before `end` if not given.")]
End = Annotated[datetime | None, Query(description="Up to this time; now if not given.")]


def routes(history: History, clock: Clock) -> APIRouter:
    """Build the router over `history`; checks that are gone keep their past."""
    router = APIRouter(tags=["checks"])

    @router.get("/checks/{name}/history", operation_id="listCheckRuns")
    async def list_runs(
        *,
        identity: Reader,
        name: Name,
        start: Start = None,
        end: End = None,
        verdict: Annotated[list[Verdict] | None, Query(description="Only these verdicts.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> RunPage:
        """List runs, newest first."""
        own(identity, name)
        begin, until = _between(start, end, clock)
        runs = await history.runs(name, begin, until, limit=limit, verdicts=verdict or ())
        return RunPage([show_run(run) for run in runs], runs[-1].at.isoformat() if len(runs) == limit else None)

    @router.get("/checks/{name}/latency", operation_id="getCheckLatency")
    async def get_latency(
        *,
        identity: Reader,
        name: Name,
        start: Start = None,
        end: End = None,
        step_s: Annotated[float | None, Query(ge=1, le=86_400 * 30)] = None,
    ) -> LatencyView:
        """Give percentiles over time; steps begin at `start`."""
        own(identity, name)
        begin, until = _between(start, end, clock)
        step = _step((until - begin).total_seconds(), step_s)
        points = await history.latency(name, begin, until, step)
        return show_latency(step, points, await history.percentiles(name, begin, until))

    @router.get("/checks/{name}/uptime", operation_id="getCheckUptime")
    async def get_uptime(
        *,
        identity: Reader,
        name: Name,
        start: Start = None,
        end: End = None,
        buckets: Annotated[int, Query(ge=1, le=500)] = 60,
    ) -> UptimeView:
        """Give the seconds of each verdict in equal parts of a time, and the uptime of all of it."""
        own(identity, name)
        begin, until = _between(start, end, clock)
        held = await history.held(name, begin, until, buckets)
        return show_uptime((until - begin).total_seconds(), held)

    return router


def _step(length_s: float, asked_s: float | None) -> float:
    step_s = asked_s or max(1.0, round(length_s / DEFAULT_POINTS))
    if length_s / step_s > MAX_POINTS:
        hint = f"write step_s={length_s / MAX_POINTS:.0f} or more"
        raise InvalidError(f"that would be more than {MAX_POINTS} points", hint=hint, place=Place(field="step_s"))
    return step_s


def _between(start: datetime | None, end: datetime | None, clock: Clock) -> tuple[datetime, datetime]:
    for name, moment in (("start", start), ("end", end)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidError("the time has no zone", hint="write 2026-01-01T00:00:00Z", place=Place(field=name))
    until = min(end, _LATEST) if end else clock.now()
    begin = max(start, _EARLIEST) if start else max(until, _EARLIEST + timedelta(days=1)) - timedelta(days=1)
    if not (begin < until and until - begin <= MAX_LENGTH):
        raise InvalidError("start must be before end, by 400 days at most", place=Place(field="start"))
    return begin, until
