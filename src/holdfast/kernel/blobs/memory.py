"""Blobs in memory: the twin for tests, with a bound of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from holdfast.kernel.blobs.ports import Stored
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import NotFoundError, StorageFullError

_PIECE_BYTES: Final = 256 * 1024


class MemoryStore:
    """A `BlobStore` that forgets everything at its end; full beyond `max_bytes`."""

    def __init__(self, *, clock: Clock | None = None, max_bytes: int = 256 * 1024 * 1024) -> None:
        self._clock = clock or SystemClock()
        self._max_bytes = max_bytes
        self._blobs: dict[str, tuple[bytes, Stored]] = {}

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep a copy."""
        body = bytearray()
        async for chunk in chunks:
            body += chunk
        held = sum(len(kept) for name, (kept, _) in self._blobs.items() if name != key)
        if held + len(body) > self._max_bytes:
            raise StorageFullError(f"blobs in memory are full: {self._max_bytes} bytes")
        self._blobs[key] = (bytes(body), Stored(key, len(body), self._clock.now()))

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Give the copy in pieces."""
        body, _ = self._find(key)
        for start in range(0, len(body), _PIECE_BYTES):
            yield body[start : start + _PIECE_BYTES]

    async def stat(self, key: str) -> Stored:
        """Tell of one blob."""
        return self._find(key)[1]

    async def delete(self, key: str) -> None:
        """Forget it."""
        self._blobs.pop(key, None)

    async def list(self, prefix: str) -> AsyncGenerator[Stored, None]:
        """Give those below `prefix`, as they are now."""
        for key, (_, stored) in list(self._blobs.items()):
            if not prefix or key.startswith(f"{prefix}/"):
                yield stored

    async def close(self) -> None:
        """Keep what is there: a test may look at it after the app has stopped."""

    def _find(self, key: str) -> tuple[bytes, Stored]:
        try:
            return self._blobs[key]
        except KeyError:
            raise NotFoundError(f"there is no blob {key}") from None
