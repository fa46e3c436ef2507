"""Investigations and their cells in the database.

Each cell has its own version: two people at two cells never disturb each other, and two at one see who was first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from holdfast.kernel.decoding import decode
from holdfast.kernel.errors import ConflictError, LimitError, NotFoundError
from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.ids import new_id
from holdfast.kernel.sql import keepable
from holdfast.telemetry.investigations.cells import Cell, CellKind, Content, Evidence
from holdfast.telemetry.investigations.events import (
    CELL_ADDED,
    CELL_CHANGED,
    CELL_MOVED,
    CELL_REMOVED,
    DELETED,
    OPENED,
    RENAMED,
)
from holdfast.telemetry.investigations.tables import CELLS, INVESTIGATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kernel.auth import Identity
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.kernel.sql import Database

MOST: Final = 5000  # of a tenant
MOST_CELLS: Final = 200  # of one
_GAP: Final = 2**20


@dataclass(frozen=True, slots=True)
class Investigation:
    """An investigation without its cells; `cells` says how many there are."""

    id: str
    title: str
    cells: int
    made_at: datetime
    made_by: str
    updated_at: datetime
    updated_by: str


class Notebook:
    """The investigations of every tenant."""

    def __init__(self, db: Database, events: EventLog, clock: Clock) -> None:
        self._db = db
        self._events = events
        self._clock = clock

    async def entries(self, tenant: TenantId) -> list[Investigation]:
        """Give all, the one that was changed last first."""
        return await self._db.read(lambda tx: _list(tx, INVESTIGATIONS.c.tenant == tenant))

    async def get(self, tenant: TenantId, name: str) -> tuple[Investigation, list[Cell]]:
        """Give one with its cells in their order; raises NotFoundError."""

        def read(tx: Connection) -> tuple[Investigation, list[Cell]]:
            where = (CELLS.c.tenant == tenant) & (CELLS.c.investigation == name)
            rows = tx.execute(select(CELLS).where(where).order_by(CELLS.c.place, CELLS.c.id)).all()
            return _one(tx, tenant, name), [_cell(row) for row in rows]

        return await self._db.read(read)

    async def get_cell(self, tenant: TenantId, name: str, cell: str) -> Cell:
        """Give one cell; raises NotFoundError."""
        return await self._db.read(lambda tx: _cell(_find(tx, tenant, name, cell)))

    async def open(self, identity: Identity, title: str) -> Investigation:
        """Begin one; raises LimitError when there are too many."""
        name = new_id()

        def write(tx: Connection) -> Investigation:
            mine = INVESTIGATIONS.c.tenant == identity.tenant
            count = tx.execute(select(func.count()).where(mine)).scalar_one()
            if count >= MOST:
                raise LimitError(f"there are {count} investigations", hint="delete some")
            stamps = self._stamps(identity, is_new=True)
            tx.execute(insert(INVESTIGATIONS).values(tenant=identity.tenant, id=name, title=title, **stamps))
            made = _one(tx, identity.tenant, name)
            self._tell(tx, identity, OPENED, name, {"title": title})
            return made

        return await self._db.write(write)

    async def rename(self, identity: Identity, name: str, title: str) -> Investigation:
        """Give it another title; raises NotFoundError."""

        def write(tx: Connection) -> Investigation:
            self._touch(tx, identity, name, title=title)
            renamed = _one(tx, identity.tenant, name)
            self._tell(tx, identity, RENAMED, name, {"title": title})
            return renamed

        return await self._db.write(write)

    async def delete(self, identity: Identity, name: str) -> None:
        """Delete it with its cells; raises NotFoundError."""

        def write(tx: Connection) -> None:
            title = _one(tx, identity.tenant, name).title
            tx.execute(delete(CELLS).where(CELLS.c.tenant == identity.tenant, CELLS.c.investigation == name))
            tx.execute(delete(INVESTIGATIONS).where(_is(identity.tenant, name)))
            self._tell(tx, identity, DELETED, name, {"title": title})

        await self._db.write(write)

    async def add_cell(
        self, identity: Identity, name: str, filled: Filled, *, after: str | None = None, is_first: bool = False
    ) -> Cell:
        """Add a cell at the end, behind another, or as the first.

        Raises:
            NotFoundError: there is no such investigation or other cell.
            LimitError: it has as many cells as it may have.
        """
        own = new_id()

        def write(tx: Connection) -> Cell:
            self._touch(tx, identity, name)
            places = _places(tx, identity.tenant, name)
            if len(places) >= MOST_CELLS:
                raise LimitError(f"there are {len(places)} cells", hint="begin another investigation")
            place = _place(tx, identity.tenant, name, places, after=after, is_first=is_first)
            key = {"tenant": identity.tenant, "investigation": name, "id": own}
            stamps = self._stamps(identity, is_new=True)
            tx.execute(insert(CELLS).values(**key, place=place, version=1, **filled.columns(), **stamps))
            cell = _cell(_find(tx, identity.tenant, name, own))
            self._tell(tx, identity, CELL_ADDED, name, {"cell": own, "kind": filled.kind})
            return cell

        return await self._db.write(write)

    async def change_cell(self, identity: Identity, name: str, cell: str, filled: Filled, *, version: int) -> Cell:
        """Replace what a cell holds, of which `version` was read.

        Raises:
            ConflictError: somebody changed it since; nothing is lost, for nothing was written.
            NotFoundError: there is none, or somebody removed it since.
        """

        def write(tx: Connection) -> Cell:
            self._touch(tx, identity, name)
            row = _find(tx, identity.tenant, name, cell, is_to_change=True)
            if row.version != version:
                raise ConflictError(
                    f"{row.updated_by} changed this cell to version {row.version} since you read version {version}",
                    hint="read it again, and put your change into it",
                )
            values = {**filled.columns(), "version": version + 1, **self._stamps(identity)}
            tx.execute(update(CELLS).where(_is_cell(identity.tenant, name, cell)).values(**values))
            told = {"cell": cell, "kind": filled.kind, "version": version + 1}
            changed = _cell(_find(tx, identity.tenant, name, cell))
            self._tell(tx, identity, CELL_CHANGED, name, told)
            return changed

        return await self._db.write(write)

    async def move_cell(self, identity: Identity, name: str, cell: str, *, after: str | None) -> None:
        """Put a cell behind another, or to the beginning for None; raises NotFoundError."""

        def write(tx: Connection) -> None:
            self._touch(tx, identity, name)
            row = _find(tx, identity.tenant, name, cell, is_to_change=True)
            if after != cell:
                places = {own: place for own, place in _places(tx, identity.tenant, name).items() if own != cell}
                place = _place(tx, identity.tenant, name, places, after=after, is_first=after is None)
                tx.execute(update(CELLS).where(_is_cell(identity.tenant, name, cell)).values(place=place))
                self._tell(tx, identity, CELL_MOVED, name, {"cell": cell, "kind": row.kind})

        await self._db.write(write)

    async def remove_cell(self, identity: Identity, name: str, cell: str) -> None:
        """Remove a cell; raises NotFoundError."""

        def write(tx: Connection) -> None:
            self._touch(tx, identity, name)
            row = _find(tx, identity.tenant, name, cell, is_to_change=True)
            tx.execute(delete(CELLS).where(_is_cell(identity.tenant, name, cell)))
            self._tell(tx, identity, CELL_REMOVED, name, {"cell": cell, "kind": row.kind})

        await self._db.write(write)

    def _stamps(self, identity: Identity, *, is_new: bool = False) -> dict[str, Any]:
        now = self._clock.now()
        changed = {"updated_at": now, "updated_by": identity.actor}
        return {**changed, "made_at": now, "made_by": identity.actor} if is_new else changed

    def _touch(self, tx: Connection, identity: Identity, name: str, **values: str) -> None:
        """Note a change of the whole; its row is held until the end, so that places of cells cannot collide."""
        stamped = {**values, **self._stamps(identity)}
        if not tx.execute(update(INVESTIGATIONS).where(_is(identity.tenant, name)).values(**stamped)).rowcount:
            raise NotFoundError(f"there is no investigation {name}")

    def _tell(self, tx: Connection, identity: Identity, kind: EventKind, name: str, data: dict[str, Any]) -> None:
        event = NewEvent(kind.name, f"investigation/{name}", data, actor=identity.actor, tenant=identity.tenant)
        self._events.append(tx, event)


@dataclass(frozen=True, slots=True)
class Filled:
    """What goes into a cell."""

    kind: CellKind
    content: Content
    evidence: Evidence

    def columns(self) -> dict[str, Any]:
        """Give it as columns of a row."""
        return {"kind": self.kind.value, "content": _plain(self.content), "evidence": keepable(_plain(self.evidence))}


def _plain(value: Content | Evidence) -> dict[str, Any]:
    def show(each: Any) -> Any:
        if isinstance(each, dict):
            return {name: show(part) for name, part in each.items()}
        return each.isoformat() if isinstance(each, datetime) else each

    shown: dict[str, Any] = show(asdict(value))
    return shown


def _is(tenant: TenantId, name: str) -> Any:
    return (INVESTIGATIONS.c.tenant == tenant) & (INVESTIGATIONS.c.id == name)


def _is_cell(tenant: TenantId, name: str, cell: str) -> Any:
    return (CELLS.c.tenant == tenant) & (CELLS.c.investigation == name) & (CELLS.c.id == cell)


def _list(tx: Connection, where: Any) -> list[Investigation]:
    owned = (CELLS.c.tenant == INVESTIGATIONS.c.tenant) & (CELLS.c.investigation == INVESTIGATIONS.c.id)
    cells = select(func.count()).where(owned).scalar_subquery()
    columns = INVESTIGATIONS.c
    statement = select(columns.id, columns.title, cells, columns.made_at, columns.made_by, columns.updated_at,
                       columns.updated_by).where(where).order_by(columns.updated_at.desc(), columns.id)  # fmt: skip
    return [Investigation(*row) for row in tx.execute(statement)]


def _one(tx: Connection, tenant: TenantId, name: str) -> Investigation:
    found = _list(tx, _is(tenant, name))
    if not found:
        raise NotFoundError(f"there is no investigation {name}")
    return found[0]


def _places(tx: Connection, tenant: TenantId, name: str) -> dict[str, int]:
    where = (CELLS.c.tenant == tenant) & (CELLS.c.investigation == name)
    rows = tx.execute(select(CELLS.c.id, CELLS.c.place).where(where).order_by(CELLS.c.place, CELLS.c.id))
    return {row.id: row.place for row in rows}


def _place(
    tx: Connection, tenant: TenantId, name: str, places: Mapping[str, int], *, after: str | None, is_first: bool
) -> int:
    """Give a free place behind a cell; where no number is left between two, all get new ones."""
    if after is not None and after not in places:
        raise NotFoundError(f"there is no cell {after}", hint="somebody may have removed it")
    order = list(places)
    at = 0 if is_first else order.index(after) + 1 if after is not None else len(order)
    low = places[order[at - 1]] if at else (places[order[0]] - 2 * _GAP if order else -_GAP)
    high = places[order[at]] if at < len(order) else low + 2 * _GAP
    if high - low > 1:
        return (low + high) // 2
    for number, cell in enumerate(order):
        moved = (number + 1) * _GAP if number < at else (number + 2) * _GAP
        tx.execute(update(CELLS).where(_is_cell(tenant, name, cell)).values(place=moved))
    return (at + 1) * _GAP


def _find(tx: Connection, tenant: TenantId, name: str, cell: str, *, is_to_change: bool = False) -> Row[Any]:
    statement = select(CELLS).where(_is_cell(tenant, name, cell))
    row = tx.execute(statement.with_for_update() if is_to_change else statement).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no cell {cell} in investigation {name}", hint="somebody may have removed it")
    return row


def _cell(row: Row[Any]) -> Cell:
    content, evidence = decode(Content, row.content), decode(Evidence, row.evidence)
    stamps = (row.made_at, row.made_by, row.updated_at, row.updated_by)
    return Cell(row.id, CellKind(row.kind), content, evidence, row.version, *stamps)
