"""What a request to the Prometheus API asks: parameters of the query string, and of the form where it is a POST.

Times are seconds of Unix time or RFC 3339, durations seconds or `5m`; both become milliseconds here and stay so.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from holdfast.kernel.errors import InvalidError, Place

if TYPE_CHECKING:
    from fastapi import Request

EARLIEST_MS: Final = -(2**62)
LATEST_MS: Final = 2**62
_MAX_SECONDS: Final = 2**62 / 1000
_PARTS: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_FORM: Final = "application/x-www-form-urlencoded"


class Parameters:
    """The parameters of one request; a name may stand several times, the first one counts where one is asked for."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))

    @classmethod
    async def of(cls, request: Request) -> Parameters:
        """Read those of the form before those of the query string.

        Raises:
            InvalidError: the form is no UTF-8.
        """
        query: bytes = request.scope["query_string"]
        pairs = _pairs_of(query.decode("latin-1"))
        if request.method == "POST" and request.headers.get("content-type", "").startswith(_FORM):
            try:
                form = (await request.body()).decode()
            except UnicodeDecodeError:
                raise InvalidError("the form is not UTF-8") from None
            pairs = _pairs_of(form) + pairs
        return cls(pairs)

    def all(self, name: str) -> list[str]:
        """Give every value of `name`."""
        return [value for key, value in self._pairs if key == name]

    def text(self, name: str, default: str = "") -> str:
        """Give the first value of `name`."""
        return self._first.get(name, default)

    def time_ms(self, name: str, default: int | None = None) -> int:
        """Give a time; raises InvalidError if it is none, or missing without a default."""
        text = self.text(name)
        if not text and default is not None:
            return default
        at = parse_time_ms(text)
        if at is None:
            raise _invalid(name, f'cannot parse "{text}" to a valid timestamp')
        return at

    def duration_ms(self, name: str, default: int | None = None) -> int:
        """Give a duration; raises InvalidError if it is none, or missing without a default."""
        text = self.text(name)
        if not text and default is not None:
            return default
        length = parse_duration_ms(text)
        if length is None:
            raise _invalid(name, f'cannot parse "{text}" to a valid duration')
        return length

    def count(self, name: str, default: int = 0) -> int:
        """Give a whole number from 0 on; raises InvalidError if it is none."""
        text = self.text(name)
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise _invalid(name, "limit must be a non-negative number" if "limit" in name else f'"{text}" is no number')
        return int(text)


def _pairs_of(text: str) -> list[tuple[str, str]]:
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True)
    parts = [part.partition("=") for part in text.split("&") if part]  # the same in a quarter of the time
    return [(name, value) for name, _, value in parts]


def parse_time_ms(text: str) -> int | None:
    """Give the time that `text` says, or None."""
    try:
        seconds = float(text)
    except ValueError:
        return _parse_date_ms(text)
    if math.isinf(seconds):
        return EARLIEST_MS if seconds < 0 else LATEST_MS
    return None if math.isnan(seconds) or abs(seconds) > _MAX_SECONDS else round(seconds * 1000)


def _parse_date_ms(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) < len("2026-01-01T00:00:00Z") or at.tzinfo is None:
        return None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def parse_duration_ms(text: str) -> int | None:
    """Give the duration that `text` says, or None."""
    if _DURATION.fullmatch(text):
        return sum(int(amount) * _MS[unit] for amount, unit in _PARTS.findall(text))
    try:
        seconds = float(text)
    except ValueError:
        return None
    return None if not math.isfinite(seconds) or abs(seconds) > _MAX_SECONDS else round(seconds * 1000)


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f'invalid parameter "{name}": {message}', place=Place(field=""))
