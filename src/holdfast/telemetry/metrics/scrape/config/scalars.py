"""Scalars as Prometheus reads them: durations, sizes in powers of 1024, truths and numbers of Go's YAML.

A text in quotes is never a truth or a number there, and `yes` and `on` are truths.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from holdfast.telemetry.metrics.scrape.config.yamltree import Quoted

_DURATION: Final = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_UNITS_MS: Final = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_MOST_MS: Final = 2**63 // 1_000_000  # nanoseconds in 64 bits
_SIZE: Final = re.compile(r"(\d+\.?\d*|\.\d+)([KMGTPE]?)(i?)B", re.ASCII)
_SIZES: Final = re.compile(r"\+?(?:(?:\d+\.?\d*|\.\d+)[KMGTPE]?i?B)+", re.ASCII)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_TRUTHS: Final = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_FLOAT: Final = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_INTEGER: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)", re.ASCII)
_OCTAL: Final = re.compile(r"^([-+]?)0(?=\d)")


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
    found_ms = sum(int(amount or 0) * unit for amount, unit in zip(match.groups(), _UNITS_MS, strict=True))
    if found_ms > _MOST_MS:
        raise PydanticCustomError("duration", "{given} is longer than 292 years", {"given": repr(text)})
    return found_ms / 1000


def parse_size(text: Any) -> int:
    """Give the bytes of `15MB`, `512KiB`, `1GB512MB` or `0`; raises `PydanticCustomError`."""
    if isinstance(text, int):
        return text
    if text == "0":
        return 0
    parts = _SIZE.findall(text) if isinstance(text, str) and _SIZES.fullmatch(text) else []
    if not parts or len({bool(binary) for _, unit, binary in parts if unit}) > 1:
        raise PydanticCustomError(
            "size", "{given} is not a size: write one such as 512KB or 15MB", {"given": repr(text)}
        )
    found = sum(float(amount) * 1024 ** _POWERS[unit] for amount, unit, _ in parts)
    if found >= 2**63:
        raise PydanticCustomError("size", "{given} is more than can be counted", {"given": repr(text)})
    return int(found)


def _seconds(text: Any) -> float:
    return parse_duration(text)


def _bytes(text: Any) -> int:
    return parse_size(text)


def _truth(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, Quoted) or not isinstance(given, str) or given not in _TRUTHS:
        raise ValueError(f"expected true or false, found {given!r}{_quoted(given)}")
    return _TRUTHS[given]


def _number(given: Any) -> float:
    if isinstance(given, int | float):
        return given
    is_plain = isinstance(given, str) and not isinstance(given, Quoted) and not given.startswith("_")
    plain = given.replace("_", "") if is_plain else ""
    if _INTEGER.fullmatch(plain):
        return int(_OCTAL.sub(r"\g<1>0o", plain), 0)
    if _FLOAT.fullmatch(plain):
        return float(plain)
    raise ValueError(f"expected a number, found {given!r}{_quoted(given)}")


def _whole(given: Any) -> int:
    return int(_number(given))  # what stands behind the point is cut off, as in Go


def _count(given: Any) -> int:
    found = _number(given)
    if not 0 <= found < 2**64:
        raise ValueError(f"expected a number of 0 or more, found {given!r}")
    return int(found)


def _label_name(given: Any) -> Any:
    if given == "":
        raise ValueError("the name of a label is empty")
    return given


def _quoted(given: Any) -> str:
    return " in quotes" if isinstance(given, Quoted) else ""


Seconds = Annotated[float, BeforeValidator(_seconds)]
Bytes = Annotated[int, BeforeValidator(_bytes)]
Flag = Annotated[bool, BeforeValidator(_truth)]
Number = Annotated[float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[int, BeforeValidator(_count)]
LabelName = Annotated[str, BeforeValidator(_label_name)]
