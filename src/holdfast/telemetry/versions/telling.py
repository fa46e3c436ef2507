"""Makes the events of deploys, and counts those that were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter

from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.sql import after_commit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


class Teller:
    """Writes events of deploys."""

    def __init__(self, events: EventLog, metrics: CollectorRegistry | None = None) -> None:
        self._events = events
        self._told = Counter(
            "holdfast_versions_deploys",
            "Events of deploys that were told.",
            ("kind",),
            registry=metrics or CollectorRegistry(),
        )

    def tell(self, tx: Connection, events: Sequence[NewEvent]) -> None:
        """Write events as the last part of a transaction."""
        if events:
            self._events.append(tx, *events)
            after_commit(tx, lambda: self._count(events))

    def _count(self, events: Sequence[NewEvent]) -> None:
        for event in events:
            self._told.labels(event.kind).inc()


def deploy_event(kind: EventKind, row: Any, before: str | None, *, actor: str = "system", **more: str) -> NewEvent:
    """Give an event about a version: of a row, or of whatever has its key."""
    data = {"service": row.service, "environment": row.environment, "version": row.version, "from": before or ""}
    known = {name: value for name, value in (data | more).items() if value}
    subject = f"service/{row.service}"
    return NewEvent(kind.name, subject, known, service=ServiceId(row.service), actor=actor, tenant=TenantId(row.tenant))
