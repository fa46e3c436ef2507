"""Products: their shape, and the queries on them."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, select, update

from shop.catalog.tables import products
from shop.chassis import CURRENCY, Amount, from_cents, now_ms, to_cents


class Product(BaseModel):
    """Something to buy."""

    model_config = ConfigDict(frozen=True)

    sku: str
    name: str
    category: str
    description: str
    price: Amount
    currency: str = CURRENCY


class ProductPage(BaseModel):
    """Some products in the order of their sku; `next_after` asks for the next page, None ends the list."""

    products: list[Product]
    next_after: str | None


def find_product(connection: Connection, sku: str) -> Product | None:
    """Return the product, or None."""
    row = connection.execute(select(products).where(products.c.sku == sku)).one_or_none()
    return None if row is None else _product(row)


def list_products(connection: Connection, category: str | None, after: str, limit: int) -> ProductPage:
    """Return up to `limit` products whose sku is greater than `after`."""
    query = select(products).where(products.c.sku > after).order_by(products.c.sku).limit(limit + 1)
    if category is not None:
        query = query.where(products.c.category == category)
    found = [_product(row) for row in connection.execute(query)]
    page = found[:limit]
    return ProductPage(products=page, next_after=page[-1].sku if len(found) > limit else None)


def change_price(connection: Connection, sku: str, price: Decimal) -> bool:
    """Set a price; return whether the product exists."""
    change = update(products).where(products.c.sku == sku).values(price_cents=to_cents(price), updated_ms=now_ms())
    return connection.execute(change).rowcount == 1


def _product(row: Row[tuple[object, ...]]) -> Product:
    return Product(
        sku=row.sku,
        name=row.name,
        category=row.category,
        description=row.description,
        price=from_cents(row.price_cents),
    )
