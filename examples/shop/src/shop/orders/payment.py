"""Money, as orders see it: charge an order once, and say honestly what is known afterwards.

The idempotency key is the order's id: charging again asks for the same charge. Nothing is repeated here: the customer
waits, so the order is parked instead, and `checkout` asks again later.
"""

from enum import StrEnum

from shop.chassis import Problem
from shop.orders.ledger import Order
from shop.peers import Answer, Peer, PeerUnavailable

_NO_MONEY_MOVED = {"provider-failed", "provider-refused"}


class ChargeOutcome(StrEnum):
    """What became of a charge; `failed` means that no money moved."""

    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"


class PaymentUnknown(Problem):
    """Nobody knows whether the money moved: the order stays pending until payments can say."""

    def __init__(self, order_id: str, why: str) -> None:
        detail = f"Order {order_id} waits for its payment: {why}."
        hint = "Repeat the request with the same Idempotency-Key."
        super().__init__(503, "payment-unknown", detail, hint=hint, headers={"Retry-After": "5"})


async def charge_order(payments: Peer, order: Order, card_token: str) -> ChargeOutcome:
    """Charge an order.

    Raises:
        PaymentUnknown: Payments did not give a final answer.
    """
    request = {
        "order_id": order.id,
        "amount": str(order.total),
        "currency": order.currency,
        "card_token": card_token,
    }
    try:
        answer = await payments.send("POST", "/charges", json=request, headers={"Idempotency-Key": order.id})
    except PeerUnavailable as error:
        if error.answer is not None and _code(error.answer) in _NO_MONEY_MOVED:
            return ChargeOutcome.FAILED
        raise PaymentUnknown(order.id, error.detail) from error
    if answer.status not in {200, 201}:
        raise PaymentUnknown(order.id, f"payments answered {answer.status}")
    return ChargeOutcome(answer.json()["status"])


def _code(answer: Answer) -> str:
    return str(answer.json().get("code", "")) if answer.is_problem else ""
