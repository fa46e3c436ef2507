"""Masks secrets in text that leaves the process: logs, error messages, captured answers.

It knows the values that were resolved, and the shapes in which credentials travel. It does not search for personal
data; that is the scrubber of telemetry.
"""

from __future__ import annotations

import base64
import re
import threading
from typing import Final
from urllib.parse import quote, quote_plus

from holdfast.kernel.secrets.secret import MASK, Secret

MAX_KNOWN: Final = 4096
MIN_LENGTH: Final = 4  # shorter values would mask half of every sentence

_URL_CREDENTIALS: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^\s/?#'\"<>]{1,1024}@")
_AUTHORIZATION: Final = re.compile(
    r"(?i)\b((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?(?:(?:basic|bearer|digest|token|negotiate)\s+)?)"
    r"[^\s'\",]{1,8192}"
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,8192}")
_NAMED: Final = re.compile(
    r"(?i)\b([a-z0-9_.-]{0,64}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|signature|credential)"
    r"['\"]?\s*[=:]\s*['\"]?)(?!\*\*\*)[^\s&'\",;}]{1,8192}"
)
_OWN_TOKEN: Final = re.compile(r"\bhf_[A-Za-z0-9]{6,64}_[A-Za-z0-9_-]{16,128}")


class Redactor:
    """Masks what it knows. Safe to use from several threads; the oldest values are forgotten beyond the bound."""

    def __init__(self, *, max_known: int = MAX_KNOWN) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, None] = {}
        self._max_known = max_known
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secret: Secret) -> None:
        """Mask `secret` from now on, as it is and as URLs and basic authentication encode it."""
        value = secret.reveal()
        with self._lock:
            if value in self._known or len(value) < MIN_LENGTH:
                return
            self._known[value] = None
            while len(self._known) > self._max_known:
                del self._known[next(iter(self._known))]
            self._pattern = None

    def mask(self, text: str) -> str:
        """Give `text` with every known secret and every credential in a known shape replaced by `***`."""
        pattern = self._known_pattern()
        if pattern is not None:
            text = pattern.sub(MASK, text)
        if "://" in text:
            text = _URL_CREDENTIALS.sub(rf"\1{MASK}@", text)
        text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        text = _NAMED.sub(rf"\1{MASK}", text)
        return _OWN_TOKEN.sub(f"hf_{MASK}", text)

    def _known_pattern(self) -> re.Pattern[str] | None:
        with self._lock:
            if self._pattern is None and self._known:
                forms = {form for value in self._known for form in _spellings(value)}
                # The longest first: a secret that contains another is masked whole.
                longest_first = sorted(forms, key=lambda form: (-len(form), form))
                self._pattern = re.compile("|".join(re.escape(form) for form in longest_first))
            return self._pattern


def _spellings(value: str) -> set[str]:
    encoded = base64.b64encode(value.encode()).decode().rstrip("=")
    return {value, quote(value, safe=""), quote_plus(value), encoded}
