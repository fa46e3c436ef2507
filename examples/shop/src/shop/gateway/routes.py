"""The public API: each route names its shape, checks who asks, and passes the service's answer through."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from shop.api import refusal
from shop.chassis import answer_problem
from shop.gateway import schemas
from shop.gateway.access import Access
from shop.gateway.tokens import LIFETIME_S, Tokens
from shop.peers import Answer, Peer, PeerUnavailable

Sku = Annotated[str, Path(pattern=r"^[A-Z]{3}-\d{3}$", examples=["COF-001"])]
OrderId = Annotated[str, Path(pattern=r"^ord_[0-9a-z]{20}$")]
IdempotencyKey = Annotated[str, Header(min_length=8, max_length=80, description="The same key buys once")]
_NO_TOKEN = refusal(401, "There is no good token")
_TOO_OFTEN = refusal(429, "Too many requests: wait as long as Retry-After says")
_AWAY = refusal(503, "A service behind the gateway does not answer")
_GUARDED = _NO_TOKEN | _TOO_OFTEN | _AWAY
_NOT_THERE = refusal(404, "There is no such thing")
_FULL = refusal(409, "The cart is full")
_NOT_BOUGHT = (
    refusal(402, "The card was declined")
    | refusal(409, "The cart is empty, something is sold out, or the order is being worked on")
    | refusal(502, "The payment failed; nothing was charged")
)
_PASSED_HEADERS = ("content-type", "retry-after")


def session_routes(access: Access, tokens: Tokens) -> APIRouter:
    """Return the routes that give tokens."""
    router = APIRouter(prefix="/api/sessions", tags=["sessions"], responses=_TOO_OFTEN)
    Customer = Annotated[str, Depends(access.customer)]  # noqa: N806 -- a type, made of this gateway's access

    @router.post("", status_code=201, dependencies=[Depends(access.anybody)])
    async def open_session() -> schemas.Session:
        """Become a new customer."""
        token, customer_id = tokens.issue()
        return schemas.Session(token=token, customer_id=customer_id, expires_in_s=LIFETIME_S)

    @router.post("/renew", responses=_NO_TOKEN)
    async def renew_session(customer_id: Customer) -> schemas.Session:
        """Stay the same customer for another hour."""
        token, _ = tokens.issue(customer_id)
        return schemas.Session(token=token, customer_id=customer_id, expires_in_s=LIFETIME_S)

    return router


def product_routes(access: Access, catalog: Peer) -> APIRouter:
    """Return the routes to browse: open to anybody."""
    router = APIRouter(
        prefix="/api/products",
        tags=["products"],
        dependencies=[Depends(access.anybody)],
        responses=_TOO_OFTEN | _AWAY,
    )

    @router.get("", response_model=schemas.ProductPage)
    async def list_products(
        category: Annotated[str | None, Query(max_length=40)] = None,
        after: Annotated[str, Query(max_length=40)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """List products in the order of their sku."""
        query = {"after": after, "limit": limit, "category": category}
        known = {name: value for name, value in query.items() if value is not None}
        return _pass(await catalog.get("/products", params=known))

    @router.get("/{sku}", response_model=schemas.Product, responses=_NOT_THERE)
    async def show_product(sku: Sku) -> Response:
        """Show one product."""
        return _pass(await catalog.get(f"/products/{sku}"))

    return router


def cart_routes(access: Access, orders: Peer) -> APIRouter:
    """Return the routes of the customer's cart."""
    router = APIRouter(prefix="/api/cart", tags=["cart"], responses=_GUARDED)
    Customer = Annotated[str, Depends(access.customer)]  # noqa: N806 -- a type, made of this gateway's access

    @router.get("", response_model=schemas.Cart)
    async def show_cart(customer_id: Customer) -> Response:
        """Show the cart."""
        return _pass(await orders.get(f"/customers/{customer_id}/cart"))

    @router.put("/{sku}", response_model=schemas.Cart, responses=_NOT_THERE | _FULL)
    async def put_line(customer_id: Customer, sku: Sku, change: schemas.LineChange) -> Response:
        """Set the quantity of one product."""
        path = f"/customers/{customer_id}/cart/{sku}"
        return _pass(await orders.send("PUT", path, json=change.model_dump()))

    @router.delete("/{sku}", response_model=schemas.Cart)
    async def drop_line(customer_id: Customer, sku: Sku) -> Response:
        """Take one product out."""
        return _pass(await orders.send("DELETE", f"/customers/{customer_id}/cart/{sku}"))

    return router


def order_routes(access: Access, orders: Peer) -> APIRouter:
    """Return the routes of the customer's orders."""
    router = APIRouter(prefix="/api/orders", tags=["orders"], responses=_GUARDED)
    Customer = Annotated[str, Depends(access.customer)]  # noqa: N806 -- a type, made of this gateway's access

    @router.post("", status_code=201, response_model=schemas.Order, responses=_NOT_BOUGHT)
    async def check_out(
        customer_id: Customer, request: schemas.CheckoutRequest, idempotency_key: IdempotencyKey
    ) -> Response:
        """Buy what is in the cart."""
        headers = {"Idempotency-Key": idempotency_key}
        path = f"/customers/{customer_id}/orders"
        return _pass(await orders.send("POST", path, json=request.model_dump(), headers=headers))

    @router.get("", response_model=schemas.OrderList)
    async def list_orders(customer_id: Customer, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> Response:
        """List the latest orders, newest first."""
        return _pass(await orders.get(f"/customers/{customer_id}/orders", params={"limit": limit}))

    @router.get("/{order_id}", response_model=schemas.Order, responses=_NOT_THERE)
    async def show_order(customer_id: Customer, order_id: OrderId) -> Response:
        """Show one order."""
        return _pass(await orders.get(f"/customers/{customer_id}/orders/{order_id}"))

    return router


def pass_failure(request: Request, error: Exception) -> Response:
    """Answer for a service that failed: with its own words where it had some."""
    if isinstance(error, PeerUnavailable) and error.answer is not None and error.answer.is_problem:
        return _pass(error.answer)
    return answer_problem(request, error)


def _pass(answer: Answer) -> Response:
    """Hand the service's bytes through: decoding and encoding them again would only cost time."""
    headers = {name: answer.headers[name] for name in _PASSED_HEADERS if name in answer.headers}
    return Response(answer.body, answer.status, headers)
