"""Keeps secrets out of the log: by the name of the field, and by the shape of the text.

It knows names and well-known shapes, not your data; scrubbing by content (cards, e-mail) is the server's work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

MASK: Final = "***"
DEEPEST: Final = 8  # levels of nesting that are looked into; what lies deeper is shown as its type
LONGEST_CHARS: Final = 32_768
MOST_ITEMS: Final = 1_000

SECRET_NAME: Final = re.compile(
    r"pass(word|wd|phrase|code)|secret|credential|authorization|cookie|private_?key|signing_?key"
    r"|api_?key|access_?key|(^|_)(pwd|pass|auth|jwt|otp|pin|dsn|bearer)(_|$)|token(?!iz)|session_?(id|key)",
    re.IGNORECASE,
)
URL_PASSWORD: Final = re.compile(r"(?<=://)([^\s:/@]*):[^\s/@]+@")
BEARER: Final = re.compile(r"\b((?i:bearer|basic))\s+(?=\S*[A-Z0-9=])[\w.~+/=-]{8,}")


def redact(value: Any, *, name: str = "") -> Any:
    """Return `value` fit for a log: secrets as `***`, long texts and deep structures cut.

    Args:
        value: Anything; it is not changed.
        name: The field's name. Under a name that looks secret any text or structure is masked; numbers stay,
            because `token_count` is not a token.
    """
    return _redact(value, name, DEEPEST)


def _redact(value: Any, name: str, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if name and sounds_secret(name):
        return MASK
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return _redact_items(value, depth - 1) if depth else f"<{type(value).__name__}>"
    return redact_text(value if isinstance(value, str) else describe(value))


def _redact_items(value: Any, depth: int) -> dict[str, Any] | list[Any]:
    if isinstance(value, Mapping):
        named = ((describe(key), item) for key, item in islice(value.items(), MOST_ITEMS))
        return {name: _redact(item, name, depth) for name, item in named}
    return [_redact(item, "", depth) for item in islice(value, MOST_ITEMS)]


def redact_text(text: str) -> str:
    """Mask passwords in URLs and bearer tokens inside `text`, and cut it when it is very long."""
    if len(text) > LONGEST_CHARS:
        text = f"{text[:LONGEST_CHARS]}... ({len(text) - LONGEST_CHARS} more)"
    if "://" in text:
        text = URL_PASSWORD.sub(rf"\1:{MASK}@", text)
    if "earer" in text or "asic " in text or "EARER" in text or "ASIC " in text:
        text = BEARER.sub(rf"\1 {MASK}", text)
    return text


def sounds_secret(name: str) -> bool:
    """Tell whether what stands under such a name is to be masked."""
    return SECRET_NAME.search(name.replace("-", "_")) is not None


def describe(value: object) -> str:
    """Give anything as text, whatever its `__str__` does."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 -- fence: plugin, a stranger's __str__
        return f"<{type(value).__name__} whose __str__ raised {type(error).__name__}>"
