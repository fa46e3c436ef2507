"""Pushed groups on the disk: read, changed in one transaction each, deleted; and which of them changed since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from holdfast.kernel.errors import LimitError
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.push.grouping import write_grouping
from holdfast.telemetry.metrics.push.groups import Group
from holdfast.telemetry.metrics.push.keeping import read_families, write_families
from holdfast.telemetry.metrics.push.tables import GROUPS

if TYPE_CHECKING:
    from holdfast.kernel.sql import Database
    from holdfast.telemetry.metrics.labels import Labels

GroupKey = tuple[TenantId, str]


class Shelf:
    """The groups of every tenant."""

    def __init__(self, db: Database, *, most_groups: int) -> None:
        self._db = db
        self._most = most_groups

    async def change(
        self, tenant: TenantId, labels: Labels, work: Callable[[Group], Group]
    ) -> tuple[Group | None, Group]:
        """Change a group, or make it; give it as it was (None if it was not) and as it is.

        Raises:
            LimitError: the tenant has too many groups.
        """
        key = write_grouping(labels)

        def write(tx: Connection) -> tuple[Group | None, Group]:
            before = self._find(tx, tenant, key)
            after = work(before or Group(labels))
            values = {
                "families": write_families(after.families),
                "pushed_at": after.pushed_at,
                "failed_at": after.failed_at,
                "changed_at": after.changed_at,
            }
            if before is None:
                self._refuse_more(tx, tenant)
                pairs = [list(pair) for pair in labels]
                tx.execute(insert(GROUPS).values(tenant=tenant, key=key, labels=pairs, **values))
            else:
                tx.execute(update(GROUPS).where(GROUPS.c.tenant == tenant, GROUPS.c.key == key).values(**values))
            return before, after

        return await self._db.write(write)

    async def delete(self, tenant: TenantId, labels: Labels) -> Group | None:
        """Delete a group; give it as it was, None if it was not."""
        key = write_grouping(labels)

        def write(tx: Connection) -> Group | None:
            before = self._find(tx, tenant, key)
            tx.execute(delete(GROUPS).where(GROUPS.c.tenant == tenant, GROUPS.c.key == key))
            return before

        return await self._db.write(write)

    async def groups(self, tenant: TenantId) -> list[Group]:
        """Give all groups of a tenant, by their labels."""
        rows = await self._db.read(
            lambda tx: tx.execute(select(GROUPS).where(GROUPS.c.tenant == tenant).order_by(GROUPS.c.key)).all()
        )
        return [_to_group(row) for row in rows]

    async def changed(self, known: dict[GroupKey, datetime | None]) -> dict[GroupKey, Group | None]:
        """Give the groups that are not as known: new and changed ones, and None for those that are gone."""

        def read(tx: Connection) -> dict[GroupKey, Group | None]:
            rows = tx.execute(select(GROUPS.c.tenant, GROUPS.c.key, GROUPS.c.changed_at)).all()
            now: dict[GroupKey, datetime] = {(TenantId(row.tenant), row.key): row.changed_at for row in rows}
            found: dict[GroupKey, Group | None] = {key: None for key in known if key not in now}
            for key, changed_at in now.items():
                if known.get(key) != changed_at:
                    found[key] = self._find(tx, *key)
            return found

        return await self._db.read(read)

    def _refuse_more(self, tx: Connection, tenant: TenantId) -> None:
        count = tx.execute(select(func.count()).select_from(GROUPS).where(GROUPS.c.tenant == tenant)).scalar_one()
        if count >= self._most:
            raise LimitError(
                f"there are {count} pushed groups already", hint="delete old ones, or raise push.max_groups"
            )

    @staticmethod
    def _find(tx: Connection, tenant: TenantId, key: str) -> Group | None:
        where = (GROUPS.c.tenant == tenant, GROUPS.c.key == key)
        row = tx.execute(select(GROUPS).where(*where)).one_or_none()
        return None if row is None else _to_group(row)


def _to_group(row: Any) -> Group:
    labels = tuple((name, value) for name, value in row.labels)
    return Group(labels, read_families(row.families), row.pushed_at, row.failed_at, row.changed_at)
