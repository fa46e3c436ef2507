"""`/maintenance`: windows of files are shown, windows of people planned and called off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Depends, Path
from pydantic import ConfigDict, Field

from holdfast.health.checking import TENANT, Checking
from holdfast.health.checks import Once, Period, Selector, Window
from holdfast.health.showing import show_window
from holdfast.health.views import WindowPage, WindowView
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import DeniedError, InvalidError, LimitError, Place
from holdfast.kernel.ids import new_id
from holdfast.kernel.units import Moment

LONGEST: Final = timedelta(days=92)
MOST_WINDOWS: Final = 1000

Text = Annotated[str, Field(max_length=200)]
Reader = Annotated[Identity, Depends(requires("health.read"))]
WriterOf = Annotated[Identity, Depends(requires("health.write"))]


@dataclass(frozen=True, slots=True)
class SelectorIn:
    """Which checks the window covers; at least one of the three."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    checks: Annotated[list[Text], Field(max_length=1000)] = field(default_factory=list)
    services: Annotated[list[Text], Field(max_length=1000)] = field(default_factory=list)
    labels: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WindowIn:
    """A window to plan; it starts now when `starts_at` is not given."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    selector: SelectorIn
    ends_at: Moment
    starts_at: Moment | None = None
    reason: Annotated[str, Field(max_length=2000)] = ""


def routes(checking: Checking, clock: Clock) -> APIRouter:
    """Build the router over `checking`."""
    router = APIRouter(tags=["maintenance"])
    upkeep = checking.engine.upkeep

    @router.get("/maintenance", operation_id="listMaintenance")
    async def list_windows(identity: Reader) -> WindowPage:
        """List windows that are open or to come, soonest first; past ones are in the event log."""
        if identity.tenant != TENANT:
            return WindowPage([], None)
        now = clock.now()
        shown = [show_window(window, now, is_from_file=not upkeep.is_of_people(window.id)) for window in upkeep.windows]
        coming = [window for window in shown if window.ends_at is not None and window.ends_at > now]
        return WindowPage(sorted(coming, key=lambda window: (window.starts_at, window.id)), None)

    @router.post("/maintenance", operation_id="planMaintenance", status_code=201)
    async def plan_window(identity: WriterOf, asked: WindowIn) -> WindowView:
        """Plan maintenance, from now or later on."""
        _own(identity)
        if len(upkeep.windows) >= MOST_WINDOWS:
            raise LimitError(f"there are {MOST_WINDOWS} maintenance windows", hint="call some off")
        window, period = _to_window(asked, clock.now())
        await upkeep.add(window, period, identity.actor)
        return show_window(window, clock.now(), is_from_file=False)

    @router.delete("/maintenance/{window_id}", operation_id="cancelMaintenance", status_code=204)
    async def cancel_window(identity: WriterOf, window_id: Annotated[str, Path(max_length=100)]) -> None:
        """Call maintenance off, or end it now."""
        _own(identity)
        await upkeep.remove(window_id, identity.actor)

    return router


def _own(identity: Identity) -> None:
    if identity.tenant != TENANT:
        raise DeniedError("maintenance is planned by the tenant whose checks these are")


def _to_window(asked: WindowIn, now: datetime) -> tuple[Window, Period]:
    start, end = asked.starts_at or now, asked.ends_at
    for name, moment in (("starts_at", start), ("ends_at", end)):
        if moment.tzinfo is None:
            raise InvalidError("the time has no zone", hint="write 2026-01-01T00:00:00Z", place=Place(field=name))
    if not start < end <= start + LONGEST or end <= now:
        raise InvalidError("it must end after it starts, later than now, within 92 days", place=Place(field="ends_at"))
    selector = Selector(tuple(asked.selector.checks), tuple(asked.selector.services), asked.selector.labels)
    if selector.is_empty():
        raise InvalidError("it covers nothing", hint="name checks, services or labels", place=Place(field="selector"))
    period = Period(start, end)
    return Window(new_id(), asked.name, selector, Once(period), asked.reason), period
