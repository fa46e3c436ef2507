"""The deploys of every tenant: recorded by who deploys, listed for who asks what changed.

The row is the truth: whoever inserts it, or changes it while it is still as it was read, tells the event in the same
transaction. So several processes over one database, and a start after a crash, tell a deploy once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, Select, Table, select

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.versions.events import RECORDED
from holdfast.telemetry.versions.noting import note
from holdfast.telemetry.versions.past import Ending
from holdfast.telemetry.versions.recording import Recording, place_of, record
from holdfast.telemetry.versions.settling import settle
from holdfast.telemetry.versions.standing import alive, rows_of, running
from holdfast.telemetry.versions.tables import PAST_DEPLOYS, SERVICE_VERSIONS
from holdfast.telemetry.versions.telling import deploy_event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.kernel.auth import Identity
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.kernel.sql import Database
    from holdfast.telemetry.versions.hearing import Heard
    from holdfast.telemetry.versions.settings import VersionsSettings
    from holdfast.telemetry.versions.standing import Rows
    from holdfast.telemetry.versions.telling import Teller

_AHEAD: Final = timedelta(minutes=5)  # by which a clock may be wrong


class DeployState(StrEnum):
    """Where a version stands."""

    RUNNING = "running"
    BESIDE = "beside"  # an older one that is still heard, or a canary
    AWAITED = "awaited"  # recorded, and not heard yet
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy of a version of a service in an environment; the same version may be deployed again.

    Attributes:
        from_version: what ran before it; None where nothing is known.
        to_version: what ran after it.
        ending: how it ended; None while it goes on, and of what ended before this was noted.
        is_rollback: it was a way back, to a version that was known before the one that it left.
        is_baseline: the first version that was heard of the service: it was running already.
        began_at: since when it is deployed.
        first_seen, last_seen: when telemetry told it since then; None while only a record says so.
        settled_at: since when no other is heard.
        ended_at: when it was found to be heard no more.
        trace_id, instance: where it was heard first.
    """

    service: str
    environment: str
    version: str
    from_version: str | None
    to_version: str | None
    state: DeployState
    ending: Ending | None
    is_rollback: bool
    is_baseline: bool
    began_at: datetime
    first_seen: datetime | None
    last_seen: datetime | None
    settled_at: datetime | None
    ended_at: datetime | None
    trace_id: str
    instance: str
    commit: str
    url: str
    by: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a record; `is_new` unless the version ran already."""

    deploy: Deploy
    is_new: bool


class VersionBook:
    """The versions of all tenants."""

    def __init__(self, db: Database, teller: Teller, clock: Clock, settings: VersionsSettings) -> None:
        self._db = db
        self._teller = teller
        self._clock = clock
        self._settings = settings
        self._floor = timedelta(seconds=settings.settle_after)

    async def note(self, heard: Iterable[Heard]) -> None:
        """Write down what was heard."""
        told, now = list(heard), self._clock.now()
        if told:
            await self._db.write(lambda tx: self._teller.tell(tx, note(tx, told, now, self._floor)))

    async def settle(self) -> None:
        """Find versions that are heard no more."""
        now = self._clock.now()
        await self._db.write(lambda tx: self._teller.tell(tx, settle(tx, self._floor, now)))

    async def record(self, identity: Identity, said: Recording) -> Recorded:
        """Record a deploy; a version that is the newest already gets what is said of it, and makes no second event.

        Raises:
            InvalidError: it lies in the future, or nobody knows where its clock stands.
        """
        now = self._clock.now()
        at = said.at or now
        if at.tzinfo is None:
            hint = "such as 2026-01-31T12:00:00Z"
            raise InvalidError(f"field 'at': {at.isoformat()} has no time zone", hint=hint, place=Place(field="at"))
        if at > now + _AHEAD:
            hint = "record a deploy when it is done"
            raise InvalidError(f"field 'at': {at.isoformat()} lies in the future", hint=hint, place=Place(field="at"))
        return await self._db.write(lambda tx: self._record(tx, identity, said, min(at, now)))

    async def deploys(
        self, tenant: TenantId, *, service: str = "", since: datetime | None = None, limit: int = 100
    ) -> list[Deploy]:
        """Give deploys, the newest first."""

        def of(table: Table) -> Select[Any]:
            mine = table.c.tenant == tenant
            return select(table).where(mine & (table.c.service == service) if service else mine)

        def newest(table: Table) -> Select[Any]:
            query = of(table) if since is None else of(table).where(table.c.began_at >= since)
            return query.order_by(table.c.began_at.desc(), table.c.service, table.c.version).limit(limit)

        living = of(SERVICE_VERSIONS).where(SERVICE_VERSIONS.c.ended_at.is_(None))
        queries = (newest(SERVICE_VERSIONS), newest(PAST_DEPLOYS), living)
        rows, past, still = await self._db.read(lambda tx: [tx.execute(query).all() for query in queries])
        shown = sorted([*_show(rows, still), *_show(past, ())], key=lambda each: (each.service, each.version))
        return sorted(shown, key=lambda each: each.began_at, reverse=True)[:limit]

    def _record(self, tx: Connection, identity: Identity, said: Recording, at: datetime) -> Recorded:
        now = self._clock.now()
        said = replace(said, environment=place_of(tx, identity.tenant, said))
        is_told = at >= now - timedelta(seconds=self._settings.fresh_for)
        is_new = record(tx, identity.tenant, said, at, now, is_told=is_told)
        rows = [row for row in rows_of(tx, identity.tenant, said.service) if row.environment == said.environment]
        mine = next(row for row in rows if row.version == said.version)
        if is_new and is_told:
            more = {"commit": said.commit, "url": said.url, "by": said.by, "at": at.isoformat()}
            event = deploy_event(RECORDED, mine, mine.from_version, actor=identity.actor, **more)
            self._teller.tell(tx, [event])
        return Recorded(_show([mine], alive(rows))[0], is_new)


def _show(rows: Sequence[Row[Any]], living: Rows) -> list[Deploy]:
    places: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in living:
        places.setdefault((row.service, row.environment), []).append(row)
    heads = {place: running(there) for place, there in places.items()}
    return [_deploy(row, heads.get((row.service, row.environment))) for row in rows]


def _deploy(row: Row[Any], head: Row[Any] | None) -> Deploy:
    if row.ended_at is not None:
        state = DeployState.ENDED
    elif head is not None and head.version == row.version:
        state = DeployState.RUNNING
    else:
        state = DeployState.BESIDE if row.is_heard else DeployState.AWAITED
    has_ended = row.ended_at is not None  # a process of the release before leaves the rest as it was
    special: dict[str, Any] = {
        "state": state,
        "ending": Ending(row.ending) if has_ended and row.ending else None,
        "to_version": row.to_version if has_ended else None,
    }
    names = Deploy.__dataclass_fields__.keys() - special.keys()
    return Deploy(**special, **{name: getattr(row, name) for name in names})
