"""Numbers and durations as PromQL writes them: found in the text, read, and written.

Which spellings count is Go's and Prometheus' choice (`0x1f`, `0755`, `1_000`, `1h30m`); so are the messages.
"""

from __future__ import annotations

import math
import re
from typing import Final

from holdfast.telemetry.metrics.promql.quoting import is_utf8, quote

_DURATION: Final = re.compile(
    r"(?:([0-9]+)y)?(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?"
)
_UNIT: Final = re.compile("[^0-9]+")
_UNITS_MS: Final = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_ONLY_WHOLE: Final = {"y", "w"}  # 90d reads better than 12w6d
_MAX_DURATION_MS: Final = (2**63 - 1) // 1_000_000
_MAX_INT: Final = 2**63
_DIGITS: Final = frozenset("0123456789")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_ALPHANUMERIC: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_NOT_AFTER: Final = {".": {"_", "."}, "e": {".", "_", "e", "E"}, "_": {".", "_", "e", "E"}}
_ESCAPE_LENGTHS: Final = {"x": (2, 16, 0xFF), "u": (4, 16, 0x10FFFF), "U": (8, 16, 0x10FFFF)}


def parse_number(word: str) -> float:
    """Read a number.

    Raises:
        ValueError: it is none, or too large for a float; the message is Prometheus'.
    """
    if word.isdecimal() and (word[0] != "0" or len(word) == 1):
        return float(int(word)) if len(word) < 309 else _float(word)
    whole = _integer(word)
    return float(whole) if whole is not None else _float(word)


def parse_duration(word: str) -> int:
    """Read a duration such as `1h30m`, units from large to small; gives milliseconds.

    Raises:
        ValueError: it is none, or too long; the message is Prometheus'.
    """
    match = _DURATION.fullmatch(word)
    if match is None or not word:
        return _odd_duration(word)
    total = sum(int(count) * unit for count, unit in zip(match.groups("0"), _UNITS_MS.values(), strict=True))
    if total > _MAX_DURATION_MS:
        message = "duration out of range"
        raise ValueError(message)
    return total


def format_duration(duration_ms: int) -> str:
    """Write a duration that is not negative, as Prometheus does: 5400000 is `1h30m`, 0 is `0s`."""
    if not duration_ms:
        return "0s"
    written, rest = "", duration_ms
    for unit, length in _UNITS_MS.items():
        if unit in _ONLY_WHOLE and rest % length:
            continue
        count, rest = divmod(rest, length)
        if count:
            written += f"{count}{unit}"
    return written


