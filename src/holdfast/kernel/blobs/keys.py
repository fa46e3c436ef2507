"""The names of blobs: `owner/tenant/...`, in plain segments, so that a key means the same in a folder and a bucket."""

from __future__ import annotations

import re
from typing import Final

from holdfast.kernel.errors import InvalidError

MAX_KEY_BYTES: Final = 512

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=@+-]{0,127}")
_CONTENT: Final = re.compile(r"(?:.+/)?sha256/[0-9a-f]{2}/([0-9a-f]{64})")


def check_key(key: str) -> str:
    """Give `key` back when it is one.

    Raises:
        InvalidError: it is empty, too long, or has a segment that some store would not take.
    """
    wrong = next((part for part in key.split("/") if not _SEGMENT.fullmatch(part)), None)
    if wrong is not None or len(key) > MAX_KEY_BYTES:
        raise InvalidError(
            f"{key[:80]!r} is not the key of a blob",
            hint=f"at most {MAX_KEY_BYTES} characters; segments of letters, digits and ._=@+- between slashes",
        )
    return key


def content_key(prefix: str, sha256: str) -> str:
    """Give the key below `prefix` that a blob with this content has."""
    return check_key(f"{prefix}/sha256/{sha256[:2]}/{sha256}")


def sha256_of_key(key: str) -> str:
    """Give the digest that a content-addressed key promises; empty for any other key."""
    match = _CONTENT.fullmatch(key)
    return match[1] if match else ""
