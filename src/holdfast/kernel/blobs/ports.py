"""What a place for blobs must be able to do, and the plain data that passes. `Blobs` puts caps and checks around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that was written: keep it with the row that refers to it, and hand its `sha256` back when reading."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store tells of a blob without reading it."""

    key: str
    size_bytes: int
    modified_at: datetime


FindReferenced = Callable[[Sequence[str]], Awaitable[Collection[str]]]


@dataclass(frozen=True, slots=True)
class Owner:
    """A room that keeps references: which of the given keys (a few hundred at once) does it still need?"""

    prefix: str
    find_referenced: FindReferenced


class BlobStore(Protocol):
    """A folder, a bucket or memory. Keys were checked before they come here."""

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write all of `chunks`, or nothing at all when it raises; replaces what was there.

        When this returns, the blob survives a power cut as far as the store can promise it.
        """
        ...

    def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Give the bytes in pieces; raises `NotFoundError` before the first."""
        ...

    async def stat(self, key: str) -> Stored:
        """Tell of one blob; raises `NotFoundError`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove it; one that is not there is no error."""
        ...

    def list(self, prefix: str) -> AsyncGenerator[Stored, None]:
        """Give every blob below `prefix`, a whole path such as `runs/default`; in no order. Empty means all."""
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...