def format_number(value: float) -> str:
    """Write a number without an exponent, as Go's `FormatFloat(v, 'f', -1, 64)`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return _plain(repr(value))


def scan_number_or_duration(text: str, start: int) -> tuple[bool, int, bool]:
    """Find the odd spellings of a number or duration: whether it is a number, where it ends, whether it is good.

    Where it is not good, the end is where Prometheus' message ends.
    """
    is_good, end = _scan_number(text, start)
    if is_good:
        return True, end, True
    is_good, end = _scan_units(text, end)
    return False, end, is_good


def string_problem(text: str, start: int) -> str:
    """Say why the string that begins at `start` is none."""
    opening, at = text[start], start + 1
    while at < len(text) and text[at] != opening:
        if not is_utf8(text[at]):
            return "invalid UTF-8 rune"
        if opening != "`" and text[at] == "\n":
            break
        if opening != "`" and text[at] == "\\":
            problem, at = _escape_problem(text, at + 1, opening)
            if problem:
                return problem
        else:
            at += 1
    return "unterminated raw string" if opening == "`" else "unterminated quoted string"


def _odd_duration(word: str) -> int:
    if word == "0":
        return 0
    unknown = next((unit for unit in _UNIT.findall(word) if unit not in _UNITS_MS), "")
    message = f"not a valid duration string: {quote(word)}" if word else "empty duration string"
    if unknown and word[0] in _DIGITS:
        message = f"unknown unit {quote(unknown)} in duration {quote(word)}"
    raise ValueError(message)


def _integer(word: str) -> int | None:
    digits = word.lower()
    try:
        is_old_octal = digits[0] == "0" and digits[1:2] not in {"x", "b", "o"}
        whole = int(digits, 8 if is_old_octal else 0)
    except ValueError:
        return None
    return whole if whole < _MAX_INT else None


def _float(word: str) -> float:
    lower = word.lower()
    if lower in {"inf", "nan"}:
        return float(lower)
    try:
        value = float.fromhex(word.replace("_", "")) if lower.startswith("0x") and "p" in lower else float(word)
    except (ValueError, OverflowError):
        is_hex = lower.startswith("0x") and len(lower) > len("0x")
        if not is_hex:
            message = f"error parsing number: strconv.ParseFloat: parsing {quote(word)}: invalid syntax"
            raise ValueError(message) from None
        value = float("inf")
    if math.isinf(value):
        message = f"error parsing number: strconv.ParseFloat: parsing {quote(word)}: value out of range"
        raise ValueError(message)
    return value


def _plain(written: str) -> str:
    """Spell out the exponent of what `repr` wrote."""
    mantissa, _, exponent = written.partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    shift = int(exponent or 0)
    digits, point = whole + fraction, len(whole) + shift
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point, "0")
    whole, fraction = digits[:point].lstrip("0") or "0", digits[point:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _scan_number(text: str, start: int) -> tuple[bool, int]:
    """Find where a number ends, and whether it is one; its parts are digits, one dot, one exponent and underscores."""
    at, digits = _after_prefix(text, start)
    seen: set[str] = set()
    while at < len(text):
        part = text[at].lower()
        if part in digits:
            at += 1
            continue
        if part not in _NOT_AFTER:
            break
        at += 1
        if part in seen:
            return False, at
        if part != "_":
            seen.add(part)
        if part == "e":
            at += text[at : at + 1] in {"+", "-"}
        following = text[at : at + 1]
        if following in _NOT_AFTER[part]:
            return False, at + 1
        if (not following and part != ".") or (part == "." and digits is _HEX):
            return False, at
    return text[at : at + 1] not in _ALPHANUMERIC, at


def _after_prefix(text: str, start: int) -> tuple[int, frozenset[str]]:
    if text[start : start + 2] not in {"0x", "0X"}:
        return start, _DIGITS
    has_underscore = text[start + 2 : start + 3] == "_"
    return start + 2 + has_underscore, _HEX


def _scan_units(text: str, at: int) -> tuple[bool, int]:
    units = "smhdwy"
    while True:
        if at >= len(text) or text[at] not in units:
            return False, at
        at += 1
        at += text[at : at + 1] == "s"
        if text[at : at + 1] not in _DIGITS:
            break
        while text[at : at + 1] in _DIGITS:
            at += 1
        units = "smhdw"
    is_good = text[at : at + 1] not in _ALPHANUMERIC
    return is_good, at if is_good else at + 1


def _escape_problem(text: str, at: int, opening: str) -> tuple[str, int]:
    if at >= len(text):
        return "escape sequence not terminated", at
    letter = text[at]
    if letter in f"abfnrtv\\{opening}":
        return "", at + 1
    if letter in "01234567":
        length, base, limit = 3, 8, 255
    elif letter in _ESCAPE_LENGTHS:
        (length, base, limit), at = _ESCAPE_LENGTHS[letter], at + 1
    else:
        return f"unknown escape sequence {_named(letter)}", at
    value = 0
    for offset in range(length):
        character = text[at + offset : at + offset + 1]
        if not character:
            return "escape sequence not terminated", at
        digit = int(character, 16) if character in _HEX else 16
        if digit >= base:
            return f"illegal character {_named(character)} in escape sequence", at
        value = value * base + digit
    is_surrogate = 0xD800 <= value < 0xE000
    return "escape sequence is an invalid Unicode code point" if value > limit or is_surrogate else "", at + length


def _named(character: str) -> str:
    shown = f" '{character}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}"
