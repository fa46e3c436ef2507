"""Numbers, durations (`1h30m`, `1.5s`) and sizes (`5KB`, `1.5MiB`) as Go reads them in queries and log lines.

What cannot be read is None; `problem_of_...` say why, in the words of Go.
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.telemetry.metrics.promql import literals
from holdfast.telemetry.metrics.promql.quoting import quote

UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # the micro sign, and the Greek letter that looks the same
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
# Go's durations end at hours; ranges of queries know these too (Prometheus' model.ParseDuration).
LONG_UNITS_NS: Final = {"d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9, "y": 365 * 86_400 * 10**9}
_SIZES: Final = {
    "": 1,
    "b": 1,
    **{f"{letter}{'b'}": 1000 ** (power + 1) for power, letter in enumerate("kmgtpe")},
    **{letter: 1000 ** (power + 1) for power, letter in enumerate("kmgtpe")},
    **{f"{letter}ib": 1024 ** (power + 1) for power, letter in enumerate("kmgtpe")},
    **{f"{letter}i": 1024 ** (power + 1) for power, letter in enumerate("kmgtpe")},
}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([num\u00b5\u03bc]?s|[mhdwy])")
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-zA-Z]*)")
_STEP: Final = re.compile(r"([0-9.]*)([^0-9.]*)")
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan"
    r"|0x[0-9a-f]*\.?[0-9a-f]*p[+-]?[0-9]+)",
    re.IGNORECASE | re.ASCII,
)
_LARGEST_NS: Final = 2**63 - 1
_ROUNDED: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_TEN: Final = 10


def parse_duration_ns(text: str, *, knows_days: bool = False) -> int | None:
    """Read a duration, signed as Go's; None if it is none. `knows_days` also takes `d`, `w` and `y`."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total, at = 0.0, 0
    for match in _PART.finditer(rest):
        unit = UNITS_NS.get(match[2]) or (LONG_UNITS_NS.get(match[2]) if knows_days else None)
        if match.start() != at or unit is None:
            return None
        total += float(match[1]) * unit if "." in match[1] else int(match[1]) * unit
        at = match.end()
    if at == 0 or at != len(rest) or total > _LARGEST_NS:
        return None
    return sign * round(total)


def parse_range_ns(text: str) -> int:
    """Read the length of a range, as Prometheus': whole numbers, the largest unit first.

    Raises:
        ValueError: it is none; the message is Prometheus'.
    """
    return literals.parse_duration(text) * UNITS_NS["ms"]


def parse_size_bytes(text: str) -> int | None:
    """Read a size; without a unit it is in bytes; None if it is none. Letters may be of any case."""
    match = _SIZE.fullmatch(text.strip().replace(",", ""))
    factor = _SIZES.get(match[2].lower()) if match else None
    return None if match is None or factor is None else int(float(match[1]) * factor)


def parse_number(text: str) -> float | None:
    """Read a number as Go's `ParseFloat`: no spaces, no underscores; hexadecimal with an exponent."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return float.fromhex(text) if "x" in text.lower() else float(text)
    except (ValueError, OverflowError):
        return None


def problem_of_number(text: str) -> str:
    """Say why a text is no number."""
    return f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax"


def problem_of_duration(text: str) -> str:
    """Say why a text is no duration."""
    rest = text.lstrip("+-")
    at = 0
    while (match := _STEP.match(rest, at)) and match[1].strip("."):
        if not match[2]:
            return f"time: missing unit in duration {quote(text)}"
        if match[2] not in UNITS_NS:
            return f"time: unknown unit {quote(match[2])} in duration {quote(text)}"
        at = match.end()
    return f"time: invalid duration {quote(text)}"


def problem_of_size(text: str) -> str:
    """Say why a text is no size."""
    digits = re.match(r"[0-9.,]*", text)
    number = digits[0].replace(",", "") if digits else ""
    if parse_number(number) is None:
        return problem_of_number(number)
    return f"unhandled size name: {text[len(digits[0]) if digits else 0 :].strip().lower()}"


def write_duration(ns: int) -> str:
    """Write a duration in its largest units: `1h30m`, `-5m`, `1s500ms`."""
    left, text = abs(ns), ""
    for unit in ("h", "m", "s", "ms", "us", "ns"):
        count, left = divmod(left, UNITS_NS[unit])
        text += f"{count}{unit}" if count else ""
    return f"-{text}" if ns < 0 else text or "0s"


def write_go_duration(ns: int) -> str:
    """Write a duration as Go's `time.Duration`: `1h30m0s`, `1.5s`, `10ms`, `-5m0s`."""
    sign, left = "-" if ns < 0 else "", abs(ns)
    if left < UNITS_NS["s"]:
        unit = next((one for one in ("ms", "\u00b5s", "ns") if left >= UNITS_NS[one]), "s")
        return f"{sign}{_in_unit(left, unit)}"
    hours, left = divmod(left, UNITS_NS["h"])
    minutes, left = divmod(left, UNITS_NS["m"])
    text = f"{hours}h" if hours else ""
    return f"{sign}{text}{f'{minutes}m' if hours or minutes else ''}{_in_unit(left, 's')}"


def _in_unit(ns: int, unit: str) -> str:
    whole, rest = divmod(ns, UNITS_NS[unit])
    fraction = f".{rest:0{len(str(UNITS_NS[unit])) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}{fraction}{unit}"


def write_rounded_size(size: int) -> str:
    """Write a size with a digit or two, as Loki does (`5.0kB`, `15MB`), or exactly where that is another size."""
    power = min((len(str(size)) - 1) // 3, len(_ROUNDED) - 1)
    value = int(size / 1000**power * 10 + 0.5) / 10
    rounded = f"{size}B" if size < _TEN else f"{value:.{1 if value < _TEN else 0}f}{_ROUNDED[power]}"
    return rounded if parse_size_bytes(rounded) == size else write_size(size)


def write_size(size: int) -> str:
    """Write a size in the largest unit that gives a whole number: `5KB`, `1MiB`, `17B`."""
    units = [(1000**power, f"{letter}B") for power, letter in enumerate("kMGTP", 1)]
    units += [(1024**power, f"{letter}iB") for power, letter in enumerate("KMGTP", 1)]
    for factor, unit in sorted(units, reverse=True):
        if size and size % factor == 0:
            return f"{size // factor}{unit[:1].upper()}{unit[1:]}"
    return f"{size}B"
