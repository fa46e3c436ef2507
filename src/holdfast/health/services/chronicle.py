"""Keeps the turns of services: each is written once, with its event, whoever saw it first; memory holds 90 days.

The row in `service_standings` decides: who finds another verdict there writes the turn, the next one finds it done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, exists, func, insert, select, text, update

from holdfast.health.services import events
from holdfast.health.services.judging import ServiceHealth
from holdfast.health.services.tables import SERVICE_STANDINGS, SERVICE_TURNS, SERVICE_WATCHES
from holdfast.health.services.timeline import Timeline, Turn, WatchedTime
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT, ServiceId, new_id
from holdfast.kernel.sql import Database

_TICK: Final = timedelta(microseconds=1)
KEPT: Final = timedelta(days=91)  # the longest window, and a day in which to clean up
_ENSURE_STANDING: Final = text(
    "INSERT INTO service_standings (tenant, service, verdict, is_spared)"
    " VALUES (:tenant, :service, 'unknown', false) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the database holds."""

    timelines: dict[ServiceId, Timeline]
    spans: tuple[tuple[float, float], ...]


class Chronicle:
    """The turns of all services of the default tenant."""

    def __init__(self, db: Database, log: EventLog, clock: Clock) -> None:
        self._db = db
        self._log = log
        self._clock = clock
        self._id = ""
        self._timelines: dict[ServiceId, Timeline] = {}
        self._spans: tuple[tuple[float, float], ...] = ()
        self._started_at: datetime | None = None

    def timeline(self, service: ServiceId) -> Timeline:
        """Give the turns of a service; an empty timeline for one that nobody knows."""
        return self._timelines.get(service) or Timeline()

    @property
    def watched(self) -> WatchedTime:
        """The times at which somebody watched, up to now."""
        now_s = self._clock.now().timestamp()
        current = ((self._started_at.timestamp(), now_s),) if self._started_at else ()
        return WatchedTime((*self._spans, *current))

    async def open(self) -> None:
        """Read what is known and begin to watch; the first `mark` writes that down."""
        now = self._clock.now()
        kept = await self._db.read(lambda tx: _read(tx, now - KEPT))
        self._timelines, self._spans = kept.timelines, kept.spans
        self._id, self._started_at = new_id(), now

    async def mark(self) -> None:
        """Note that somebody watched until now."""
        started_at, now = self._started_at, self._clock.now()
        if started_at is not None:
            await self._db.write(lambda tx: _mark(tx, self._id, started_at, now))

    async def record(self, healths: Mapping[ServiceId, ServiceHealth]) -> int:
        """Write the turns that `healths` make against the last ones, each with its event; give how many there were."""
        turned = {service: health for service, health in healths.items() if self._differs(service, health)}
        if not turned:
            return 0
        await self._write(turned, with_events=True)
        return len(turned)

    async def close_gone(self, present: Iterable[ServiceId]) -> None:
        """Let services that are no more end as `unknown`; the event of that is the catalog's."""
        known = set(present)
        gone = {
            service: ServiceHealth()
            for service, timeline in self._timelines.items()
            if service not in known and timeline.last and timeline.last.verdict is not Verdict.UNKNOWN
        }
        if gone:
            await self._write(gone, with_events=False)

    async def prune(self) -> None:
        """Forget what is older than any window needs."""
        cutoff = self._clock.now() - KEPT
        await self._db.write(lambda tx: _prune(tx, cutoff))
        for timeline in self._timelines.values():
            timeline.forget_before(cutoff.timestamp())

    async def _write(self, turned: Mapping[ServiceId, ServiceHealth], *, with_events: bool) -> None:
        now = self._clock.now()
        log = self._log if with_events else None
        written = await self._db.write(lambda tx: _write(tx, log, turned, now))
        for service, at in written.items():
            turn = Turn(at.timestamp(), turned[service].verdict, turned[service].is_spared)
            self._timelines.setdefault(service, Timeline()).add(turn)

    def _differs(self, service: ServiceId, health: ServiceHealth) -> bool:
        last = self.timeline(service).last
        before = (last.verdict, last.is_spared) if last else (Verdict.UNKNOWN, False)
        return before != (health.verdict, health.is_spared)


