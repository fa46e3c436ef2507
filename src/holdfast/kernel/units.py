"""Durations, sizes and moments as people write them (`1m30s`, `10MiB`), decoded at the edge.

A bare number is refused: nobody should have to guess its unit.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_SECONDS: Final = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "y": 31536000.0,
}
_BYTES: Final = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGT", start=1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", start=1)},
}
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_DURATION: Final = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?i?B)")


def parse_duration(text: object) -> float:
    """Give the seconds in `text`, such as `250ms`, `1h30m` or `7d` (Prometheus' units, and fractions).

    Raises:
        PydanticCustomError: `text` is not a duration; pydantic turns it into an error with the field's path.
    """
    if isinstance(text, int | float | str) and text in {0, "0"}:
        return 0.0
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        example = f"write {text}s or {text}ms" if _is_number(text) else "write one such as 250ms, 30s, 5m, 1h30m or 7d"
        raise PydanticCustomError(
            "duration", "{given} is not a duration: {example}", {"given": repr(text), "example": example}
        )
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION_PART.findall(text))


def parse_size(text: object) -> int:
    """Give the bytes in `text`, such as `512B`, `10MB` (powers of 1000) or `1GiB` (powers of 1024).

    Raises:
        PydanticCustomError: `text` is not a size.
    """
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    unit = match[2].replace("K", "k") if match and not match[2].startswith("Ki") else match[2] if match else ""
    if match is None or unit not in _BYTES:
        example = f"write {text}MB or {text}MiB" if _is_number(text) else "write one such as 64KiB, 10MB or 1GiB"
        raise PydanticCustomError("size", "{given} is not a size: {example}", {"given": repr(text), "example": example})
    return int(float(match[1]) * _BYTES[unit])


def format_duration(seconds: float) -> str:
    """Give the shortest exact text down to milliseconds, such as `1h30m` or `250ms`."""
    rest_ms = round(seconds * 1000)
    if rest_ms <= 0:
        return "0s"
    parts = []
    for unit, size_ms in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        amount, rest_ms = divmod(rest_ms, size_ms)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)


def format_size(count: int) -> str:
    """Give `count` bytes as people read it, such as `1.5 GiB`."""
    size, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) or (isinstance(given, str) and given.replace(".", "", 1).isdigit())


def _duration(text: Any) -> float:
    return parse_duration(text)


def _size(text: Any) -> int:
    return parse_size(text)


Duration = Annotated[
    float, BeforeValidator(_duration), WithJsonSchema({"type": "string", "examples": ["30s", "1h30m"]})
]
Size = Annotated[int, BeforeValidator(_size), WithJsonSchema({"type": "string", "examples": ["10MB", "1GiB"]})]


def _demand_written(moment: object) -> object:
    """Refuse a bare number, which pydantic reads as seconds or milliseconds by its size."""
    if not isinstance(moment, str | datetime):
        raise PydanticCustomError(
            "moment", "{given} is not a time: write one such as 2026-02-01T12:00:00Z", {"given": repr(moment)[:60]}
        )
    return moment


Moment = Annotated[datetime, BeforeValidator(_demand_written)]
