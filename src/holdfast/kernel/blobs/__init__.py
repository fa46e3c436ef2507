"""Blobs: values too large for a row, by key, in the data folder or in a bucket.

Owns writing them whole, checking them when read, and removing those that nothing refers to. Refuses to know what is in
them, and who may see them: the room that keeps the reference decides.
"""

from holdfast.kernel.blobs.blobs import Blobs
from holdfast.kernel.blobs.buckets import BucketStore
from holdfast.kernel.blobs.errors import BlobDamagedError, BlobTooLargeError
from holdfast.kernel.blobs.folder import FolderStore
from holdfast.kernel.blobs.memory import MemoryStore
from holdfast.kernel.blobs.opening import open_blobs
from holdfast.kernel.blobs.ports import Blob, BlobStore, Owner, Stored
from holdfast.kernel.blobs.settings import SECTION, BlobSettings
from holdfast.kernel.blobs.sweeping import SweepReport, sweep, sweep_for_ever

__all__ = [
    "SECTION",
    "Blob",
    "BlobDamagedError",
    "BlobSettings",
    "BlobStore",
    "BlobTooLargeError",
    "Blobs",
    "BucketStore",
    "FolderStore",
    "MemoryStore",
    "Owner",
    "Stored",
    "SweepReport",
    "open_blobs",
    "sweep",
    "sweep_for_ever",
]
