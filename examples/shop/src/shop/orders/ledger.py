"""Orders in the database: opened once per idempotency key, leased by who works on them, closed with their event.

The order and the event about it change in one transaction; `outbox` carries the event away later.
"""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, delete, insert, select, update

from shop.chassis import CURRENCY, Amount, from_cents, now_ms, to_cents
from shop.orders.events import order_event
from shop.orders.tables import order_lines, orders, outbox
from shop.storage import insert_if_absent

LEASE_MS = 15_000  # the deadlines of one attempt add up to ten seconds
POSTPONED_MS = 3_000


class OrderStatus(StrEnum):
    """`pending` means that stock or money is still being asked for."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


class Failure(StrEnum):
    """Why an order failed."""

    OUT_OF_STOCK = "out_of_stock"
    CARD_DECLINED = "card_declined"
    PAYMENT_FAILED = "payment_failed"


class OrderLine(BaseModel):
    """So many of one product, at the price of the moment."""

    model_config = ConfigDict(frozen=True)

    sku: str
    name: str
    quantity: int
    unit_price: Amount


class Order(BaseModel):
    """One order as customers see it."""

    model_config = ConfigDict(frozen=True)

    id: str
    customer_id: str
    status: OrderStatus
    failure: Failure | None = None
    lines: list[OrderLine]
    total: Amount
    currency: str = CURRENCY
    created_ms: int


@dataclass(frozen=True, slots=True)
class Intent:
    """What a customer wants done: the key makes it happen once."""

    customer_id: str
    idempotency_key: str
    card_token: str
    correlation_id: str


def open_order(connection: Connection, order: Order, intent: Intent) -> bool:
    """Write a pending order, leased to the caller; return False when its key stands for an order already."""
    values = {
        "id": order.id,
        "customer_id": intent.customer_id,
        "idempotency_key": intent.idempotency_key,
        "card_token": intent.card_token,
        "status": order.status.value,
        "total_cents": to_cents(order.total),
        "correlation_id": intent.correlation_id,
        "leased_until_ms": now_ms() + LEASE_MS,
        "created_ms": order.created_ms,
    }
    if not insert_if_absent(connection, orders, values):
        return False
    lines = [
        {"order_id": order.id, "unit_cents": to_cents(line.unit_price)} | _line_values(line) for line in order.lines
    ]
    connection.execute(insert(order_lines), lines)
    return True


def find_by_key(connection: Connection, customer_id: str, idempotency_key: str) -> Order | None:
    """Return the order that a key stands for, or None."""
    query = select(orders.c.id).filter_by(customer_id=customer_id, idempotency_key=idempotency_key)
    order_id = connection.execute(query).scalar_one_or_none()
    return None if order_id is None else find_order(connection, order_id)


def find_order(connection: Connection, order_id: str) -> Order | None:
    """Return an order with its lines, or None."""
    row = connection.execute(select(orders).where(orders.c.id == order_id)).one_or_none()
    if row is None:
        return None
    lines = connection.execute(
        select(order_lines).where(order_lines.c.order_id == order_id).order_by(order_lines.c.sku)
    )
    return Order(
        id=row.id,
        customer_id=row.customer_id,
        status=OrderStatus(row.status),
        failure=Failure(row.failure) if row.failure else None,
        lines=[
            OrderLine(sku=line.sku, name=line.name, quantity=line.quantity, unit_price=from_cents(line.unit_cents))
            for line in lines
        ],
        total=from_cents(row.total_cents),
        created_ms=row.created_ms,
    )


def find_intent(connection: Connection, order_id: str) -> Intent:
    """Return what the customer wanted."""
    names = ("customer_id", "idempotency_key", "card_token", "correlation_id")
    row = connection.execute(select(*(orders.c[name] for name in names)).where(orders.c.id == order_id)).one()
    return Intent(*row)


def list_orders(connection: Connection, customer_id: str, limit: int) -> list[Order]:
    """Return a customer's latest orders, newest first."""
    query = select(orders.c.id).where(orders.c.customer_id == customer_id).order_by(orders.c.id.desc()).limit(limit)
    found = (find_order(connection, order_id) for order_id in connection.execute(query).scalars().all())
    return [order for order in found if order is not None]


def lease(connection: Connection, order_id: str) -> bool:
    """Take a pending order that nobody works on; return whether it is ours now."""
    now = now_ms()
    where = (orders.c.id == order_id, orders.c.status == "pending", orders.c.leased_until_ms < now)
    change = update(orders).where(*where).values(leased_until_ms=now + LEASE_MS)
    return connection.execute(change).rowcount == 1


def postpone(connection: Connection, order_id: str) -> None:
    """Give a lease back before its end, because others must recover first."""
    change = update(orders).where(orders.c.id == order_id, orders.c.status == "pending")
    connection.execute(change.values(leased_until_ms=now_ms() + POSTPONED_MS))


def list_abandoned(connection: Connection, limit: int) -> list[str]:
    """Return ids of pending orders that nobody works on, oldest first."""
    query = select(orders.c.id).where(orders.c.status == "pending", orders.c.leased_until_ms < now_ms())
    return list(connection.execute(query.order_by(orders.c.id).limit(limit)).scalars())


def close_order(connection: Connection, order: Order, failure: Failure | None) -> Order:
    """Mark a pending order paid or failed and write the event about it, in one transaction.

    An order that somebody else closed in the meantime stays as it is, and is returned as it is.
    """
    status = OrderStatus.PAID if failure is None else OrderStatus.FAILED
    change = update(orders).where(orders.c.id == order.id, orders.c.status == "pending")
    closed = order.model_copy(update={"status": status, "failure": failure})
    if connection.execute(change.values(status=status.value, failure=failure)).rowcount == 0:
        return find_order(connection, order.id) or closed
    event = order_event(closed.model_dump(mode="json"), find_intent(connection, order.id).correlation_id)
    connection.execute(insert(outbox).values(event))
    return closed


def forget_old_orders(connection: Connection, older_than_ms: int) -> int:
    """Delete closed orders and published events from before a moment; return how many orders."""
    connection.execute(delete(outbox).where(outbox.c.published_ms < older_than_ms))
    old = select(orders.c.id).where(orders.c.status != "pending", orders.c.created_ms < older_than_ms)
    return connection.execute(delete(orders).where(orders.c.id.in_(old))).rowcount


def _line_values(line: OrderLine) -> dict[str, object]:
    return {"sku": line.sku, "name": line.name, "quantity": line.quantity}
