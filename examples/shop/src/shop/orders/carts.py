"""Carts: what a customer means to buy."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Connection, delete, func, select, update

from shop.chassis import Problem, now_ms
from shop.orders.tables import cart_lines
from shop.storage import insert_if_absent

LINES_LIMIT = 20
Quantity = Annotated[int, Field(ge=1, le=20)]


class CartLine(BaseModel):
    """So many of one product."""

    sku: str
    quantity: Quantity


class Cart(BaseModel):
    """All lines of one customer's cart, in the order of their sku."""

    lines: list[CartLine]


def read_cart(connection: Connection, customer_id: str) -> Cart:
    """Return the cart; a customer without one has an empty one."""
    query = select(cart_lines.c.sku, cart_lines.c.quantity).where(cart_lines.c.customer_id == customer_id)
    rows = connection.execute(query.order_by(cart_lines.c.sku))
    return Cart(lines=[CartLine(sku=row.sku, quantity=row.quantity) for row in rows])


def put_line(connection: Connection, customer_id: str, line: CartLine) -> None:
    """Set the quantity of one product.

    Raises:
        Problem: 409 when the cart has its most lines already.
    """
    key = {"customer_id": customer_id, "sku": line.sku}
    change = {"quantity": line.quantity, "updated_ms": now_ms()}
    if not insert_if_absent(connection, cart_lines, key | change):
        connection.execute(update(cart_lines).filter_by(**key).values(change))
    count = select(func.count()).select_from(cart_lines).where(cart_lines.c.customer_id == customer_id)
    if connection.execute(count).scalar_one() > LINES_LIMIT:
        raise Problem(409, "cart-full", f"A cart holds at most {LINES_LIMIT} different products.")


def drop_line(connection: Connection, customer_id: str, sku: str) -> None:
    """Take one product out; it need not be in."""
    connection.execute(delete(cart_lines).filter_by(customer_id=customer_id, sku=sku))


def empty_cart(connection: Connection, customer_id: str) -> None:
    """Take everything out."""
    connection.execute(delete(cart_lines).filter_by(customer_id=customer_id))
