"""What an event is: before it is written, after it is written, and as a documented kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.kernel.ids import DEFAULT_TENANT, EventId, ServiceId, TenantId


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event as its room declares it: `<room>.<what happened>` and one line for people."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to be written.

    Attributes:
        kind: such as `check.changed`; declared by its room as an `EventKind`.
        subject: what it is about, such as `check/payments-ready`.
        data: JSON values; small, and free of secrets.
        service: the catalogued service that it hangs on, if any.
        actor: who did it: `system`, `user/<id>` or `token/<id>`.
        tenant: the isolation unit.
        correlation_id: ties together what one request or run caused; None for the one of the request being served.
    """

    kind: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    service: ServiceId | None = None
    actor: str = "system"
    tenant: TenantId = DEFAULT_TENANT
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in the log. `seq` counts from 1 within its tenant, without gaps, in the order of commits."""

    seq: int
    id: EventId
    tenant: TenantId
    kind: str
    subject: str
    service: ServiceId | None
    actor: str
    at: datetime
    correlation_id: str | None
    data: Mapping[str, Any]
