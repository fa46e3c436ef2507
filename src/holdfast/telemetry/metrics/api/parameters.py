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
_MAX_SECONDS: Final = 2.0**63  # what Go's times hold
_LONGEST_MS: Final = 2**63 // 10**6  # what Go's durations hold, 292 years
_EDGES_MS: Final = {  # how client libraries write the earliest and latest time that Prometheus knows
    "-292273086-05-16T16:47:06Z": EARLIEST_MS,
    "292277025-08-18T07:12:54.999999999Z": LATEST_MS,
}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_MS: Final = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION: Final = re.compile("".join(rf"(?:(\d+){unit})?" for unit in _MS), re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_FORM: Final = "application/x-www-form-urlencoded"
_TRUTHS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_WITH_FORMS: Final = ("POST", "PUT")


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
        if request.method in _WITH_FORMS and request.headers.get("content-type", "").lower().startswith(_FORM):
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

    def number(self, name: str, default: int = 0) -> int:
        """Give a whole number; raises InvalidError if it is none."""
        text = self.text(name)
        if not text:
            return default
        if _WHOLE.fullmatch(text) is None:
            raise _invalid(name, "limit must be a number" if "limit" in name else f'"{text}" is no number')
        return int(text)

    def count(self, name: str, default: int = 0) -> int:
        """Give a whole number from 0 on; raises InvalidError if it is none."""
        number = self.number(name, default)
        if number < 0:
            raise _invalid(name, "limit must be a non-negative number" if "limit" in name else f"{number} is below 0")
        return number

    def flag(self, name: str, *, default: bool) -> bool:
        """Give a truth as Go reads it; raises InvalidError if it is none."""
        text = self.text(name)
        if not text:
            return default
        if text not in _TRUTHS:
            raise _invalid(name, f'"{text}" is neither true nor false')
        return _TRUTHS[text]

    def choice(self, name: str, among: tuple[str, ...]) -> str:
        """Give one of a few words, or none; raises InvalidError for another."""
        text = self.text(name)
        if text and text not in among:
            raise _invalid(name, f'"{text}" is none of {", ".join(among)}')
        return text


def _pairs_of(text: str) -> list[tuple[str, str]]:
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True)
    parts = [part.partition("=") for part in text.split("&") if part]  # the same in a quarter of the time
    return [(name, value) for name, _, value in parts]


def parse_time_ms(text: str) -> int | None:
    """Give the time that `text` says, or None; one beyond all times is the last of them."""
    seconds = _parse_number(text)
    if seconds is None:
        return _parse_date_ms(text)
    if math.isnan(seconds) or _MAX_SECONDS < abs(seconds) < math.inf:
        return None
    return round(max(EARLIEST_MS, min(seconds * 1000, LATEST_MS)))


def _parse_number(text: str) -> float | None:
    """Read a number as Go does, which takes no spaces around it and no digits of other scripts."""
    if not text.isascii() or text != text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _parse_date_ms(text: str) -> int | None:
    if _DATE.fullmatch(text) is None:
        return _EDGES_MS.get(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def parse_duration_ms(text: str) -> int | None:
    """Give the duration that `text` says, or None: seconds, or units from years down to milliseconds, each once."""
    seconds = _parse_number(text)
    if seconds is not None:
        return round(seconds * 1000) if abs(seconds * 1000) <= _LONGEST_MS else None
    units = _DURATION.fullmatch(text)
    if not text or units is None:
        return None
    length = sum(int(amount or 0) * ms for amount, ms in zip(units.groups(), _MS.values(), strict=True))
    return length if length <= _LONGEST_MS else None


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f'invalid parameter "{name}": {message}', place=Place(field=""))
