"""Where saved searches stand: a private one is seen by its owner alone, a shared one is its owner's to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from holdfast.kernel.auth import Identity
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import DeniedError, LimitError, NotFoundError
from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.ids import new_id
from holdfast.kernel.permissions import Role
from holdfast.kernel.sql import Database
from holdfast.telemetry.searches.events import CHANGED, DELETED, SAVED
from holdfast.telemetry.searches.tables import SEARCHES

MOST: Final = 10_000  # of a tenant
MOST_OWN: Final = 1000  # of one owner


class SearchKind(StrEnum):
    """What is searched."""

    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person says of a search.

    Attributes:
        query: in LogQL or PromQL; of traces the conditions, for people.
        view: the rest of how it is shown, as the address of the console holds it, without `?`; empty for the usual.
    """

    kind: SearchKind
    name: str
    query: str
    view: str = ""
    folder: str = ""
    tags: Sequence[str] = ()
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A saved search; `owner` is `user/<id>`, or who else saved it."""

    id: str
    wording: Wording
    owner: str
    made_at: datetime
    updated_at: datetime
    updated_by: str


class SearchShelf:
    """The saved searches of every tenant."""

    def __init__(self, db: Database, events: EventLog, clock: Clock) -> None:
        self._db = db
        self._events = events
        self._clock = clock

    async def entries(self, identity: Identity, kind: SearchKind | None = None) -> list[Search]:
        """Give those that somebody may see, by folder and name."""
        query = select(SEARCHES).where(_is_seen_by(identity))
        if kind is not None:
            query = query.where(SEARCHES.c.kind == kind)
        rows = await self._db.read(lambda tx: tx.execute(query).all())
        found = [_search(row) for row in rows]
        return sorted(found, key=lambda each: (each.wording.folder.lower(), each.wording.name.lower(), each.id))

    async def get(self, identity: Identity, name: str) -> Search:
        """Give one by its id; raises NotFoundError, also for one that somebody else keeps private."""
        return _search(await self._db.read(lambda tx: _find(tx, identity, name)))

    async def add(self, identity: Identity, wording: Wording) -> Search:
        """Save one; raises LimitError when there are too many."""
        name, now = new_id(), self._clock.now()

        def write(tx: Connection) -> None:
            mine = SEARCHES.c.tenant == identity.tenant
            for condition, most, whose in (
                (mine, MOST, "the tenant has"),
                (mine & (SEARCHES.c.owner == owner_of(identity)), MOST_OWN, "you have"),
            ):
                count = tx.execute(select(func.count()).where(condition)).scalar_one()
                if count >= most:
                    raise LimitError(f"{whose} {count} saved searches", hint="delete some")
            own = {"tenant": identity.tenant, "id": name, "owner": owner_of(identity), "made_at": now}
            tx.execute(insert(SEARCHES).values(**own, **_columns(wording), updated_at=now, updated_by=identity.actor))
            self._tell(tx, identity, SAVED, name, wording)

        await self._db.write(write)
        return await self.get(identity, name)

    async def change(self, identity: Identity, name: str, wording: Wording) -> Search:
        """Replace what it says; raises NotFoundError, DeniedError."""

        def write(tx: Connection) -> None:
            _demand_own(identity, _find(tx, identity, name))
            values = {**_columns(wording), "updated_at": self._clock.now(), "updated_by": identity.actor}
            tx.execute(update(SEARCHES).where(_is(identity, name)).values(**values))
            self._tell(tx, identity, CHANGED, name, wording)

        await self._db.write(write)
        return await self.get(identity, name)

    async def delete(self, identity: Identity, name: str) -> None:
        """Take it off the shelf; raises NotFoundError, DeniedError."""

        def write(tx: Connection) -> None:
            row = _find(tx, identity, name)
            _demand_own(identity, row)
            tx.execute(delete(SEARCHES).where(_is(identity, name)))
            self._tell(tx, identity, DELETED, name, _search(row).wording)

        await self._db.write(write)

    def _tell(self, tx: Connection, identity: Identity, kind: EventKind, name: str, wording: Wording) -> None:
        data: dict[str, Any] = {"kind": wording.kind, "is_shared": wording.is_shared}
        data |= {"name": wording.name} if wording.is_shared else {}
        event = NewEvent(kind.name, f"search/{name}", data, actor=identity.actor, tenant=identity.tenant)
        self._events.append(tx, event)


def owner_of(identity: Identity) -> str:
    """Give whose a search is that an identity saves: the person's behind it, where there is one."""
    return f"user/{identity.user_id}" if identity.user_id else identity.actor


def _is(identity: Identity, name: str) -> Any:
    return (SEARCHES.c.tenant == identity.tenant) & (SEARCHES.c.id == name)


def _is_seen_by(identity: Identity) -> Any:
    return (SEARCHES.c.tenant == identity.tenant) & or_(SEARCHES.c.is_shared, SEARCHES.c.owner == owner_of(identity))


def _find(tx: Connection, identity: Identity, name: str) -> Row[Any]:
    row = tx.execute(select(SEARCHES).where(_is_seen_by(identity), SEARCHES.c.id == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no saved search {name}")
    return row


def _demand_own(identity: Identity, row: Row[Any]) -> None:
    if row.owner != owner_of(identity) and not identity.role.covers(Role.ADMIN):
        raise DeniedError("this search is somebody else's", hint="save it anew under your own name")


def _columns(wording: Wording) -> dict[str, Any]:
    return {**asdict(wording), "kind": wording.kind.value, "tags": list(wording.tags)}


def _search(row: Row[Any]) -> Search:
    wording = Wording(
        SearchKind(row.kind), row.name, row.query, row.view, row.folder, tuple(row.tags), is_shared=row.is_shared
    )
    return Search(row.id, wording, row.owner, row.made_at, row.updated_at, row.updated_by)
