"""Names of metrics and labels as Prometheus' OTLP receiver makes them from OpenTelemetry's.

Source: prometheus/otlptranslator and OpenTelemetry's compatibility specification; units as UCUM writes them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple


class Translation(StrEnum):
    """Strategies, by Prometheus' names for `otlp.translation_strategy`."""

    ESCAPED = "UnderscoreEscapingWithSuffixes"
    ESCAPED_BARE = "UnderscoreEscapingWithoutSuffixes"
    UTF8 = "NoUTF8EscapingWithSuffixes"
    NONE = "NoTranslation"

    @property
    def is_escaping(self) -> bool:
        """Tell whether only the letters of Prometheus 2 are left."""
        return self in {Translation.ESCAPED, Translation.ESCAPED_BARE}


class LabelStyle(NamedTuple):
    """How attributes become names of labels; `has_key` puts `key` before one that begins with one underscore."""

    translation: Translation = Translation.ESCAPED
    has_key: bool = True
    keeps_underscores: bool = True


class Kind(StrEnum):
    """What a metric is, as far as its name shows it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    OTHER = "other"


_UNITS: Final = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tebibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
_PER: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_OUTSIDE: Final = re.compile(r"[^a-zA-Z0-9:]+")
_OUTSIDE_OR_UNDERSCORE: Final = re.compile(r"[^a-zA-Z0-9:_]+")
_UNDERSCORES: Final = re.compile("__+")
_OUTSIDE_LABELS: Final = re.compile(r"[^a-zA-Z0-9_]")


def metric_name(name: str, unit: str, kind: Kind, translation: Translation) -> str:
    """Give the name of a metric in PromQL; empty if nothing of it is left."""
    match translation:
        case Translation.NONE:
            return name
        case Translation.ESCAPED_BARE:
            escaped = "_".join(part for part in _OUTSIDE_OR_UNDERSCORE.split(name) if part)
            return _begin(escaped) if escaped == name or escaped.strip("_") else ""
        case Translation.UTF8:
            return _add_suffixes(name, unit, kind) if name else ""
        case Translation.ESCAPED:
            return _begin("_".join(_words_of(name, unit, kind)))


def _words_of(name: str, unit: str, kind: Kind) -> list[str]:
    words = [word for word in _OUTSIDE.split(name) if word]
    if not words:
        return []
    main, per = (_clean(suffix) for suffix in unit_suffixes(unit))
    if main and main not in words:
        words.append(main)
    if per and per.removeprefix("per_") not in words:
        words.append(per)
    last = _last_word(unit, kind)
    return [word for word in words if word != last] + [last] if last else words


def _add_suffixes(name: str, unit: str, kind: Kind) -> str:
    main, per = unit_suffixes(unit)
    last = _last_word(unit, kind)
    for suffix in (last, per):
        if suffix and name.endswith(suffix) and len(name) > len(suffix) + 1:
            name = name[: -len(suffix) - 1]  # with the letter before it, whatever parts words in this name
    if main and not name.endswith(main):
        name += f"_{main}"
    return "_".join(part for part in (name, per, last) if part)


def _last_word(unit: str, kind: Kind) -> str:
    return "total" if kind is Kind.COUNTER else "ratio" if kind is Kind.GAUGE and unit == "1" else ""


def unit_suffixes(unit: str) -> tuple[str, str]:
    """Give what a unit adds to a name, such as `("meters", "per_second")` for `m/s`; units in braces add nothing."""
    main, _, per = (part.strip() for part in unit.partition("/"))
    main = "" if _is_annotation(main) else _UNITS.get(main, main)
    per = "" if not per or _is_annotation(per) else f"per_{_PER.get(per, per)}"
    return main, per


def unit_name(unit: str) -> str:
    """Give a unit in words, such as `bytes_per_second` for `By/s`, as metadata has it; empty for `1`."""
    return "_".join(word for word in map(_clean, unit_suffixes(unit)) if word)


def label_name(name: str, style: LabelStyle) -> str:
    """Give the name of a label for an attribute's key."""
    if not name or not style.translation.is_escaping:
        return name
    escaped = _OUTSIDE_LABELS.sub("_", name)
    if not style.keeps_underscores:
        escaped = _UNDERSCORES.sub("_", escaped)
    if escaped[0].isdigit():
        return f"key_{escaped}"
    if style.has_key and escaped[0] == "_" and not escaped.startswith("__"):
        return f"key{escaped}"
    return escaped


def _is_annotation(unit: str) -> bool:
    return "{" in unit or "}" in unit


def _clean(suffix: str) -> str:
    return re.sub(r"_{2,}", "_", _OUTSIDE.sub("_", suffix)).strip("_")


def _begin(name: str) -> str:
    return f"_{name}" if name[:1].isdigit() else name
