"""State that processes share through Redis 6 or newer; needs `pip install "holdfast[redis]"`.

Owns the adapters of the ports of `holdfast.resilience` on Redis, each change one atomic script. Refuses to promise
what Redis does not: a fail-over of Redis may forget the last second. While it is away each call raises StoreAway.
"""

from holdfast.resilience.redis.breakers import RedisBreakerStore
from holdfast.resilience.redis.caches import RedisCacheStore
from holdfast.resilience.redis.connections import RedisServer
from holdfast.resilience.redis.locks import RedisLocks
from holdfast.resilience.redis.rates import RedisLimiterStore

__all__ = ["RedisBreakerStore", "RedisCacheStore", "RedisLimiterStore", "RedisLocks", "RedisServer"]
