"""The goods that a new shop starts with: the same forty in every copy, so that tests and traffic know them."""

from sqlalchemy import Connection, func, insert, select

from shop.catalog.tables import products
from shop.chassis import now_ms

_SHELVES = {
    "coffee": ("COF", 890, ["Ethiopia Guji", "Kenya Nyeri", "Colombia Huila", "Brazil Cerrado", "Decaf Peru"]),
    "tea": ("TEA", 640, ["Sencha", "Darjeeling", "Oolong", "Rooibos", "Earl Grey"]),
    "mugs": ("MUG", 1290, ["Stoneware", "Enamel", "Travel", "Espresso Pair", "Camp"]),
    "brewers": ("BRW", 2490, ["Dripper", "French Press", "Moka Pot", "Siphon", "Kettle"]),
    "grinders": ("GRD", 4990, ["Hand Mill", "Burr Mill", "Travel Mill", "Spice Mill", "Pro Mill"]),
    "filters": ("FLT", 390, ["Paper 01", "Paper 02", "Steel Mesh", "Cloth", "Cold Brew Bag"]),
    "sweets": ("SWT", 450, ["Cantuccini", "Shortbread", "Dark Chocolate", "Nougat", "Ginger Snaps"]),
    "books": ("BOK", 1890, ["World Atlas", "Home Roasting", "Latte Art", "Tea Roads", "Water Matters"]),
}


def seed(connection: Connection) -> None:
    """Fill an empty catalog."""
    if connection.execute(select(func.count()).select_from(products)).scalar_one():
        return
    connection.execute(
        insert(products),
        [
            {
                "sku": f"{prefix}-{number:03d}",
                "name": name,
                "category": category,
                "description": f"{name}, from our {category} shelf.",
                "price_cents": base_cents + 210 * number,
                "updated_ms": now_ms(),
            }
            for category, (prefix, base_cents, names) in _SHELVES.items()
            for number, name in enumerate(names, start=1)
        ],
    )
