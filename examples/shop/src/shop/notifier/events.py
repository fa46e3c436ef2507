"""Order events as this consumer reads them: CloudEvents 1.0, of which it wants these fields and no others.

What is wanted here is what the contract in `contracts/notifier--orders.json` asks of the producer.
"""

import hashlib
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

EVENT_LIMIT_BYTES = 64 * 1024


class UnreadableEvent(Exception):  # noqa: N818 -- says what the event is
    """Nobody will ever be able to read this event: it goes to the dead letters at once."""


class OrderData(BaseModel):
    """What happened to the order."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    customer_id: str
    total: Decimal
    currency: str
    failure: str | None = None


class OrderEvent(BaseModel):
    """The envelope."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"]
    id: str
    type: Literal["shop.order.paid", "shop.order.failed"]
    data: OrderData
    correlationid: str | None = None
    traceparent: str | None = None


class Envelope(BaseModel):
    """The one field that an event needs to be accepted."""

    id: str


def event_id(body: bytes) -> str:
    """Return the event's id; an event without one is known by its content, so that it too arrives once."""
    try:
        return Envelope.model_validate_json(body).id
    except ValidationError:
        return f"unreadable-{hashlib.sha256(body).hexdigest()[:24]}"


def read_event(body: str) -> OrderEvent:
    """Decode an event.

    Raises:
        UnreadableEvent: It is not what was agreed.
    """
    try:
        return OrderEvent.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise UnreadableEvent(f"{place}: {first['msg']}") from error
