"""Moments as people give them on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic_core import PydanticCustomError

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration

HINT: Final = "write 2026-01-31T12:00:00Z, Unix seconds, or so long ago as 10m"


def read_moment(option: str, text: str) -> datetime:
    """Give the moment that is meant: RFC 3339 (UTC without an offset), Unix seconds, or so long ago.

    Raises:
        InvalidError: it is none of them.
    """
    for read in (_unix, _ago, _written):
        try:
            return read(text)
        except (ValueError, OverflowError, OSError, PydanticCustomError):
            continue
    raise InvalidError(f"{option} {text} is no time", hint=HINT)


def _unix(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)


def _ago(text: str) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=parse_duration(text))


def _written(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
