"""Large values by key: capped, checked against their SHA-256, counted. Where they lie is a `BlobStore`'s matter."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

from holdfast.kernel.blobs.errors import BlobDamagedError, BlobTooLargeError
from holdfast.kernel.blobs.keys import check_key, content_key, sha256_of_key
from holdfast.kernel.blobs.metrics import BlobMetrics
from holdfast.kernel.blobs.ports import Blob, BlobStore, Stored
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from holdfast.kernel.blobs.ports import Owner

MAX_BYTES: Final = 1024**3


class Blobs:
    """The one door to blobs; one per process, safe from any task.

    Keys read `owner/tenant/...`: the owner is the room that keeps the reference, and says to the sweep which of its
    blobs are still referred to (`own`).
    """

    def __init__(
        self, store: BlobStore, *, max_bytes: int = MAX_BYTES, registry: CollectorRegistry | None = None
    ) -> None:
        self.owners: dict[str, Owner] = {}
        self.metrics = BlobMetrics(registry)
        self._store = store
        self._max_bytes = max_bytes

    def own(self, owner: Owner) -> None:
        """Have the sweep ask `owner` which blobs below its prefix are still needed."""
        self.owners[owner.prefix] = owner

    async def put(self, key: str, data: bytes | AsyncIterable[bytes], *, max_bytes: int | None = None) -> Blob:
        """Write a blob, whole or not at all, over what was there; durable when this returns.

        Args:
            key: such as `runs/default/019a.../input`.
            data: the bytes, or a stream of them.
            max_bytes: a cap below the setting's.

        Raises:
            InvalidError: the key is not one.
            BlobTooLargeError: more bytes than allowed; nothing was written.
            StorageFullError: no room; nothing was written.
            UnavailableError: the store does not answer.
        """
        meter = _Meter(check_key(key), min(self._max_bytes, max_bytes or self._max_bytes))
        with self._measured("put"):
            if isinstance(data, bytes):
                meter.take(data)
            chunks = _one(data) if isinstance(data, bytes) else meter.follow(data)
            async with aclosing(chunks):
                await self._store.write(key, chunks)
        self.metrics.bytes.labels("written").inc(meter.size_bytes)
        return Blob(key, meter.size_bytes, meter.digest.hexdigest())

    async def put_content(self, prefix: str, data: bytes) -> Blob:
        """Write `data` below `prefix` under the key that its own digest gives: the same content is kept once."""
        return await self.put(content_key(prefix, hashlib.sha256(data).hexdigest()), data)

    async def get(self, key: str, *, sha256: str = "", max_bytes: int | None = None) -> bytes:
        """Read a whole blob; see `stream` for the checks and errors."""
        body = bytearray()
        async with aclosing(self.stream(key, sha256=sha256, max_bytes=max_bytes)) as pieces:
            async for piece in pieces:
                body += piece
        return bytes(body)

    async def stream(self, key: str, *, sha256: str = "", max_bytes: int | None = None) -> AsyncGenerator[bytes, None]:
        """Read a blob in pieces.

        Args:
            key: of the blob.
            sha256: what its content must be; a content-addressed key says it by itself.
            max_bytes: a cap below the setting's.

        Raises:
            NotFoundError: there is no such blob.
            BlobDamagedError: after the last piece: it is not what was written.
            BlobTooLargeError: it is larger than the cap.
            UnavailableError: the store does not answer.
        """
        meter = _Meter(check_key(key), min(self._max_bytes, max_bytes or self._max_bytes))
        expected = sha256 or sha256_of_key(key)
        with self._measured("get"):
            pieces = self._store.read(key)
            async with aclosing(pieces):
                async for piece in pieces:
                    meter.take(piece)
                    yield piece
            if expected and meter.digest.hexdigest() != expected:
                raise BlobDamagedError(
                    f"blob {key} is damaged: its SHA-256 is {meter.digest.hexdigest()[:12]}..., not {expected[:12]}...",
                    hint="restore it from a backup",
                )
        self.metrics.bytes.labels("read").inc(meter.size_bytes)

    async def stat(self, key: str) -> Stored:
        """Tell size and time of a blob; raises `NotFoundError`."""
        with self._measured("stat"):
            return await self._store.stat(check_key(key))

    async def delete(self, key: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with self._measured("delete"):
            await self._store.delete(check_key(key))

    async def list(self, prefix: str = "") -> AsyncGenerator[Stored, None]:
        """Give every blob below `prefix` (whole segments), in no order."""
        with self._measured("list"):
            found = self._store.list(check_key(prefix) if prefix else "")
            async with aclosing(found):
                async for stored in found:
                    yield stored

    async def close(self) -> None:
        """Let go of the store."""
        await self._store.close()

    @contextmanager
    def _measured(self, operation: str) -> Iterator[None]:
        started, outcome = time.perf_counter(), "error"
        try:
            yield
            outcome = "ok"
        except HoldfastError as error:
            outcome = error.code
            raise
        except GeneratorExit:
            outcome = "ok"  # the reader had enough
            raise
        finally:
            self.metrics.operations.labels(operation, outcome).inc()
            self.metrics.duration.labels(operation).observe(time.perf_counter() - started)


class _Meter:
    """Counts and digests what passes, and stops it at the cap."""

    def __init__(self, key: str, max_bytes: int) -> None:
        self.size_bytes = 0
        self.digest = hashlib.sha256()
        self._key = key
        self._max_bytes = max_bytes

    def take(self, chunk: bytes) -> None:
        """Count one chunk."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self._max_bytes:
            raise BlobTooLargeError(
                f"blob {self._key} is larger than {format_size(self._max_bytes)}", hint="see [blobs] max_size"
            )
        self.digest.update(chunk)

    async def follow(self, data: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass the chunks on, counted."""
        async for chunk in data:
            self.take(chunk)
            yield chunk


async def _one(data: bytes) -> AsyncGenerator[bytes, None]:
    if data:
        yield data
