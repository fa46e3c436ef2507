"""Takes events from a NATS JetStream into the inbox; an event is acknowledged when it is written down.

The consumer pulls: what the inbox cannot take stays in the stream.
"""

import contextlib
from collections.abc import AsyncIterator, Callable

import nats
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig

from holdfast import instrument
from shop.chassis import Dependency, Loop, Service
from shop.notifier.inbox import accept
from shop.storage import Database

DURABLE = "notifier"
BATCH = 20


@contextlib.asynccontextmanager
async def subscribe(url: str, service: Service, database: Database, wake: Callable[[], None]) -> AsyncIterator[None]:
    """Pull events into the inbox until left; `/readyz` names the bus."""
    client = await nats.connect(url, name="shop-notifier", connect_timeout=2, max_reconnect_attempts=-1)
    stream = client.jetstream()
    name, subjects = service.settings.order_stream, service.settings.order_subjects
    await stream.add_stream(StreamConfig(name=name, subjects=[subjects], max_age=24 * 3600, max_bytes=256 << 20))
    wanted = ConsumerConfig(ack_wait=30, max_ack_pending=1000)
    subscription = await stream.pull_subscribe(subjects, durable=DURABLE, stream=name, config=wanted)
    service.faults.add_dependency("bus")

    async def probe() -> None:
        if service.faults.is_dead("bus") or not client.is_connected:
            raise ConnectionError("NATS is not connected")

    async def pull() -> bool:
        await probe()
        return await _pull(subscription, database, wake)

    service.health.add(Dependency("bus", probe))
    async with Loop("bus", pull, pause_s=0.1).running():
        yield
    await client.close()


async def _pull(subscription: JetStreamContext.PullSubscription, database: Database, wake: Callable[[], None]) -> bool:
    try:
        events = await subscription.fetch(BATCH, timeout=1.0)
    except NothingCame:
        return False
    for event in events:
        with instrument.processing("nats", event.subject, event.headers):
            await database.write(accept, event.data)
            await event.ack()
    wake()
    return True
