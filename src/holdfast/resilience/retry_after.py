"""What the other side asked for: the wait that an error or an answer names, in any of the forms in use.

RFC 9110 section 10.2.3 allows seconds and a date. Whether to obey is the retry's decision.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite

ATTRIBUTES = ("retry_after_s", "retry_after")


def asked_wait_s(answer: object, now: Callable[[], datetime]) -> float | None:
    """Give the seconds that `answer` asks to wait, or None when it asks for nothing.

    Looked at are its attributes `retry_after_s` and `retry_after` and the `Retry-After` header of itself or of its
    `response`, as errors of httpx, requests, aiohttp and urllib have them.
    """
    for name in ATTRIBUTES:
        if (value := getattr(answer, name, None)) is not None:
            return parse_retry_after(value, now)
    for holder in (answer, getattr(answer, "response", None)):
        get = getattr(getattr(holder, "headers", None), "get", None)
        value = get and (get("retry-after") or get("Retry-After"))
        if value is not None:
            return parse_retry_after(value, now)
    return None


def parse_retry_after(value: object, now: Callable[[], datetime]) -> float | None:
    """Read seconds, a timedelta, a moment, or the text of the HTTP header; None for what is none of these."""
    if isinstance(value, timedelta):
        return max(0.0, value.total_seconds())
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text)
        except ValueError:
            value = _parse_date(text)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return max(0.0, (moment - now()).total_seconds())
    if isinstance(value, int | float) and isfinite(value):
        return max(0.0, float(value))
    return None


def _parse_date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 -- a tenth of the package's import for a rare form

    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
