"""Tells what a load changed against the one in force before, and writes both the change and its event, once.

The comparison is with the database and not with memory, so that a restart tells what happened while nobody ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from holdfast.catalog.events import CHANGED
from holdfast.catalog.snapshot import Entities
from holdfast.catalog.tables import CATALOG_ENTITIES
from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId

_TOLD: Final = 200  # names of each sort in one event; the counts are always whole


@dataclass(frozen=True, slots=True)
class Change:
    """The references of what a load added, removed and changed, sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.added or self.removed or self.changed)


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    """Compare two loads, each a digest by reference."""
    return Change(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(ref for ref in before.keys() & after.keys() if before[ref] != after[ref])),
    )


def digests(entities: Entities) -> dict[str, str]:
    """Give the digest of each entity by its reference."""
    return {str(entity.ref): entity.digest for entity in entities}


def read_recorded(tx: Connection, tenant: TenantId = DEFAULT_TENANT) -> dict[str, str]:
    """Give the digests of the load that was recorded last."""
    rows = tx.execute(
        select(CATALOG_ENTITIES.c.ref, CATALOG_ENTITIES.c.digest).where(CATALOG_ENTITIES.c.tenant == tenant)
    )
    return {row.ref: row.digest for row in rows}


def record(tx: Connection, log: EventLog, after: Mapping[str, str], tenant: TenantId = DEFAULT_TENANT) -> Change:
    """Make `after` the recorded load and append one event if that changes anything; give the change."""
    change = compare(read_recorded(tx, tenant), after)
    if not change:
        return change
    table = CATALOG_ENTITIES
    gone = [*change.removed, *change.changed]
    for start in range(0, len(gone), 500):  # SQLite takes a bounded number of parameters
        tx.execute(delete(table).where(table.c.tenant == tenant, table.c.ref.in_(gone[start : start + 500])))
    new = [{"tenant": tenant, "ref": ref, "digest": after[ref]} for ref in (*change.added, *change.changed)]
    if new:
        tx.execute(insert(table), new)
    log.append(tx, NewEvent(kind=CHANGED.name, subject="catalog", data=_tell(change), tenant=tenant))
    return change


def _tell(change: Change) -> dict[str, object]:
    told: dict[str, object] = {}
    for sort in ("added", "removed", "changed"):
        refs: tuple[str, ...] = getattr(change, sort)
        told[sort] = list(refs[:_TOLD])
        told[f"{sort}_count"] = len(refs)
    return told
