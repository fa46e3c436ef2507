"""Durations and sizes as Prometheus writes them: units in their order, sizes in powers of 1024."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_DURATION: Final = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_UNITS_MS: Final = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]?)i?B", re.ASCII)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def parse_duration(text: Any) -> float:
    """Give the seconds of `15s`, `1h30m` or `0`; raises `PydanticCustomError`."""
    if isinstance(text, int | float):
        return float(text)
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if text == "0":
        return 0.0
    if match is None:
        message = "{given} is not a duration: write one such as 15s, 1h30m or 500ms"
        raise PydanticCustomError("duration", message, {"given": repr(text)})
    return sum(int(amount or 0) * unit for amount, unit in zip(match.groups(), _UNITS_MS, strict=True)) / 1000


def parse_size(text: Any) -> int:
    """Give the bytes of `15MB`, `512KiB` or `0`; raises `PydanticCustomError`."""
    if isinstance(text, int):
        return text
    if text == "0":
        return 0
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise PydanticCustomError(
            "size", "{given} is not a size: write one such as 512KB or 15MB", {"given": repr(text)}
        )
    return int(float(match[1]) * 1024 ** _POWERS[match[2]])


def _seconds(text: Any) -> float:
    return parse_duration(text)


def _bytes(text: Any) -> int:
    return parse_size(text)


Seconds = Annotated[float, BeforeValidator(_seconds)]
Bytes = Annotated[int, BeforeValidator(_bytes)]
