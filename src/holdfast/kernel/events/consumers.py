"""Named consumers: each event's effect on the database happens exactly once, because the cursor commits with it.

An effect outside the database belongs into a run, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, insert, select, text, update

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events.log import EventLog, from_row, kind_is_among
from holdfast.kernel.events.model import Event, NewEvent
from holdfast.kernel.events.tables import EVENT_CURSORS, EVENT_HEADS, EVENT_LOG, EVENT_PARKED
from holdfast.kernel.ids import TenantId
from holdfast.kernel.sql import Database
from holdfast.resilience import retry

PARKED: Final = "consumer.parked"
_BATCH: Final = 200
_ATTEMPTS: Final = 5
_POLL_S: Final = 5.0

_ENSURE_CURSOR: Final = text(
    "INSERT INTO event_cursors (consumer, tenant, seq) VALUES (:consumer, :tenant, 0) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Consumer:
    """What to do with events of some kinds.

    Attributes:
        name: stable for ever; the cursor hangs on it.
        kinds: exact kinds, or prefixes that end in a dot; none means all.
        handle: writes its effect through the given connection and nowhere else; it may be called again after a
            roll-back.
    """

    name: str
    kinds: tuple[str, ...]
    handle: Callable[[Connection, Event], None]


async def run_consumer(consumer: Consumer, db: Database, log: EventLog, clock: Clock) -> None:
    """Feed `consumer` for ever; events that it fails on five times are parked, told as an event, and passed over."""
    while True:
        seen = log.wake.version
        if not await consume_once(consumer, db, log, clock):
            await log.wake.wait(seen, _POLL_S)


async def consume_once(consumer: Consumer, db: Database, log: EventLog, clock: Clock) -> int:
    """Handle what waits, up to one batch per tenant; give how many events the cursor passed."""
    passed = 0
    for tenant in await db.read(lambda tx: _lagging(tx, consumer.name)):
        try:
            passed += await db.write(partial(_handle_batch, consumer=consumer, tenant=tenant, size=_BATCH))
        except Exception:  # noqa: BLE001 - the fence of a job: the batch rolled back and goes on one by one
            passed += await _handle_alone(consumer, db, log, clock, tenant)
    return passed


async def _handle_alone(consumer: Consumer, db: Database, log: EventLog, clock: Clock, tenant: TenantId) -> int:
    patience = retry(attempts=_ATTEMPTS, base_s=0.1, jitter="equal", on=_is_events_fault, name="consumer", clock=clock)
    try:
        return await patience.call(db.write, lambda tx: _handle_batch(tx, consumer, tenant, 1))
    except Exception as error:  # the fence of a job: the event is parked with its error
        if not _is_events_fault(error):
            raise
        failure = str(error) if isinstance(error, HoldfastError) else f"{type(error).__name__}: {error}"
    return await db.write(lambda tx: _park(tx, consumer, tenant, log, clock, failure))


def _is_events_fault(error: Exception) -> bool:
    """Tell whether an event cannot be handled, rather than the database not being there."""
    return not (isinstance(error, HoldfastError) and error.retry.possible)


def _lagging(tx: Connection, consumer: str) -> Sequence[TenantId]:
    cursor = EVENT_CURSORS.c
    joined = EVENT_HEADS.outerjoin(
        EVENT_CURSORS, (cursor.tenant == EVENT_HEADS.c.tenant) & (cursor.consumer == consumer)
    )
    query = select(EVENT_HEADS.c.tenant).select_from(joined)
    rows = tx.execute(query.where((cursor.seq.is_(None)) | (cursor.seq < EVENT_HEADS.c.seq)))
    return [TenantId(row.tenant) for row in rows]


def _handle_batch(tx: Connection, consumer: Consumer, tenant: TenantId, size: int) -> int:
    cursor = _lock_cursor(tx, consumer.name, tenant)
    head = tx.execute(select(EVENT_HEADS.c.seq).where(EVENT_HEADS.c.tenant == tenant)).scalar_one()
    events = _next_events(tx, consumer, tenant, cursor, size)
    for event in events:
        consumer.handle(tx, event)
    last = events[-1].seq if len(events) == size else max(head, *(event.seq for event in events), 0)
    _move_cursor(tx, consumer.name, tenant, last)
    return int(last - cursor)


def _park(tx: Connection, consumer: Consumer, tenant: TenantId, log: EventLog, clock: Clock, failure: str) -> int:
    cursor = _lock_cursor(tx, consumer.name, tenant)
    events = _next_events(tx, consumer, tenant, cursor, 1)
    if not events:
        return 0
    seq = events[0].seq
    row = {"consumer": consumer.name, "tenant": tenant, "seq": seq, "attempts": _ATTEMPTS, "error": failure}
    tx.execute(insert(EVENT_PARKED).values(**row, at=clock.now()))
    _move_cursor(tx, consumer.name, tenant, seq)
    data = {"consumer": consumer.name, "seq": seq, "kind": events[0].kind, "error": failure[:500]}
    log.append(tx, NewEvent(kind=PARKED, subject=f"consumer/{consumer.name}", data=data, tenant=tenant))
    return int(seq - cursor)


def _lock_cursor(tx: Connection, consumer: str, tenant: TenantId) -> int:
    tx.execute(_ENSURE_CURSOR, {"consumer": consumer, "tenant": tenant})
    query = select(EVENT_CURSORS.c.seq).where(EVENT_CURSORS.c.consumer == consumer, EVENT_CURSORS.c.tenant == tenant)
    return int(tx.execute(query.with_for_update()).scalar_one())


def _move_cursor(tx: Connection, consumer: str, tenant: TenantId, seq: int) -> None:
    where = (EVENT_CURSORS.c.consumer == consumer) & (EVENT_CURSORS.c.tenant == tenant)
    tx.execute(update(EVENT_CURSORS).where(where).values(seq=seq))


def _next_events(tx: Connection, consumer: Consumer, tenant: TenantId, cursor: int, size: int) -> list[Event]:
    query = select(EVENT_LOG).where(EVENT_LOG.c.tenant == tenant, EVENT_LOG.c.seq > cursor)
    if consumer.kinds:
        query = query.where(kind_is_among(consumer.kinds))
    return [from_row(row) for row in tx.execute(query.order_by(EVENT_LOG.c.seq).limit(size))]
