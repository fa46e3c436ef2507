"""Histograms as text: the `{{count:3 buckets:[1 2]}}` of rule tests, and the `{count:3, sum:4, (1,2]:3}` for people.

Keys and forms are those of Prometheus' test language (promql/promqltest/README.md) and of its `FloatHistogram.String`;
numbers are written as Go's `%g` writes them, because tools compare these texts. Series around them: `promql.parser`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, TypedDict

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint, trimmed
from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.histograms.layout import (
    Bucket,
    negative_buckets,
    positive_buckets,
    zero_bucket,
)
from holdfast.telemetry.metrics.promql.nodes import Span

_ENTRY: Final = re.compile(r"\s*(?P<key>[a-z_]+)\s*:\s*(?P<value>\[[^\]]*\]|[^\s\[\]{}]+)")
_HEX: Final = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_NUMBER: Final = re.compile(r"[+-]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE)


class _Fields(TypedDict, total=False):
    """What the notation names, in the words of `Histogram`."""

    schema: int
    count: float
    sum: float
    zero_count: float
    zero_threshold: float
    hint: ResetHint
    custom_values: tuple[float, ...]


def parse_histogram(text: str) -> Histogram:
    """Read `{{...}}`; keys in any order, each once, all optional.

    Raises:
        QuerySyntaxError: it is none; the span counts characters from the start of `text`.
    """
    body = text.strip()
    if not (body.startswith("{{") and body.endswith("}}") and len(body) >= 4):
        raise QuerySyntaxError("a histogram is written {{key:value ...}}", span=Span(0, len(text)))
    start = text.index("{{") + 2
    end = text.rindex("}}")
    seen: dict[str, object] = {}
    at = start
    while text[at:end].strip():
        entry = _ENTRY.match(text, at, end)
        if entry is None:
            raise QuerySyntaxError(
                f"unexpected {text[at:end].strip()!r} in a histogram: key:value expected", span=Span(at, end)
            )
        at = entry.end()
        key = entry["key"]
        span = Span(entry.start("key"), at)
        if key not in _READERS:
            known = ", ".join(_READERS)
            raise QuerySyntaxError(f"bad histogram descriptor found: {key!r}", span=span, hint=f"Known keys: {known}.")
        if key in seen:
            raise QuerySyntaxError(f'duplicate key "{key}" in histogram', span=span)
        try:
            seen[key] = _READERS[key](entry["value"])
        except (ValueError, OverflowError):
            raise QuerySyntaxError(f"histogram: {entry['value']!r} does not fit {key!r}", span=span) from None
    return _assembled(seen)


def write_histogram(histogram: Histogram) -> str:
    """Write `{{...}}` as Prometheus does: what is zero is left out, empty buckets at both ends too."""
    parts: list[str] = []
    if histogram.schema:
        parts.append(f"schema:{histogram.schema}")
    for key, value in (
        ("count", histogram.count),
        ("sum", histogram.sum),
        ("z_bucket", histogram.zero_count),
        ("z_bucket_w", histogram.zero_threshold),
    ):
        if value != 0:
            parts.append(f"{key}:{write_number(value)}")
    if histogram.is_custom:
        parts.append(f"custom_values:{_write_list(histogram.custom_values)}")
    if histogram.hint is not ResetHint.UNKNOWN:
        parts.append(f"counter_reset_hint:{histogram.hint}")
    for prefix, side in (("", trimmed(histogram.positive)), ("n_", trimmed(histogram.negative))):
        if side.counts:
            parts += [f"{prefix}offset:{side.first}"] if side.first else []
            parts.append(f"{prefix}buckets:{_write_list(side.counts)}")
    return "{{" + " ".join(parts) + "}}"


def describe_histogram(histogram: Histogram) -> str:
    """Write `{count:4, sum:5, [-0.001,0.001]:1, (1,2]:3}`: populated buckets with their bounds, in ascending order."""
    parts = [f"count:{write_number(histogram.count)}", f"sum:{write_number(histogram.sum)}"]
    ascending = (*reversed(list(negative_buckets(histogram))), zero_bucket(histogram), *positive_buckets(histogram))
    parts += [_describe_bucket(bucket) for bucket in ascending if bucket.count != 0]
    return "{" + ", ".join(parts) + "}"


def write_number(value: float) -> str:
    """Write a number as Go's `%g`: the shortest text that reads back, with an exponent from 1e+06 or 1e-05 on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    scale = len(digits) - 1 + exponent
    significant = "".join(map(str, digits)).rstrip("0") or "0"
    prefix = "-" if sign else ""
    if significant == "0":
        return prefix + "0"
    if scale < -4 or scale >= 6:
        fraction = f".{significant[1:]}" if len(significant) > 1 else ""
        return f"{prefix}{significant[0]}{fraction}e{'-' if scale < 0 else '+'}{abs(scale):02d}"
    if scale < 0:
        return f"{prefix}0.{'0' * (-scale - 1)}{significant}"
    whole, fraction = significant[: scale + 1].ljust(scale + 1, "0"), significant[scale + 1 :]
    return f"{prefix}{whole}.{fraction}" if fraction else prefix + whole


def _describe_bucket(bucket: Bucket) -> str:
    left = "[" if bucket.is_lower_inclusive else "("
    right = "]" if bucket.is_upper_inclusive else ")"
    return f"{left}{write_number(bucket.lower)},{write_number(bucket.upper)}{right}:{write_number(bucket.count)}"


def _write_list(numbers: Iterable[float]) -> str:
    return "[" + " ".join(write_number(number) for number in numbers) + "]"


def _assembled(seen: dict[str, object]) -> Histogram:
    fields = _Fields()
    for key, name in _NAMES.items():
        if key in seen:
            fields[name] = seen[key]  # type: ignore[literal-required]  # the names are those of _Fields
    return Histogram(**fields, positive=_side(seen, ""), negative=_side(seen, "n_"))


def _side(seen: dict[str, object], prefix: str) -> Buckets:
    first = seen.get(f"{prefix}offset", 0)
    counts = seen.get(f"{prefix}buckets", ())
    assert isinstance(first, int)
    assert isinstance(counts, tuple)
    return Buckets(first, counts) if counts else Buckets()


def _read_number(text: str) -> float:
    if _HEX.fullmatch(text):
        return float(int(text, 16))
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _read_list(text: str) -> tuple[float, ...]:
    if not text.startswith("["):
        raise ValueError(text)
    return tuple(_read_number(number) for number in text[1:-1].split())


def _read_hint(text: str) -> ResetHint:
    return ResetHint(text)


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "schema": int,
    "sum": _read_number,
    "count": _read_number,
    "z_bucket": _read_number,
    "z_bucket_w": _read_number,
    "custom_values": _read_list,
    "buckets": _read_list,
    "offset": int,
    "n_buckets": _read_list,
    "n_offset": int,
    "counter_reset_hint": _read_hint,
}
_NAMES: Final = {
    "schema": "schema",
    "sum": "sum",
    "count": "count",
    "z_bucket": "zero_count",
    "z_bucket_w": "zero_threshold",
    "custom_values": "custom_values",
    "counter_reset_hint": "hint",
}
