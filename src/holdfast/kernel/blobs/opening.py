"""Opens the store of blobs that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.kernel.blobs.blobs import Blobs
from holdfast.kernel.blobs.buckets import BucketStore
from holdfast.kernel.blobs.folder import FolderStore
from holdfast.kernel.blobs.settings import BlobSettings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def open_blobs(settings: BlobSettings, folder: Path, registry: CollectorRegistry | None = None) -> Blobs:
    """Give the blobs of `folder`, or of the bucket that the settings name; connects to nothing yet.

    Raises:
        InvalidError: the URL is not one of a store.
    """
    store = BucketStore(settings) if settings.url else FolderStore(folder)
    return Blobs(store, max_bytes=settings.max_size, registry=registry)
