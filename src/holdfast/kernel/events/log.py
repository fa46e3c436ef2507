"""Appends to the log and reads it. Consumption with effects is `consumers`; the wire format is `kernel.feed`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, func, insert, or_, select, text

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.events.model import Event, EventKind, NewEvent
from holdfast.kernel.events.tables import EVENT_HEADS, EVENT_LOG
from holdfast.kernel.events.wake import CHANNEL, Wake
from holdfast.kernel.ids import EventId, ServiceId, TenantId, new_id
from holdfast.kernel.sql import Database, after_commit, keepable

MAX_DATA_BYTES: Final = 64 * 1024
MAX_READ: Final = 1000
Times: TypeAlias = tuple[datetime | None, datetime | None]

_POLL_S: Final = 5.0
_NEVER: Final = 2**62  # behind every `seq`

_TAKE_SEQ: Final = text(
    "INSERT INTO event_heads (tenant, seq) VALUES (:tenant, :count) "
    "ON CONFLICT (tenant) DO UPDATE SET seq = event_heads.seq + excluded.seq RETURNING seq"
)


class EventLog:
    """The log of all tenants in one database."""

    def __init__(self, db: Database, clock: Clock, wake: Wake | None = None) -> None:
        self.wake = wake or Wake()
        self._db = db
        self._clock = clock
        self._is_closed = False
        self._summaries: dict[str, str] = {}

    def close(self) -> None:
        """End all followers; the log itself needs no closing."""
        self._is_closed = True
        self.wake.send()

    def declare(self, kinds: Iterable[EventKind]) -> None:
        """Note what events of these kinds say."""
        self._summaries |= {kind.name: kind.summary for kind in kinds}

    def summary_of(self, kind: str) -> str:
        """Give the line for people of a kind; "" of one that nobody declared."""
        return self._summaries.get(kind, "")

    def append(self, tx: Connection, *events: NewEvent) -> list[Event]:
        """Write `events` in the transaction of `tx`; they are seen when, and only if, it commits.

        Append last in the transaction: the tenant's other writers wait from here to the commit.
        """
        written: list[Event] = []
        for tenant in dict.fromkeys(event.tenant for event in events):
            mine = [event for event in events if event.tenant == tenant]
            last = tx.execute(_TAKE_SEQ, {"tenant": tenant, "count": len(mine)}).scalar_one()
            written += [self._stamp(event, last - len(mine) + number) for number, event in enumerate(mine, start=1)]
        if not written:
            return []
        tx.execute(insert(EVENT_LOG), [_to_row(event) for event in written])
        if tx.dialect.name == "postgresql":
            tx.execute(text(f"NOTIFY {CHANNEL}"))
        after_commit(tx, self.wake.send)
        return written

    async def publish(self, *events: NewEvent) -> list[Event]:
        """Write `events` in a transaction of their own."""
        return await self._db.write(lambda tx: self.append(tx, *events))

    async def read(
        self,
        tenant: TenantId,
        *,
        after: int | None = None,
        before: int | None = None,
        kinds: Sequence[str] = (),
        subject: str | None = None,
        service: str | None = None,
        times: Times = (None, None),
        limit: int = 100,
    ) -> list[Event]:
        """Read part of a tenant's log.

        Args:
            tenant: whose.
            after: only events with a greater `seq`; they come oldest first.
            before: only events with a smaller `seq`; without `after`, they come newest first.
            kinds: exact kinds, or prefixes that end in a dot (`check.`); none means all.
            subject: an exact subject.
            service: an exact service.
            times: only events from the first time on, and before the second.
            limit: at most this many, and never more than 1,000.
        """
        query = select(EVENT_LOG).where(EVENT_LOG.c.tenant == tenant).limit(min(limit, MAX_READ))
        if after is not None:
            query = query.where(EVENT_LOG.c.seq > after)
        if before is not None:
            query = query.where(EVENT_LOG.c.seq < before)
        if kinds:
            query = query.where(kind_is_among(kinds))
        if subject is not None:
            query = query.where(EVENT_LOG.c.subject == subject)
        if service is not None:
            query = query.where(EVENT_LOG.c.service == service)
        start, end = times
        if start is not None:
            query = query.where(EVENT_LOG.c.seq >= _first_since(tenant, start))
        if end is not None:
            query = query.where(EVENT_LOG.c.seq < func.coalesce(_first_since(tenant, end), _NEVER))
        query = query.order_by(EVENT_LOG.c.seq.desc() if after is None else EVENT_LOG.c.seq)
        return await self._db.read(lambda tx: [from_row(row) for row in tx.execute(query)])

    async def head(self, tenant: TenantId) -> int:
        """Give the `seq` of the tenant's newest event, 0 when there is none."""
        query = select(EVENT_HEADS.c.seq).where(EVENT_HEADS.c.tenant == tenant)
        return await self._db.read(lambda tx: tx.execute(query).scalar() or 0)

    async def tail(self, tenant: TenantId, *, after: int, idle_s: float = _POLL_S) -> AsyncIterator[Event | None]:
        """Follow the log from behind `after` until it is closed; gives None whenever `idle_s` pass without an event."""
        while not self._is_closed:
            seen = self.wake.version
            events = await self.read(tenant, after=after, limit=MAX_READ)
            for event in events:
                after = event.seq
                yield event
            if not events:
                await self.wake.wait(seen, idle_s)
                if self.wake.version == seen:
                    yield None

    def _stamp(self, event: NewEvent, seq: int) -> Event:
        return Event(
            seq=seq,
            id=EventId(new_id()),
            tenant=event.tenant,
            kind=event.kind,
            subject=keepable(event.subject),
            service=keepable(event.service),
            actor=keepable(event.actor),
            at=self._clock.now(),
            correlation_id=keepable(event.correlation_id or journal.correlation_id() or None),
            data=keepable(dict(event.data)),
        )


def from_row(row: Row[Any]) -> Event:
    """Read an event from a row of `event_log`."""
    return Event(
        seq=row.seq,
        id=EventId(row.id),
        tenant=TenantId(row.tenant),
        kind=row.kind,
        subject=row.subject,
        service=ServiceId(row.service) if row.service else None,
        actor=row.actor,
        at=row.at,
        correlation_id=row.correlation_id,
        data=row.data,
    )


def _to_row(event: Event) -> dict[str, Any]:
    if len(repr(event.data)) > MAX_DATA_BYTES:
        raise InvalidError(f"an event of kind {event.kind} carries more than 64 KiB", hint="store a blob and its id")
    return {field: getattr(event, field) for field in Event.__dataclass_fields__}


def _first_since(tenant: TenantId, moment: datetime) -> Any:
    """Give the `seq` of the first event at or after `moment`, which splits the log: `seq` grows with time."""
    first = select(EVENT_LOG.c.seq).where(EVENT_LOG.c.tenant == tenant, EVENT_LOG.c.at >= moment)
    return first.order_by(EVENT_LOG.c.at, EVENT_LOG.c.seq).limit(1).scalar_subquery()


def kind_is_among(kinds: Sequence[str]) -> Any:
    """Give the SQL condition of `kinds`: exact names, and prefixes that end in a dot."""
    column = EVENT_LOG.c.kind
    prefixes = [column.startswith(kind, autoescape=True) for kind in kinds if kind.endswith(".")]
    return or_(column.in_([kind for kind in kinds if not kind.endswith(".")]), *prefixes)
