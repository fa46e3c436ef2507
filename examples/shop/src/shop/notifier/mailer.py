"""Writes messages, and a stand-in for the mail provider that would carry them.

Sending twice is possible (a crash between sending and recording); the event id is the key that a real provider would
use to drop the second one.
"""

import asyncio

from shop.chassis import Faults
from shop.notifier.events import OrderEvent
from shop.notifier.inbox import Message

_SUBJECTS = {"shop.order.paid": "Thank you for order {id}", "shop.order.failed": "Order {id} did not work out"}
_REASONS = {
    "out_of_stock": "something in it was sold out",
    "card_declined": "the card was declined",
    "payment_failed": "the payment failed and nothing was charged",
}


def write_message(event: OrderEvent) -> Message:
    """Put an event in words."""
    data = event.data
    text = f"{data.total} {data.currency}."
    if data.failure is not None:
        text = f"We are sorry: {_REASONS.get(data.failure, data.failure)}. {text}"
    return Message(event.id, data.customer_id, _SUBJECTS[event.type].format(id=data.order_id), text)


class Mailer:
    """The mail provider."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        faults.add_dependency("mailer")

    async def send(self, _message: Message) -> None:
        """Carry one message.

        Raises:
            ConnectionError: The provider is not there.
            InjectedError: It failed on command.
        """
        if self._faults.is_dead("mailer"):
            raise ConnectionRefusedError("the mail provider refuses connections")
        await asyncio.sleep(0.005)
        await self._faults.strike()
