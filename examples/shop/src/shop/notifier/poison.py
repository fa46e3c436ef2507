"""The `poison` fault: each second an event arrives that nobody will ever be able to read."""

import json
from contextlib import AbstractAsyncContextManager

from shop.chassis import Loop, new_id
from shop.notifier.inbox import accept
from shop.storage import Database


def poison(database: Database) -> AbstractAsyncContextManager[None]:
    """Fill the inbox with unreadable events until left."""

    async def arrive() -> bool:
        event = {"specversion": "1.0", "id": new_id("evt"), "type": "shop.order.paid", "data": "\ufffd"}
        await database.write(accept, json.dumps(event).encode())
        return False

    return Loop("poison", arrive, pause_s=1.0).running()
