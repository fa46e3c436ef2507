"""Events about orders: CloudEvents 1.0 in JSON, with the ids that tie them to the request and its trace."""

import json
from datetime import UTC, datetime
from typing import Any

from opentelemetry import propagate

from shop.chassis import new_id, now_ms


def order_event(order: dict[str, Any], correlation_id: str) -> dict[str, object]:
    """Return the outbox row of the event that an order was paid or failed."""
    event_id = new_id("evt")
    subject = f"shop.order.{order['status']}"
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    body = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/shop/orders",
        "type": subject,
        "subject": order["id"],
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "correlationid": correlation_id,
        "data": {
            "order_id": order["id"],
            "customer_id": order["customer_id"],
            "total": order["total"],
            "currency": order["currency"],
            "failure": order["failure"],
            "lines": order["lines"],
        },
    } | carrier
    return {"id": event_id, "subject": subject, "body": json.dumps(body), "created_ms": now_ms()}


def poisoned_event() -> dict[str, object]:
    """Return the outbox row of an event whose data nobody can read."""
    event_id = new_id("evt")
    body = {"specversion": "1.0", "id": event_id, "source": "/shop/orders", "type": "shop.order.paid", "data": "\ufffd"}
    return {"id": event_id, "subject": "shop.order.paid", "body": json.dumps(body), "created_ms": now_ms()}
