"""State that processes share through Redis 6 or newer; needs `pip install "holdfast[redis]"`.

Owns the adapters of the ports of `holdfast.resilience` on Redis, each change one atomic script. Refuses to promise
what Redis does not: a fail-over of Redis may forget the last second.
"""

from holdfast.resilience.redis.connections import RedisServer
from holdfast.resilience.redis.errors import RedisAway
from holdfast.resilience.redis.locks import RedisLocks

__all__ = ["RedisAway", "RedisLocks", "RedisServer"]
