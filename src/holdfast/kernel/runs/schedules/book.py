"""The schedules that this process knows: kept in step with their rows, ticked, paused, started by hand, shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from holdfast.kernel import decoding
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConflictError, NotFoundError
from holdfast.kernel.events import EventKind, EventLog, NewEvent, Wake
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId, new_id
from holdfast.kernel.runs.model import RunId
from holdfast.kernel.runs.schedules import rows, ticking
from holdfast.kernel.runs.schedules.rows import Standing
from holdfast.kernel.runs.schedules.schedule import Schedule
from holdfast.kernel.runs.schedules.ticking import Launcher, Tick
from holdfast.kernel.sql import Database

CHANGED: Final = EventKind("schedule.changed", "Somebody paused or resumed a schedule: {schedule, paused}.")
_LONGEST_S: Final = 30.0
_LOOK_AGAIN_S: Final = 1.0
_UPCOMING: Final = 5

Spot = tuple[TenantId, str]


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule as it is shown.

    Attributes:
        standing: where it stands.
        upcoming: its next starts, jitter included; empty when it is paused or not known to this process.
        is_known: whether this process has its definition.
    """

    standing: Standing
    upcoming: tuple[datetime, ...]
    is_known: bool


class ScheduleBook:
    """All schedules of one process, from code and from the ops folder."""

    def __init__(
        self, db: Database, events: EventLog, clock: Clock, launcher: Launcher, wake_engine: Callable[[Tick], None]
    ) -> None:
        self._db = db
        self._events = events
        self._clock = clock
        self._launcher = launcher
        self._wake_engine = wake_engine
        self._schedules: dict[Spot, Schedule] = {}
        self._sources: dict[Spot, str] = {}
        self._last_now: datetime | None = None
        self.wake = Wake()

    def add(self, schedule: Schedule) -> None:
        """Take a schedule from code; it is put in force by the next `sync`.

        Raises:
            ConflictError: another one has this name.
        """
        spot = (schedule.tenant, schedule.name)
        if self._schedules.get(spot, schedule) != schedule:
            raise ConflictError(f"the schedule {schedule.name!r} is there twice", hint="rename one of them")
        self._schedules[spot] = schedule
        self._sources[spot] = "code"

    async def sync(self) -> None:
        """Put all schedules in force; one whose instants have changed begins anew, the others go on where they were."""
        await self._db.write(partial(self._sync, spots=dict(self._sources)))
        self.wake.send()

    async def replace_ops(self, schedules: Iterable[Schedule]) -> None:
        """Put these in force instead of all that came from the ops folder before; code wins where names meet."""
        fresh: dict[Spot, Schedule] = {(schedule.tenant, schedule.name): schedule for schedule in schedules}
        ours = {spot: schedule for spot, schedule in fresh.items() if self._sources.get(spot) != "code"}
        for spot in [spot for spot, source in self._sources.items() if source == "ops"]:
            del self._schedules[spot], self._sources[spot]
        self._schedules |= ours
        self._sources |= dict.fromkeys(ours, "ops")
        await self._db.write(lambda tx: rows.remove_missing(tx, "ops", ours))
        await self.sync()

    async def tick(self) -> datetime | None:
        """Start all that is owed now; give the moment at which to look again."""
        now = self._clock.now()
        for spot in await self._db.read(lambda tx: rows.find_due(tx, now)):
            if spot in self._schedules:
                await self._tick_one(spot, now)
        if self._last_now is None or now < self._last_now:
            await self._notice_set_back(now)
        self._last_now = now
        known = self._schedules.keys()
        return await self._db.read(lambda tx: rows.find_next(tx, known))

    async def run(self) -> None:
        """Tick for ever: at each instant, when a run of a schedule has ended, when the definitions change."""
        while True:
            seen = self.wake.version
            next_at = await self.tick()
            wait_s = _LONGEST_S if next_at is None else (next_at - self._clock.now()).total_seconds()
            # What is still due is in another process's hands, or known there by another definition.
            await self._pause(seen, min(wait_s, _LONGEST_S) if wait_s > 0 else _LOOK_AGAIN_S)

    async def pause(self, name: str, *, actor: str, tenant: TenantId = DEFAULT_TENANT) -> None:
        """Let the schedule start nothing; instants that pass meanwhile are not made up for."""
        await self._change(tenant, name, actor, is_paused=True)

    async def resume(self, name: str, *, actor: str, tenant: TenantId = DEFAULT_TENANT) -> None:
        """Let the schedule go on with its next instant."""
        await self._change(tenant, name, actor, is_paused=False)
        self.wake.send()

    async def start_now(self, name: str, *, actor: str, tenant: TenantId = DEFAULT_TENANT) -> RunId:
        """Start a run out of turn, whatever else runs, also when the schedule is paused; its instants stay as they are.

        Raises:
            NotFoundError: this process does not know the schedule.
        """
        schedule = self._schedules.get((tenant, name))
        if schedule is None:
            raise self._unknown(name)
        run_id = await self._db.write(lambda tx: self._start_now(tx, schedule, actor))
        self._wake_engine(Tick((run_id,)))
        return run_id

    async def views(self, tenant: TenantId = DEFAULT_TENANT) -> list[ScheduleView]:
        """Give the tenant's schedules by name, those of other processes too."""
        now = self._clock.now()
        return [self._view(standing, now) for standing in await self._db.read(lambda tx: rows.read_all(tx, tenant))]

    def preview(self, name: str, count: int, *, tenant: TenantId = DEFAULT_TENANT) -> list[datetime]:
        """Give the next `count` starts, jitter included.

        Raises:
            NotFoundError: this process does not know the schedule.
        """
        schedule = self._schedules.get((tenant, name))
        if schedule is None:
            raise self._unknown(name)
        return schedule.timing.preview(self._clock.now(), count)

    async def _tick_one(self, spot: Spot, now: datetime) -> None:
        launcher, events = self._launcher, self._events
        done = await self._db.write(lambda tx: ticking.tick(tx, self._schedules, spot, now, launcher, events))
        if done.started or done.cancelled:
            self._wake_engine(done)

    async def _notice_set_back(self, now: datetime) -> None:
        """Handle the schedules that wait for a moment which, now that the clock was set back, is not the next one."""
        for standing in await self._db.read(rows.read_all):
            spot = (standing.tenant, standing.name)
            schedule = self._schedules.get(spot)
            if schedule is None or standing.next_due is None or standing.is_paused:
                continue
            natural = schedule.timing.trigger.next_after(now)
            if natural is not None and standing.next_due > natural:
                await self._tick_one(spot, now)

    async def _pause(self, seen: int, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self.wake.wait(seen, _LONGEST_S * 10))
        try:
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            woken.cancel()

    def _sync(self, tx: Connection, spots: dict[Spot, str]) -> None:
        now = self._clock.now()
        for spot, source in sorted(spots.items()):
            schedule = self._schedules[spot]
            there = rows.lock(tx, *spot)
            plain = Standing(*spot, schedule.workflow, schedule.fingerprint, source, rows.describe(schedule)).pointed(
                schedule, schedule.timing.trigger.next_after(now)
            )
            if there is None and not rows.add(tx, plain):
                there = rows.lock(tx, *spot)
            if there is None:
                continue
            if there.fingerprint != schedule.fingerprint:
                rows.write(tx, plain.after(there))
            else:
                same = replace(there, workflow=plain.workflow, source=source, definition=plain.definition)
                rows.write(tx, same.pointed(schedule, there.next_due))

    async def _change(self, tenant: TenantId, name: str, actor: str, *, is_paused: bool) -> None:
        def change(tx: Connection) -> None:
            standing = rows.lock(tx, tenant, name)
            if standing is None:
                raise self._unknown(name)
            if standing.is_paused == is_paused:
                return
            after = replace(standing, is_paused=is_paused, changed_at=self._clock.now(), changed_by=actor, held=())
            schedule = self._schedules.get((tenant, name))
            if schedule is not None and not is_paused:
                after = after.pointed(schedule, schedule.timing.trigger.next_after(self._clock.now()))
            rows.write(tx, after)
            data = {"schedule": name, "paused": is_paused}
            self._events.append(tx, NewEvent(CHANGED.name, f"schedule/{name}", data, actor=actor, tenant=tenant))

        await self._db.write(change)

    def _start_now(self, tx: Connection, schedule: Schedule, actor: str) -> RunId:
        standing = rows.lock(tx, schedule.tenant, schedule.name)
        run_id = self._launcher.launch(tx, schedule, f"schedule/{schedule.name}/by-hand/{new_id()}", actor)
        if standing is not None:
            rows.write(tx, replace(standing, last_run_id=run_id))
        return run_id

    def _view(self, standing: Standing, now: datetime) -> ScheduleView:
        schedule = self._schedules.get((standing.tenant, standing.name))
        if schedule is None or standing.is_paused:
            return ScheduleView(standing, (), schedule is not None)
        return ScheduleView(standing, tuple(schedule.timing.preview(now, _UPCOMING)), is_known=True)

    def _unknown(self, name: str) -> NotFoundError:
        hint = decoding.suggest(name, [known for _, known in self._schedules])
        return NotFoundError(f"there is no schedule {name!r}", hint=hint)
