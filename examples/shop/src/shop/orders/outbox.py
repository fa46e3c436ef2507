"""The outbox: carries events from the orders' database to the bus, in order, at least once.

An event leaves the table's queue only when the other side has acknowledged it; consumers drop what they have seen.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, func, select, update

from shop.chassis import Degraded, now_ms
from shop.orders.tables import outbox
from shop.storage import Database

BATCH = 50
SLOW_MS = 15_000
_published = Counter("shop_events_published", "Events that the bus has acknowledged")
_waiting = Gauge("shop_outbox_waiting", "Events that the bus has not acknowledged")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it leaves; the id lets consumers drop a second copy."""

    id: str
    subject: str
    body: str


Publish = Callable[[Event], Awaitable[None]]


class Relay:
    """Publishes what waits. `publish` raises when the bus did not take the event."""

    def __init__(self, database: Database, publish: Publish) -> None:
        self._database = database
        self._publish = publish

    async def work(self) -> bool:
        """Publish the oldest events; return whether there may be more."""
        events = await self._database.read(_list_waiting, BATCH)
        for event in events:
            await self._publish(event)
            await self._database.write(_mark_published, event.id)
            _published.inc()
        return len(events) == BATCH

    async def probe(self) -> None:
        """Raise `Degraded` when an event waits for longer than it should."""
        count, oldest_ms = await self._database.read(_measure_queue)
        _waiting.set(count)
        if count and now_ms() - oldest_ms > SLOW_MS:
            raise Degraded(f"{count} events wait, the oldest for {(now_ms() - oldest_ms) // 1000} s")


def _list_waiting(connection: Connection, limit: int) -> list[Event]:
    query = select(outbox.c.id, outbox.c.subject, outbox.c.body).where(outbox.c.published_ms.is_(None))
    return [Event(*row) for row in connection.execute(query.order_by(outbox.c.id).limit(limit))]


def _mark_published(connection: Connection, event_id: str) -> None:
    connection.execute(update(outbox).where(outbox.c.id == event_id).values(published_ms=now_ms()))


def _measure_queue(connection: Connection) -> tuple[int, int]:
    query = select(func.count(), func.min(outbox.c.created_ms)).where(outbox.c.published_ms.is_(None))
    count, oldest_ms = connection.execute(query).one()
    return count, oldest_ms or 0
