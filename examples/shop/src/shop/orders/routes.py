"""Orders over HTTP: one cart per customer, orders out of it.

The customer's id is in the path: the gateway has checked who asks.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, Field

from holdfast import journal
from shop.chassis import Problem, new_id
from shop.orders import ledger
from shop.orders.carts import Cart, CartLine, Quantity, drop_line, put_line, read_cart
from shop.orders.checkout import Checkout
from shop.orders.ledger import Intent, Order
from shop.peers import Peer
from shop.storage import Database

CustomerId = Annotated[str, Path(pattern=r"^cus_[0-9a-z]{1,40}$")]
Sku = Annotated[str, Path(pattern=r"^[A-Z]{3}-\d{3}$")]
IdempotencyKey = Annotated[str, Header(min_length=8, max_length=80)]


class LineChange(BaseModel):
    """A new quantity."""

    quantity: Quantity


class CheckoutRequest(BaseModel):
    """How to pay for what is in the cart."""

    card_token: Annotated[str, Field(pattern=r"^tok_[a-z0-9_]{1,60}$")]


class OrderList(BaseModel):
    """A customer's latest orders, newest first."""

    orders: list[Order]


def cart_routes(database: Database, catalog: Peer) -> APIRouter:
    """Return the routes of carts."""
    router = APIRouter(prefix="/customers/{customer_id}/cart", tags=["cart"])

    @router.get("")
    async def show(customer_id: CustomerId) -> Cart:
        return await database.read(read_cart, customer_id)

    @router.put("/{sku}")
    async def put(customer_id: CustomerId, sku: Sku, change: LineChange) -> Cart:
        answer = await catalog.get(f"/products/{sku}")
        if answer.status != 200:
            raise Problem(404, "unknown-product", f"There is no product {sku}.")
        await database.write(put_line, customer_id, CartLine(sku=sku, quantity=change.quantity))
        return await database.read(read_cart, customer_id)

    @router.delete("/{sku}")
    async def drop(customer_id: CustomerId, sku: Sku) -> Cart:
        await database.write(drop_line, customer_id, sku)
        return await database.read(read_cart, customer_id)

    return router


def order_routes(database: Database, checkout: Checkout, wake_outbox: Callable[[], None]) -> APIRouter:
    """Return the routes of orders; `wake_outbox` tells the relay that an event waits."""
    router = APIRouter(prefix="/customers/{customer_id}/orders", tags=["orders"])

    @router.post("", status_code=201)
    async def place(customer_id: CustomerId, request: CheckoutRequest, idempotency_key: IdempotencyKey) -> Order:
        correlation_id = journal.correlation_id() or new_id("cor")
        try:
            return await checkout.place(Intent(customer_id, idempotency_key, request.card_token, correlation_id))
        finally:
            wake_outbox()

    @router.get("")
    async def list_latest(customer_id: CustomerId, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> OrderList:
        return OrderList(orders=await database.read(ledger.list_orders, customer_id, limit))

    @router.get("/{order_id}")
    async def show(customer_id: CustomerId, order_id: str) -> Order:
        order = await database.read(ledger.find_order, order_id)
        if order is None or order.customer_id != customer_id:
            raise Problem(404, "unknown-order", f"There is no order {order_id}.")
        return order

    return router
