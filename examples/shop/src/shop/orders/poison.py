"""The `poison` fault: each second an event leaves that no consumer will be able to read."""

from contextlib import AbstractAsyncContextManager

from sqlalchemy import Connection, insert

from shop.chassis import Loop
from shop.orders.events import poisoned_event
from shop.orders.tables import outbox
from shop.storage import Database


def poison(database: Database) -> AbstractAsyncContextManager[None]:
    """Write unreadable events until left."""

    async def write_one() -> bool:
        await database.write(_insert_poison)
        return False

    return Loop("poison", write_one, pause_s=1.0).running()


def _insert_poison(connection: Connection) -> None:
    connection.execute(insert(outbox).values(poisoned_event()))
