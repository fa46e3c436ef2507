"""The public API's shapes: what OpenAPI promises to the world.

They repeat some of the services' own shapes on purpose: those may change without breaking this promise.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Session(_Shape):
    """A token, and whom it speaks for."""

    token: str
    customer_id: str
    expires_in_s: int


class Product(_Shape):
    """Something to buy."""

    sku: str
    name: str
    category: str
    description: str
    price: Decimal
    currency: str


class ProductPage(_Shape):
    """Some products; `next_after` asks for the next page, null ends the list."""

    products: list[Product]
    next_after: str | None


class CartLine(_Shape):
    """So many of one product."""

    sku: str
    quantity: int


class Cart(_Shape):
    """What the customer means to buy."""

    lines: list[CartLine]


class LineChange(_Shape):
    """A new quantity."""

    quantity: Annotated[int, Field(ge=1, le=20)]


class CheckoutRequest(_Shape):
    """How to pay for the cart."""

    card_token: Annotated[str, Field(pattern=r"^tok_[a-z0-9_]{1,60}$")]


class OrderLine(_Shape):
    """So many of one product at the price of the moment."""

    sku: str
    name: str
    quantity: int
    unit_price: Decimal


class Order(_Shape):
    """An order; `failure` says why a failed one failed."""

    id: str
    customer_id: str
    status: str
    failure: str | None
    lines: list[OrderLine]
    total: Decimal
    currency: str
    created_ms: int


class OrderList(_Shape):
    """The customer's latest orders, newest first."""

    orders: list[Order]
