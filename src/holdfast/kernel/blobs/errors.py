"""Errors of blobs."""

from __future__ import annotations

from holdfast.kernel.errors import NEVER, HoldfastError, LimitError


class BlobTooLargeError(LimitError):
    """A blob is larger than the limit."""

    code = "blob_too_large"
    retry = NEVER


class BlobDamagedError(HoldfastError):
    """A blob is not what was written: its SHA-256 differs."""

    code = "blob_damaged"
