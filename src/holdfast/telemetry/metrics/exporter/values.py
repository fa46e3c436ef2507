"""From what a source says to a number: mapped words, durations, sizes, times, plain numbers; then scaled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticCustomError

from holdfast.kernel.units import parse_duration, parse_size
from holdfast.telemetry.metrics.exporter.shapes import Parse


def read_number(found: Any, parse: Parse, words: Mapping[str, float], scale: float) -> float | None:
    """Give the number that `found` stands for; None if it stands for none.

    Words of `words` win over how they would be read otherwise, and are not scaled.
    """
    if words:
        key = str(found).lower() if isinstance(found, bool) else str(found).strip()
        if key in words:
            return words[key]
    try:
        number = _READERS[parse](found)
    except (ValueError, TypeError, OverflowError, PydanticCustomError):
        return None
    return number * scale


def _number(found: Any) -> float:
    if isinstance(found, (bool, int, float, Decimal)):
        return float(found)
    if isinstance(found, timedelta):
        return found.total_seconds()
    if isinstance(found, date):
        return _timestamp(found)
    if isinstance(found, str) and "_" not in found:  # Python's own digit groups are nobody else's
        return float(found)
    raise TypeError(type(found).__name__)


def _timestamp(found: Any) -> float:
    if isinstance(found, str):
        found = datetime.fromisoformat(found.strip())
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=UTC)
    if not isinstance(found, datetime):
        return _number(found)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _duration(found: Any) -> float:
    return parse_duration(found.strip()) if isinstance(found, str) else _number(found)


def _size(found: Any) -> float:
    return float(parse_size(found.strip())) if isinstance(found, str) else _number(found)


_READERS = {Parse.NUMBER: _number, Parse.DURATION: _duration, Parse.SIZE: _size, Parse.TIMESTAMP: _timestamp}
