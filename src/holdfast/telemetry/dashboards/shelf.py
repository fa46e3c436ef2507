"""Where dashboards stand: those of people in the database, each change a new version, those of files as they are.

A change names the version that it was made from, so that two people do not overwrite each other unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, func, insert, select, update

from holdfast.kernel.auth import Identity
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConflictError, LimitError, NotFoundError
from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId, new_id
from holdfast.kernel.sql import Database
from holdfast.telemetry.dashboards.checking import read_document, write_document
from holdfast.telemetry.dashboards.document import Document
from holdfast.telemetry.dashboards.events import DELETED, SAVED
from holdfast.telemetry.dashboards.tables import DASHBOARDS, VERSIONS

MOST: Final = 5000  # dashboards of a tenant


@dataclass(frozen=True, slots=True)
class Entry:
    """A dashboard in a list."""

    id: str
    title: str
    folder: str
    tags: tuple[str, ...]
    source: Literal["file", "console"]
    updated_at: datetime
    updated_by: str
    version: int


@dataclass(frozen=True, slots=True)
class Version:
    """One state that a dashboard was in."""

    version: int
    message: str
    made_at: datetime
    made_by: str


class Shelf:
    """The dashboards of every tenant; files belong to the default one."""

    def __init__(self, db: Database, events: EventLog, clock: Clock) -> None:
        self._db = db
        self._events = events
        self._clock = clock
        self._files: Mapping[str, Document] = {}
        self._loaded_at = clock.now()

    def take_files(self, documents: Mapping[str, Document]) -> None:
        """Put the dashboards of the ops folder in force, by id."""
        self._files = documents
        self._loaded_at = self._clock.now()

    async def entries(self, tenant: TenantId) -> list[Entry]:
        """Give all dashboards by folder and title."""
        mine = (DASHBOARDS.c.tenant == tenant) & ~DASHBOARDS.c.is_deleted
        rows = await self._db.read(lambda tx: tx.execute(select(DASHBOARDS).where(mine)).all())
        entries = [_entry(row) for row in rows]
        entries += [self._file_entry(name, document) for name, document in self._files_of(tenant).items()]
        return sorted(entries, key=lambda entry: (entry.folder.lower(), entry.title.lower(), entry.id))

    async def documents(self, tenant: TenantId) -> list[Document]:
        """Give what every dashboard shows."""
        joined = DASHBOARDS.join(
            VERSIONS,
            (VERSIONS.c.tenant == DASHBOARDS.c.tenant)
            & (VERSIONS.c.id == DASHBOARDS.c.id)
            & (VERSIONS.c.version == DASHBOARDS.c.version),
        )
        mine = (DASHBOARDS.c.tenant == tenant) & ~DASHBOARDS.c.is_deleted
        statement = select(VERSIONS.c.document).select_from(joined).where(mine)
        kept = await self._db.read(lambda tx: tx.execute(statement).scalars().all())
        return [*(read_document(each) for each in kept), *self._files_of(tenant).values()]

    async def get(self, tenant: TenantId, name: str) -> tuple[Entry, Document]:
        """Give a dashboard; raises NotFoundError."""
        of_file = self._files_of(tenant).get(name)
        if of_file is not None:
            return self._file_entry(name, of_file), of_file
        entry = _entry(await self._db.read(lambda tx: _find(tx, tenant, name)))
        return entry, await self.get_version(tenant, name, entry.version)

    async def get_version(self, tenant: TenantId, name: str, version: int) -> Document:
        """Give a dashboard as it was; raises NotFoundError."""
        mine = (VERSIONS.c.tenant == tenant) & (VERSIONS.c.id == name) & (VERSIONS.c.version == version)
        found = await self._db.read(lambda tx: tx.execute(select(VERSIONS.c.document).where(mine)).scalar_one_or_none())
        if found is None:
            raise NotFoundError(f"dashboard {name} has no version {version}")
        return read_document(found)

    async def versions(self, tenant: TenantId, name: str) -> list[Version]:
        """Give what a dashboard was, the newest first; empty for one of a file, whose history is Git's."""
        mine = (VERSIONS.c.tenant == tenant) & (VERSIONS.c.id == name)
        columns = (VERSIONS.c.version, VERSIONS.c.message, VERSIONS.c.made_at, VERSIONS.c.made_by)
        statement = select(*columns).where(mine).order_by(VERSIONS.c.version.desc())
        rows = await self._db.read(lambda tx: tx.execute(statement).all())
        return [Version(*row) for row in rows]

    async def add(self, identity: Identity, document: Document, message: str) -> Entry:
        """Make a new one; raises LimitError when there are too many."""
        name = new_id()

        def write(tx: Connection) -> None:
            count = tx.execute(select(func.count()).where(DASHBOARDS.c.tenant == identity.tenant)).scalar_one()
            if count >= MOST:
                raise LimitError(f"there are {count} dashboards", hint="delete some")
            self._put(tx, identity, name, document, message, version=1)

        await self._db.write(write)
        return (await self.get(identity.tenant, name))[0]

    async def change(self, identity: Identity, name: str, document: Document, message: str, *, version: int) -> Entry:
        """Replace the one that was read as `version`.

        Raises:
            ConflictError: it lives in a file, or somebody else changed it since.
            NotFoundError: there is none.
        """
        self._refuse_file(identity.tenant, name)

        def write(tx: Connection) -> None:
            row = _find(tx, identity.tenant, name, is_to_change=True)
            if row.version != version:
                raise ConflictError(
                    f"{row.updated_by} saved version {row.version} since you read version {version}",
                    hint="read it again and make your change there",
                )
            self._put(tx, identity, name, document, message, version=version + 1)

        await self._db.write(write)
        return (await self.get(identity.tenant, name))[0]

    async def delete(self, identity: Identity, name: str) -> None:
        """Take it off the shelf; its versions are kept. Raises ConflictError, NotFoundError."""
        self._refuse_file(identity.tenant, name)

        def write(tx: Connection) -> None:
            row = _find(tx, identity.tenant, name, is_to_change=True)
            mine = (DASHBOARDS.c.tenant == identity.tenant) & (DASHBOARDS.c.id == name)
            tx.execute(update(DASHBOARDS).where(mine).values(is_deleted=True))
            self._tell(tx, identity, DELETED.name, name, {"title": row.title})

        await self._db.write(write)

    def _put(
        self, tx: Connection, identity: Identity, name: str, document: Document, message: str, *, version: int
    ) -> None:
        now = self._clock.now()
        mine = {"tenant": identity.tenant, "id": name}
        values = {
            "title": document.title,
            "folder": document.folder,
            "tags": list(document.tags),
            "version": version,
            "updated_at": now,
            "updated_by": identity.actor,
            "is_deleted": False,
        }
        if version == 1:
            tx.execute(insert(DASHBOARDS).values(**mine, **values))
        else:
            where = (DASHBOARDS.c.tenant == identity.tenant) & (DASHBOARDS.c.id == name)
            tx.execute(update(DASHBOARDS).where(where).values(**values))
        tx.execute(
            insert(VERSIONS).values(
                **mine,
                version=version,
                document=write_document(document),
                message=message,
                made_at=now,
                made_by=identity.actor,
            )
        )
        self._tell(tx, identity, SAVED.name, name, {"title": document.title, "version": version, "message": message})

    def _tell(self, tx: Connection, identity: Identity, kind: str, name: str, data: dict[str, Any]) -> None:
        self._events.append(tx, NewEvent(kind, f"dashboard/{name}", data, actor=identity.actor, tenant=identity.tenant))

    def _files_of(self, tenant: TenantId) -> Mapping[str, Document]:
        return self._files if tenant == DEFAULT_TENANT else {}

    def _refuse_file(self, tenant: TenantId, name: str) -> None:
        if name in self._files_of(tenant):
            raise ConflictError(f"dashboard {name} lives in ops/dashboards", hint="change its file there")

    def _file_entry(self, name: str, document: Document) -> Entry:
        return Entry(name, document.title, document.folder, document.tags, "file", self._loaded_at, "system", 0)


def _find(tx: Connection, tenant: TenantId, name: str, *, is_to_change: bool = False) -> Row[Any]:
    mine = (DASHBOARDS.c.tenant == tenant) & (DASHBOARDS.c.id == name) & ~DASHBOARDS.c.is_deleted
    statement = select(DASHBOARDS).where(mine)
    row = tx.execute(statement.with_for_update() if is_to_change else statement).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no dashboard {name}")
    return row


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.id, row.title, row.folder, tuple(row.tags), "console", row.updated_at, row.updated_by, row.version)
