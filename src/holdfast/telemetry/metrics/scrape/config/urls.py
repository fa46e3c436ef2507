"""What Go takes for a URL, whole or not: nothing unprinted, a host and a port that may be ones, whole escapes."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f]")
_FOREIGN_TO_HOSTS: Final = re.compile(r"[ %\"<>\\^`{|}]")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")


def is_url(text: str) -> bool:
    """Tell whether Go reads it as a URL, be it whole or not."""
    if _UNPRINTED.search(text) or text.startswith(":"):
        return False
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 -- a port that is none is told by asking for it
    except ValueError:
        return False
    unescaped = parts.path + parts.netloc.rpartition("@")[0]
    return not (_FOREIGN_TO_HOSTS.search(parts.netloc.rpartition("@")[2]) or _BROKEN_ESCAPE.search(unescaped))
