"""Errors of blobs."""

from __future__ import annotations

from holdfast.kernel.errors import HoldfastError, InvalidError


class BlobTooLargeError(InvalidError):
    """A blob is larger than the limit."""

    code = "blob_too_large"


class BlobDamagedError(HoldfastError):
    """A blob is not what was written: its SHA-256 differs."""

    code = "blob_damaged"
