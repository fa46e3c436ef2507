"""Quantities as people type them: `800ms`, `10m`, `30%`, `5MB/s`."""

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1 << 10, "MiB": 1 << 20}
_NUMBER = r"(\d+(?:\.\d+)?)"


def parse_duration_s(text: str) -> float:
    """Return seconds; raises ValueError for anything but a number and one of ms, s, m, h, d."""
    match = re.fullmatch(rf"{_NUMBER}\s*(ms|s|m|h|d)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write 800ms, 5s, 10m, 1h")
    return float(match[1]) * _SECONDS[match[2]]


def parse_share(text: str) -> float:
    """Return a share between 0 and 1; raises ValueError for anything but a percentage."""
    match = re.fullmatch(rf"{_NUMBER}\s*%", text.strip())
    if match is None or not 0 <= float(match[1]) <= 100:
        raise ValueError(f"{text!r} is not a share: write 30%")
    return float(match[1]) / 100


def parse_bytes_per_s(text: str) -> int:
    """Return bytes per second; raises ValueError for anything but a size per second."""
    match = re.fullmatch(rf"{_NUMBER}\s*({'|'.join(_BYTES)})/s", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rate of memory: write 5MB/s")
    return int(float(match[1]) * _BYTES[match[2]])
