"""Blobs in a bucket of S3, Google or Azure, through obstore, which is loaded by the first blob that needs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from holdfast.kernel.blobs.ports import Stored
from holdfast.kernel.blobs.settings import BlobSettings
from holdfast.kernel.errors import HoldfastError, InvalidError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES: Final = ("s3", "gs", "az", "memory")

_PIECE_BYTES: Final = 1024 * 1024
_PART_BYTES: Final = 8 * 1024 * 1024
_PARTS_AT_ONCE: Final = 4
_RETRIES: Final = 4


class BucketStore:
    """A `BlobStore` over one bucket; its timeouts and repeats are obstore's, bounded by the settings."""

    def __init__(self, settings: BlobSettings) -> None:
        scheme = settings.url.split("://", maxsplit=1)[0]
        if "://" not in settings.url or scheme not in SCHEMES:
            raise InvalidError(
                f"[blobs] url begins with {scheme!r}, which is no store of blobs",
                hint="write s3://bucket/path, gs://bucket/path or az://account/container/path",
            )
        self._settings = settings
        self._opened: ObjectStore | None = None

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Upload in parts; a bucket shows nothing before the last one."""
        source = _Source(chunks)
        first = await source.fill(_PART_BYTES)
        import obstore  # noqa: PLC0415 - 15 MB and its own threads, only for those who keep blobs in a bucket

        body: Any = first if source.is_done else source.replay(first)
        try:
            await obstore.put_async(self._open(), key, body, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
        except (OSError, ValueError, obstore.exceptions.BaseError) as error:
            raise source.failure or _explain(error, key, self._settings.url) from error

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Download in pieces."""
        import obstore  # noqa: PLC0415 - as above

        try:
            answer = await obstore.get_async(self._open(), key)
            async for piece in answer.stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)
        except (OSError, obstore.exceptions.BaseError) as error:
            raise _explain(error, key, self._settings.url) from error

    async def stat(self, key: str) -> Stored:
        """Ask for the head."""
        import obstore  # noqa: PLC0415 - as above

        try:
            meta = await obstore.head_async(self._open(), key)
        except (OSError, obstore.exceptions.BaseError) as error:
            raise _explain(error, key, self._settings.url) from error
        return Stored(key, meta["size"], meta["last_modified"])

    async def delete(self, key: str) -> None:
        """Delete it."""
        import obstore  # noqa: PLC0415 - as above

        try:
            await obstore.delete_async(self._open(), key)
        except FileNotFoundError:
            return
        except (OSError, obstore.exceptions.BaseError) as error:
            raise _explain(error, key, self._settings.url) from error

    async def list(self, prefix: str) -> AsyncGenerator[Stored, None]:
        """Page through the bucket."""
        import obstore  # noqa: PLC0415 - as above

        try:
            async for page in obstore.list(self._open(), prefix or None):
                for meta in page:
                    yield Stored(meta["path"], meta["size"], meta["last_modified"])
        except (OSError, obstore.exceptions.BaseError) as error:
            raise _explain(error, prefix, self._settings.url) from error

    async def close(self) -> None:
        """Forget the connections."""
        self._opened = None

    def _open(self) -> ObjectStore:
        if self._opened is None:
            self._opened = _connect(self._settings)
        return self._opened


class _Source:
    """The caller's chunks: remembers the caller's own failure, which obstore would wrap."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.failure: BaseException | None = None
        self.is_done = False

    async def fill(self, size_bytes: int) -> bytes:
        """Read up to about `size_bytes`, so that a small blob is one request."""
        body = bytearray()
        while len(body) < size_bytes:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                self.is_done = True
                break
            body += chunk
        return bytes(body)

    async def replay(self, first: bytes) -> AsyncGenerator[bytes, None]:
        """Give what was read and then the rest."""
        yield first
        try:
            async for chunk in self._chunks:
                yield chunk
        except BaseException as error:
            self.failure = error
            raise


def _connect(settings: BlobSettings) -> ObjectStore:
    from obstore import exceptions, store  # noqa: PLC0415 - as above

    connect: Any = store.from_url  # its types want one overload per cloud; the URL decides at run time
    if settings.url.startswith("memory:"):
        return cast("ObjectStore", connect(settings.url))
    config: dict[str, Any] = {
        "endpoint": settings.endpoint,
        "region": settings.region,
        "access_key_id": settings.access_key_id.reveal(),
        "secret_access_key": settings.secret_access_key.reveal(),
    }
    limit = timedelta(seconds=settings.timeout)
    client: dict[str, Any] = {"timeout": limit, "connect_timeout": limit / 3}
    if settings.endpoint.startswith("http://"):
        client["allow_http"] = True
    try:
        opened: ObjectStore = connect(
            settings.url,
            config={name: value for name, value in config.items() if value},
            client_options=client,
            retry_config={"max_retries": _RETRIES, "retry_timeout": limit * 2},
        )
    except (OSError, ValueError, exceptions.BaseError) as error:
        raise InvalidError(f"[blobs] url cannot be opened: {_first_line(error)}") from error
    return opened


def _explain(error: Exception, key: str, url: str) -> Exception:
    if isinstance(error, HoldfastError):
        return error
    if isinstance(error, FileNotFoundError):
        return NotFoundError(f"there is no blob {key}")
    return UnavailableError(
        f"the bucket {url} does not take blob {key}: {_first_line(error)}", hint="check [blobs] and its credentials"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
