"""The inbox: every event is written down before it is acknowledged, and handled once, later, in peace.

Delivered again, an event changes nothing. The claim is a lease: a worker that dies gives its events back by itself.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from shop.chassis import now_ms
from shop.notifier.events import event_id
from shop.notifier.tables import inbox, messages
from shop.storage import insert_if_absent

PENDING_LIMIT = 10_000
LEASE_MS = 30_000


class InboxFull(Exception):  # noqa: N818 -- a state, not a crash
    """Too many events wait; the producer keeps the rest."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One claimed event: raw, with the count of attempts that includes this one."""

    event_id: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer is told."""

    event_id: str
    customer_id: str
    subject: str
    text: str


def accept(connection: Connection, body: bytes) -> bool:
    """Write an event down; return False when it was there already.

    Raises:
        InboxFull: No more may wait.
    """
    if count_letters(connection, "pending") >= PENDING_LIMIT:
        raise InboxFull
    now = now_ms()
    letter = {"event_id": event_id(body), "body": body.decode("utf-8", "replace").replace("\0", "\ufffd")}
    state = {"status": "pending", "attempts": 0, "due_ms": now, "received_ms": now, "error": ""}
    return insert_if_absent(connection, inbox, letter | state)


def claim_due(connection: Connection, limit: int) -> list[Letter]:
    """Take up to `limit` events that are due; nobody else gets them until the lease is over."""
    due = (
        select(inbox.c.event_id)
        .where(inbox.c.status == "pending", inbox.c.due_ms <= now_ms())
        .order_by(inbox.c.due_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.execute(due).scalars().all()
    claim = (
        update(inbox)
        .where(inbox.c.event_id.in_(ids))
        .values(due_ms=now_ms() + LEASE_MS, attempts=inbox.c.attempts + 1)
        .returning(inbox.c.event_id, inbox.c.body, inbox.c.attempts)
    )
    return [Letter(*row) for row in connection.execute(claim)] if ids else []


def finish(connection: Connection, message: Message) -> None:
    """Record the sent message and close its event, in one transaction."""
    sent = {"customer_id": message.customer_id, "subject": message.subject, "text": message.text}
    insert_if_absent(connection, messages, sent | {"event_id": message.event_id, "sent_ms": now_ms()})
    connection.execute(update(inbox).where(inbox.c.event_id == message.event_id).values(status="done", error=""))


def postpone(connection: Connection, letter: Letter, error: str, pause_s: float) -> None:
    """Try an event again after `pause_s` seconds."""
    change = {"due_ms": now_ms() + int(pause_s * 1000), "error": error[:500]}
    connection.execute(update(inbox).where(inbox.c.event_id == letter.event_id).values(change))


def bury(connection: Connection, letter: Letter, error: str) -> None:
    """Give an event up: a person looks at the dead letters."""
    change = {"status": "dead", "died_ms": now_ms(), "error": error[:500]}
    connection.execute(update(inbox).where(inbox.c.event_id == letter.event_id).values(change))


def revive(connection: Connection, letter_id: str) -> bool:
    """Give a dead letter a new life; return whether there was one."""
    change = {"status": "pending", "attempts": 0, "due_ms": now_ms(), "error": "", "died_ms": None}
    where = (inbox.c.event_id == letter_id, inbox.c.status == "dead")
    return connection.execute(update(inbox).where(*where).values(change)).rowcount == 1


def count_letters(connection: Connection, status: str, *, died_after_ms: int | None = None) -> int:
    """Count events in a status, or those that died after a moment."""
    query = select(func.count()).select_from(inbox).where(inbox.c.status == status)
    if died_after_ms is not None:
        query = query.where(inbox.c.died_ms > died_after_ms)
    return connection.execute(query).scalar_one()


def forget_old_letters(connection: Connection, older_than_ms: int) -> int:
    """Delete finished and dead events, and messages, from before a moment; return how many events."""
    connection.execute(delete(messages).where(messages.c.sent_ms < older_than_ms))
    old = (inbox.c.status != "pending", inbox.c.received_ms < older_than_ms)
    return connection.execute(delete(inbox).where(*old)).rowcount
