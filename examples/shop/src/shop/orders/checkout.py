"""Checkout: reserve stock, take money, tell everybody; in steps that can each be repeated without harm.

An order is written down before anything is asked of others. Whoever works on it holds a lease; when that process
dies, or payments cannot say whether money moved, `resume_abandoned` takes the order up again where it stood.
"""

import asyncio
from decimal import Decimal

from holdfast import instrument, journal
from shop.chassis import Problem, new_id, now_ms
from shop.orders import ledger
from shop.orders.carts import Cart, empty_cart, read_cart
from shop.orders.ledger import Failure, Intent, Order, OrderLine, OrderStatus
from shop.orders.payment import ChargeOutcome, PaymentUnknown, charge_order
from shop.orders.stock import Stock, StockUnavailable
from shop.peers import Peer
from shop.storage import Database

RESUMED_AT_ONCE = 5
_REFUSALS = {
    Failure.OUT_OF_STOCK: (409, "Something in the cart is sold out."),
    Failure.CARD_DECLINED: (402, "The card was declined."),
    Failure.PAYMENT_FAILED: (502, "The payment failed; nothing was charged."),
}
_log = journal.get_logger()


class Checkout:
    """Places orders."""

    def __init__(self, database: Database, catalog: Peer, stock: Stock, payments: Peer) -> None:
        self._database = database
        self._catalog = catalog
        self._stock = stock
        self._payments = payments

    @instrument.timed("shop_checkout_duration_seconds", "From a cart to a paid order, or to why there is none.")
    async def place(self, intent: Intent) -> Order:
        """Turn the customer's cart into a paid order, once per idempotency key.

        Raises:
            Problem: The cart is empty, or the order failed, or waits for its payment; the same key gives the same
                answer.
        """
        known = await self._database.read(ledger.find_by_key, intent.customer_id, intent.idempotency_key)
        order = await self._take_up(known) if known is not None else await self._open(intent)
        if order.status is OrderStatus.PENDING:
            order = await self._advance(order, intent.card_token)
        if order.failure is not None:
            status, detail = _REFUSALS[order.failure]
            raise Problem(status, order.failure.value.replace("_", "-"), f"Order {order.id}: {detail}")
        return order

    async def resume_abandoned(self) -> bool:
        """Take up orders that nobody works on; return False: those that still wait have a new lease."""
        for order_id in await self._database.read(ledger.list_abandoned, RESUMED_AT_ONCE):
            await self._resume(order_id)
        return False

    async def _take_up(self, known: Order) -> Order:
        if known.status is OrderStatus.PENDING and not await self._database.write(ledger.lease, known.id):
            raise _in_progress()
        return known

    async def _open(self, intent: Intent) -> Order:
        cart = await self._database.read(read_cart, intent.customer_id)
        if not cart.lines:
            raise Problem(409, "cart-empty", "There is nothing in the cart.")
        lines = await self._price(cart)
        order = Order(
            id=new_id("ord"),
            customer_id=intent.customer_id,
            status=OrderStatus.PENDING,
            lines=lines,
            total=sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
            created_ms=now_ms(),
        )
        if not await self._database.write(ledger.open_order, order, intent):
            raise _in_progress()
        return order

    async def _price(self, cart: Cart) -> list[OrderLine]:
        answers = await asyncio.gather(*(self._catalog.get(f"/products/{line.sku}") for line in cart.lines))
        for line, answer in zip(cart.lines, answers, strict=True):
            if answer.status != 200:
                raise Problem(409, "not-for-sale", f"{line.sku} is not for sale any more.")
        products = [answer.json() for answer in answers]
        return [
            OrderLine(sku=line.sku, name=product["name"], quantity=line.quantity, unit_price=product["price"])
            for line, product in zip(cart.lines, products, strict=True)
        ]

    async def _advance(self, order: Order, card_token: str) -> Order:
        """Bring a pending order to its end, or give it back when others must recover first."""
        try:
            return await self._try_steps(order, card_token)
        except (PaymentUnknown, StockUnavailable):
            await self._database.write(ledger.postpone, order.id)
            raise

    async def _try_steps(self, order: Order, card_token: str) -> Order:
        """Reserve, charge, close; every step may have happened before."""
        missing = await self._stock.reserve(order.id, [(line.sku, line.quantity) for line in order.lines])
        if missing:
            return await self._close(order, Failure.OUT_OF_STOCK)
        outcome = await charge_order(self._payments, order, card_token)
        if outcome is ChargeOutcome.APPROVED:
            return await self._close(order, None)
        # The stock goes back first: if this process dies in between, the order is resumed and fails again.
        await self._stock.release(order.id)
        declined = outcome is ChargeOutcome.DECLINED
        return await self._close(order, Failure.CARD_DECLINED if declined else Failure.PAYMENT_FAILED)

    async def _close(self, order: Order, failure: Failure | None) -> Order:
        closed = await self._database.write(ledger.close_order, order, failure)
        if closed.status is OrderStatus.PAID:
            await self._database.write(empty_cart, order.customer_id)
            _take_revenue(order)
        _note_closed(closed)
        return closed

    async def _resume(self, order_id: str) -> None:
        if not await self._database.write(ledger.lease, order_id):
            return
        order = await self._database.read(ledger.find_order, order_id)
        intent = await self._database.read(ledger.find_intent, order_id)
        if order is None:
            return
        with journal.bind(correlation_id=intent.correlation_id, order_id=order_id):
            try:
                await self._advance(order, intent.card_token)
            except (PaymentUnknown, StockUnavailable) as error:
                _log.warning("order_still_pending", error=error.detail)


@instrument.counted(
    "shop_orders", "Orders by how they ended.", labels={"outcome": lambda order: order.failure or order.status}
)
def _note_closed(order: Order) -> None:
    _log.info("order_closed", order_id=order.id, status=order.status, failure=order.failure)


@instrument.counted("shop_revenue_eur", "Value of paid orders, in EUR.", amount="order.total")
def _take_revenue(order: Order) -> None:
    _log.info("order_paid", order_id=order.id, total=str(order.total))


def _in_progress() -> Problem:
    return Problem(409, "in-progress", "This order is being worked on.", headers={"Retry-After": "1"})
