"""What customers do in one visit: most only look, some fill a cart, a few buy."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from shop.traffic.customer import Customer

Journey = Callable[[Customer], Awaitable[None]]
_CATEGORIES = ("books", "brewers", "coffee", "filters", "grinders", "mugs", "sweets", "tea")
_UNSETTLED = {409, 503}
_DECLINED_CARDS = 0.02


async def look_around(customer: Customer) -> None:
    """Browse a shelf or all of them, look at some products, leave."""
    await _browse(customer)


async def fill_cart(customer: Customer) -> None:
    """Put some products in the cart, change one's mind, leave."""
    await _collect(customer)
    await customer.ask("show_cart", "GET", "/api/cart")


async def buy(customer: Customer) -> None:
    """Fill the cart, pay, look at the order; when it hangs, ask again with the same key."""
    await _collect(customer)
    key = secrets.token_hex(12)
    card = "tok_declined" if customer.rng.random() < _DECLINED_CARDS else f"tok_{secrets.token_hex(6)}"
    for _attempt in range(2):
        order = await customer.ask(
            "check_out",
            "POST",
            "/api/orders",
            json={"card_token": card},
            headers={"Idempotency-Key": key},
            tolerated={402, *_UNSETTLED},
        )
        if order is not None:
            await customer.ask("show_order", "GET", f"/api/orders/{order['id']}")
            return


async def look_back(customer: Customer) -> None:
    """See what became of earlier orders, then browse."""
    await customer.ask("list_orders", "GET", "/api/orders")
    await _browse(customer)


JOURNEYS: tuple[tuple[Journey, float], ...] = ((look_around, 0.5), (fill_cart, 0.2), (buy, 0.22), (look_back, 0.08))


async def visit(customer: Customer) -> None:
    """Enter, and do one of the journeys."""
    await customer.enter()
    weights = [weight for _, weight in JOURNEYS]
    journey = customer.rng.choices([journey for journey, _ in JOURNEYS], weights)[0]
    await journey(customer)


async def _browse(customer: Customer) -> list[dict[str, Any]]:
    query = {"category": customer.rng.choice(_CATEGORIES)} if customer.rng.random() < 0.6 else {}
    page = await customer.ask("list_products", "GET", "/api/products", params=query)
    products: list[dict[str, Any]] = (page or {})["products"]
    seen = customer.rng.sample(products, k=min(len(products), customer.rng.randint(1, 3)))
    for product in seen:
        await customer.ask("show_product", "GET", f"/api/products/{product['sku']}")
    return seen


async def _collect(customer: Customer) -> None:
    for product in await _browse(customer):
        quantity = customer.rng.choice((1, 1, 1, 2, 3))
        await customer.ask("put_line", "PUT", f"/api/cart/{product['sku']}", json={"quantity": quantity})
