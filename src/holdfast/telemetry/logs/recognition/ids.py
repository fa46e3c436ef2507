"""Ids of traces and spans in one form: 32 and 16 hexadecimal digits in lower case (W3C Trace Context)."""

from __future__ import annotations

import re
from typing import Final

_TRACE_DIGITS: Final = 32
_SPAN_DIGITS: Final = 16
_HEX: Final = re.compile(r"[0-9a-f]+")


def trace_id(text: str) -> str:
    """Give the id in its form; 64-bit ids are filled with zeros, as B3 says; empty where it is none."""
    digits = text.strip().lower().replace("-", "").removeprefix("0x")
    if len(digits) not in {_SPAN_DIGITS, _TRACE_DIGITS} or not _HEX.fullmatch(digits) or not digits.strip("0"):
        return ""
    return digits.zfill(_TRACE_DIGITS)


def span_id(text: str) -> str:
    """Give the id in its form, empty where it is none."""
    digits = text.strip().lower().removeprefix("0x")
    if len(digits) != _SPAN_DIGITS or not _HEX.fullmatch(digits) or not digits.strip("0"):
        return ""
    return digits
