"""Where a cache keeps its values: as objects in memory, or as bytes in a store that processes share.

Both answer alike. A store that does not answer is one that has nothing; who asked is told by `on_failure`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from holdfast.resilience.cached_values import CachedValue, ValueTable
from holdfast.resilience.ports import CacheStore, StoredValue


class Codec(Protocol):
    """Turns values into bytes and back; the standard `json` by default, which trusts nobody's bytes."""

    def encode(self, value: Any) -> bytes:
        """Give the bytes of a value."""
        ...

    def decode(self, body: bytes) -> Any:
        """Give the value of bytes."""
        ...


class JsonCodec:
    """Values as JSON."""

    __slots__ = ()

    def encode(self, value: Any) -> bytes:
        """Give compact JSON.

        Raises:
            TypeError: It is no JSON value.
        """
        return json.dumps(value, separators=(",", ":")).encode()

    def decode(self, body: bytes) -> Any:
        """Read JSON."""
        return json.loads(body)


class MemoryBackend:
    """Objects in a table; errors may be kept too."""

    __slots__ = ("table",)

    keeps_errors = True

    def __init__(self, table: ValueTable) -> None:
        self.table = table

    def look(self, key: Hashable, now_s: float) -> CachedValue | None:
        """Give what is there."""
        return self.table.get(key, now_s)

    async def look_async(self, key: Hashable, now_s: float) -> CachedValue | None:
        """Do as `look`."""
        return self.table.get(key, now_s)

    def keep(self, key: Hashable, value: CachedValue, now_s: float) -> None:  # noqa: ARG002 -- the backends' shape
        """Keep it."""
        self.table.put(key, value)

    async def keep_async(self, key: Hashable, value: CachedValue, now_s: float) -> None:
        """Do as `keep`."""
        self.keep(key, value, now_s)

    def remove(self, key: Hashable) -> None:
        """Forget it."""
        self.table.remove(key)

    async def remove_async(self, key: Hashable) -> None:
        """Do as `remove`."""
        self.table.remove(key)

    def clear(self) -> None:
        """Forget everything."""
        self.table.remove_where(lambda _: True)

    async def clear_async(self) -> None:
        """Do as `clear`."""
        self.clear()


class StoreBackend:
    """Bytes in a store; its times are its own, so each value's are turned into ours."""

    __slots__ = ("_codec", "_on_failure", "_prefix", "_store")

    keeps_errors = False

    def __init__(self, store: CacheStore, codec: Codec, prefix: str, on_failure: Callable[[Exception], None]) -> None:
        self._store = store
        self._codec = codec
        self._prefix = prefix
        self._on_failure = on_failure

    def look(self, key: Hashable, now_s: float) -> CachedValue | None:
        """Give what is there."""
        try:
            return self._read(self._store.get(self._place(key)), now_s)
        except Exception as error:  # noqa: BLE001 -- the fence of a plugin: without the store the answer is fetched
            self._on_failure(error)
            return None

    async def look_async(self, key: Hashable, now_s: float) -> CachedValue | None:
        """Do as `look`."""
        try:
            return self._read(await self._store.get_async(self._place(key)), now_s)
        except Exception as error:  # noqa: BLE001 -- the fence of a plugin: without the store the answer is fetched
            self._on_failure(error)
            return None

    def keep(self, key: Hashable, value: CachedValue, now_s: float) -> None:
        """Keep it."""
        body = self._codec.encode(value.value)
        fresh_s, keep_s = value.fresh_until_s - now_s, value.over_s - now_s
        try:
            self._store.put(self._place(key), body, fresh_s=fresh_s, keep_s=keep_s)
        except Exception as error:  # noqa: BLE001 -- the fence of a plugin: the answer is good without the store
            self._on_failure(error)

    async def keep_async(self, key: Hashable, value: CachedValue, now_s: float) -> None:
        """Do as `keep`."""
        body = self._codec.encode(value.value)
        fresh_s, keep_s = value.fresh_until_s - now_s, value.over_s - now_s
        try:
            await self._store.put_async(self._place(key), body, fresh_s=fresh_s, keep_s=keep_s)
        except Exception as error:  # noqa: BLE001 -- the fence of a plugin: the answer is good without the store
            self._on_failure(error)

    def remove(self, key: Hashable) -> None:
        """Forget it; a store that is away is an error here, because the old value would live on."""
        self._store.remove(self._place(key))

    async def remove_async(self, key: Hashable) -> None:
        """Do as `remove`."""
        await self._store.remove_async(self._place(key))

    def clear(self) -> None:
        """Forget everything."""
        self._store.clear()

    async def clear_async(self) -> None:
        """Do as `clear`."""
        await self._store.clear_async()

    def _place(self, key: Hashable) -> str:
        return f"{self._prefix}:{key}"

    def _read(self, found: StoredValue | None, now_s: float) -> CachedValue | None:
        if found is None:
            return None
        return CachedValue(self._codec.decode(found.body), None, now_s + found.fresh_s, math.inf)