def _write(
    tx: Connection, log: EventLog | None, turned: Mapping[ServiceId, ServiceHealth], now: datetime
) -> dict[ServiceId, datetime]:
    """Write what no other process has written yet, and give when each turn was.

    In a fixed order, so that two processes cannot block each other; a clock that was set back orders nothing anew.
    """
    news, times = [], {}
    for service in sorted(turned):
        health, key = turned[service], {"tenant": DEFAULT_TENANT, "service": service}
        tx.execute(_ENSURE_STANDING, key)
        standing, turns = SERVICE_STANDINGS.c, SERVICE_TURNS.c
        where = (standing.tenant == DEFAULT_TENANT) & (standing.service == service)
        row = tx.execute(select(standing.verdict, standing.is_spared).where(where).with_for_update()).one()
        newest = select(func.max(turns.at)).where(turns.tenant == DEFAULT_TENANT, turns.service == service)
        last = tx.execute(newest).scalar()
        values = {"verdict": health.verdict.value, "is_spared": health.is_spared}
        if (row.verdict, row.is_spared) == (health.verdict.value, health.is_spared):
            times[service] = last or now
            continue
        times[service] = max(now, last + _TICK) if last else now
        tx.execute(update(SERVICE_STANDINGS).where(where).values(**values))
        tx.execute(insert(SERVICE_TURNS).values(**key, **values, at=times[service]))
        if row.verdict != health.verdict.value:
            news.append(events.changed(service, Verdict(row.verdict), health))
    if log is not None:
        log.append(tx, *news)
    return times


def _read(tx: Connection, cutoff: datetime) -> _Kept:
    """Read the turns since `cutoff` and, of each service, the one in force at that time."""
    turns = SERVICE_TURNS.c
    later = SERVICE_TURNS.alias()
    is_over = exists().where(
        later.c.tenant == turns.tenant, later.c.service == turns.service, later.c.at > turns.at, later.c.at <= cutoff
    )
    query = select(turns.service, turns.at, turns.verdict, turns.is_spared).where(
        turns.tenant == DEFAULT_TENANT, (turns.at > cutoff) | ~is_over
    )
    timelines: dict[ServiceId, Timeline] = {}
    for row in tx.execute(query.order_by(turns.service, turns.at)):
        turn = Turn(row.at.timestamp(), Verdict(row.verdict), row.is_spared)
        timelines.setdefault(ServiceId(row.service), Timeline()).add(turn)
    watches = SERVICE_WATCHES.c
    spans = tx.execute(
        select(watches.started_at, watches.seen_at).where(watches.tenant == DEFAULT_TENANT, watches.seen_at > cutoff)
    )
    watched = tuple((row.started_at.timestamp(), row.seen_at.timestamp()) for row in spans)
    for timeline in timelines.values():
        timeline.sum_up(WatchedTime(watched))
    return _Kept(timelines, watched)


def _mark(tx: Connection, watch: str, started_at: datetime, now: datetime) -> None:
    done = tx.execute(update(SERVICE_WATCHES).where(SERVICE_WATCHES.c.id == watch).values(seen_at=now))
    if not done.rowcount:
        row = {"id": watch, "tenant": DEFAULT_TENANT, "started_at": started_at, "seen_at": now}
        tx.execute(insert(SERVICE_WATCHES).values(**row))


def _prune(tx: Connection, cutoff: datetime) -> None:
    turns, later = SERVICE_TURNS.c, SERVICE_TURNS.alias()
    is_over = exists().where(
        later.c.tenant == turns.tenant, later.c.service == turns.service, later.c.at > turns.at, later.c.at <= cutoff
    )
    tx.execute(delete(SERVICE_TURNS).where(turns.at < cutoff, is_over))
    tx.execute(delete(SERVICE_WATCHES).where(SERVICE_WATCHES.c.seen_at < cutoff))
