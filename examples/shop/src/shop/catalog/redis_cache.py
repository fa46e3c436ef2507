"""The cache's store in Redis: shared by all processes of the catalog, and allowed to be away.

When Redis cannot forget a changed product, its old price lives until the entry expires: a minute at most.
"""

from holdfast import instrument
from holdfast.resilience.ports import StoredValue
from holdfast.resilience.redis import RedisCacheStore, RedisServer
from shop.chassis import Faults

TIMEOUT_S = 0.2


class ShopStore(RedisCacheStore):
    """Redis, until a fault plan cuts it off."""

    def __init__(self, url: str, faults: Faults) -> None:
        self._redis = RedisServer(url, prefix="shop:catalog", timeout_s=TIMEOUT_S)
        super().__init__(self._redis)
        self._faults = faults
        faults.add_dependency("cache")

    async def get_async(self, key: str) -> StoredValue | None:
        self._refuse_if_dead()
        return await super().get_async(key)

    async def put_async(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        self._refuse_if_dead()
        await super().put_async(key, body, fresh_s=fresh_s, keep_s=keep_s)

    async def remove_async(self, key: str) -> None:
        self._refuse_if_dead()
        await super().remove_async(key)

    def watch(self) -> None:
        """Show what the running event loop asks of Redis, and its connections."""
        instrument.watch_redis(self._redis.asynchronous, name="catalog")

    async def ping(self) -> None:
        self._refuse_if_dead()
        await self.get_async("ping")

    async def aclose(self) -> None:
        await self._redis.aclose()

    def _refuse_if_dead(self) -> None:
        if self._faults.is_dead("cache"):
            raise ConnectionRefusedError("cut off by `python -m shop break`")
