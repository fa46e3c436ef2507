"""What service health writes into the event log."""

from __future__ import annotations

from typing import Final

from holdfast.health.services.judging import ServiceHealth
from holdfast.health.verdict import Verdict
from holdfast.kernel.events import EventKind, NewEvent
from holdfast.kernel.ids import ServiceId

CHANGED: Final = EventKind("service.changed", "a service shows another health: {service, from, to, reasons}")
KINDS: Final = (CHANGED,)
_MOST_REASONS: Final = 5


def changed(service: ServiceId, before: Verdict, health: ServiceHealth) -> NewEvent:
    """Tell that `service` went from one health to another, and why."""
    reasons = [
        {
            **({"check": reason.check} if reason.check else {"service": reason.service}),
            "verdict": reason.verdict.value,
            "message": reason.message[:500],
        }
        for reason in health.reasons[:_MOST_REASONS]
    ]
    data: dict[str, object] = {
        "service": service,
        "from": before.value,
        "to": health.verdict.value,
        "reasons": reasons,
        **({"maintenance": True} if health.is_spared else {}),
    }
    return NewEvent(CHANGED.name, f"service/{service}", data, service=service)
