"""Tells the service that is called how much time is left, and reads what a caller told.

The header is gRPC's `grpc-timeout`: a duration, so that clocks of machines need not agree. Plain HTTP can carry it too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast.resilience.deadlines import remaining

HEADER: Final = "grpc-timeout"
MILLISECONDS: Final = ("connect-timeout-ms", "x-envoy-expected-rq-timeout-ms")
# https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: at most eight digits and a unit.
_TEXT: Final = re.compile(r"(\d{1,8})([HMSmun])")
_UNIT_S: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_LONGEST: Final = 99_999_999


def deadline_headers() -> dict[str, str]:
    """Give the header that hands the remaining time on, none without a deadline: `client.get(url, headers=...)`."""
    left_s = remaining()
    if left_s is None:
        return {}
    left_ms = int(left_s * 1000)
    return {HEADER: f"{left_ms}m" if left_ms <= _LONGEST else f"{min(int(left_s), _LONGEST)}S"}


def read_deadline(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that the caller of a request waits for its answer; None where it did not say, or not legibly.

    Known are gRPC's header and the milliseconds of Connect and Envoy. Names are looked up in lower case.
    """
    text = _TEXT.fullmatch(headers.get(HEADER) or "")
    if text:
        return int(text[1]) * _UNIT_S[text[2]]
    for name in MILLISECONDS:
        value = headers.get(name) or ""
        if value.isascii() and value.isdigit():
            return int(value) / 1000
    return None
