"""Adds the feed's routes and permission to the app."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.kernel.events import EventKind
from holdfast.kernel.feed.routes import routes
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Ground, Wiring


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed as a room."""

    wiring: Wiring


def wire(ground: Ground) -> Feed:
    """Build the feed over the ground's event log."""
    return Feed(
        Wiring(
            name="events",
            routers=(routes(ground.events),),
            migrations="holdfast.kernel.events.migrations",
            permissions=(Permission("events.read", Role.VIEWER, "Read the event log and follow it live."),),
            event_kinds=(EventKind("consumer.parked", "A consumer gave up on an event and passed over it."),),
        )
    )
