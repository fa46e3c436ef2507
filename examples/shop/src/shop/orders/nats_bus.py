"""The bus on NATS JetStream: an event is published when the stream has stored it.

The event's id is the message id, so that the stream itself drops a second copy.
"""

import contextlib
from collections.abc import AsyncIterator

import nats
from nats.aio.client import Client
from nats.js.api import StreamConfig

from holdfast import instrument
from shop.chassis import Dependency, Faults
from shop.orders.outbox import Event
from shop.settings import Settings

TIMEOUT_S = 2.0


class NatsBus:
    """Use it between entering and leaving `connected`."""

    def __init__(self, url: str, settings: Settings, faults: Faults) -> None:
        self._url = url
        self._settings = settings
        self._faults = faults
        self._client = Client()
        faults.add_dependency("bus")

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connect and make sure that the stream is there."""
        self._client = await nats.connect(self._url, name="shop-orders", connect_timeout=2, max_reconnect_attempts=-1)
        wanted = StreamConfig(
            name=self._settings.order_stream,
            subjects=[self._settings.order_subjects],
            max_age=24 * 3600,
            max_bytes=256 << 20,
        )
        await self._client.jetstream().add_stream(wanted)
        try:
            yield
        finally:
            await self._client.close()

    async def publish(self, event: Event) -> None:
        """Store one event in the stream.

        Raises:
            OSError: NATS is not there.
            nats.errors.Error: The stream did not take it.
        """
        await self._probe()
        headers = {"Nats-Msg-Id": event.id}
        stream = self._client.jetstream()
        subject = self._settings.order_subjects.replace("*", event.subject.rpartition(".")[2])
        with instrument.sending("nats", subject, headers):
            await stream.publish(subject, event.body.encode(), timeout=TIMEOUT_S, headers=headers)

    def dependency(self) -> Dependency:
        return Dependency("bus", self._probe, is_required=False)

    async def _probe(self) -> None:
        if self._faults.is_dead("bus") or not self._client.is_connected:
            raise ConnectionError("NATS is not connected")
