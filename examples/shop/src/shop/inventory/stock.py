"""Stock and reservations: the queries, and the rule that an order gets all of its lines or none."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, func, insert, select, update

from shop.chassis import now_ms
from shop.inventory.tables import reservations, stock
from shop.storage import insert_if_absent

SHELVES = ("BOK", "BRW", "COF", "FLT", "GRD", "MUG", "SWT", "TEA")
PER_SHELF = 5
FULL = 500
LOW = 100


class OutOfStock(Exception):  # noqa: N818 -- an answer, not a crash
    """Some lines cannot be had; raised so that the transaction takes back the others."""

    def __init__(self, missing_skus: list[str]) -> None:
        super().__init__(", ".join(missing_skus))
        self.missing_skus = missing_skus


def seed(connection: Connection) -> None:
    """Fill the shelves that are not there yet."""
    for shelf in SHELVES:
        for number in range(1, PER_SHELF + 1):
            insert_if_absent(connection, stock, {"sku": f"{shelf}-{number:03d}", "quantity": FULL})


def read_stock(connection: Connection, skus: list[str]) -> dict[str, int]:
    """Return quantity by sku; unknown ones are left out."""
    rows = connection.execute(select(stock.c.sku, stock.c.quantity).where(stock.c.sku.in_(skus)))
    return {row.sku: row.quantity for row in rows}


def reserve(connection: Connection, order_id: str, quantities: Mapping[str, int]) -> None:
    """Reserve all lines of an order; an order that has a reservation keeps it as it is.

    Raises:
        OutOfStock: Some lines cannot be had.
    """
    held = select(func.count()).select_from(reservations).where(reservations.c.order_id == order_id)
    if connection.execute(held).scalar_one():
        return
    # In the order of the sku: two orders that want the same products cannot wait for each other.
    missing = [sku for sku in sorted(quantities) if not _take(connection, order_id, sku, quantities[sku])]
    if missing:
        raise OutOfStock(missing)


def release(connection: Connection, order_id: str) -> bool:
    """Put back what an order reserved; return whether it had reserved anything."""
    removed = delete(reservations).where(reservations.c.order_id == order_id)
    lines = connection.execute(removed.returning(reservations.c.sku, reservations.c.quantity)).all()
    for line in sorted(lines):
        connection.execute(
            update(stock).where(stock.c.sku == line.sku).values(quantity=stock.c.quantity + line.quantity)
        )
    return bool(lines)


def restock(connection: Connection) -> int:
    """Fill up what runs low, as a supplier would; return how many products."""
    return connection.execute(update(stock).where(stock.c.quantity < LOW).values(quantity=FULL)).rowcount


def forget_old_reservations(connection: Connection, older_than_ms: int) -> int:
    """Delete reservations from before a moment: those goods have left the house."""
    return connection.execute(delete(reservations).where(reservations.c.reserved_ms < older_than_ms)).rowcount


def _take(connection: Connection, order_id: str, sku: str, quantity: int) -> bool:
    there = (stock.c.sku == sku, stock.c.quantity >= quantity)
    taken = connection.execute(update(stock).where(*there).values(quantity=stock.c.quantity - quantity))
    if taken.rowcount == 0:
        return False
    reservation = {"order_id": order_id, "sku": sku, "quantity": quantity, "reserved_ms": now_ms()}
    connection.execute(insert(reservations).values(reservation))
    return True
