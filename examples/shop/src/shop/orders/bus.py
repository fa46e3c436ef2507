"""The bus as orders see it, and its form without a broker: events are pushed to the notifier over HTTP.

`nats_bus` is the form with one. Either raises when an event was not taken; the outbox then tries again.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from shop.chassis import Dependency
from shop.orders.outbox import Event
from shop.peers import Peer, PeerUnavailable


class Bus(Protocol):
    """Carries events to whoever wants them."""

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Hold the connection; publish only inside."""

    async def publish(self, event: Event) -> None:
        """Hand one event over; return when it is safe on the other side."""

    def dependency(self) -> Dependency:
        """Return the bus as `/readyz` names it."""


class HttpBus:
    """Pushes to one consumer, which acknowledges with 202."""

    def __init__(self, notifier: Peer) -> None:
        self._notifier = notifier

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        yield
        await self._notifier.close()

    async def publish(self, event: Event) -> None:
        headers = {"Content-Type": "application/cloudevents+json"}
        answer = await self._notifier.send("POST", "/events", content=event.body.encode(), headers=headers)
        if answer.status != 202:
            raise PeerUnavailable("notifier", f"answered {answer.status}", answer=answer)

    def dependency(self) -> Dependency:
        return self._notifier.dependency(is_required=False)
