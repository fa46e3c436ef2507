"""What templates of queries may call: Sprig's functions and Loki's own, those that its documentation lists.

Source: Loki's documentation, "LogQL template functions".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

from gotpl.funcs import sprig

from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.quantities import (
    parse_duration_ns,
    parse_size_bytes,
    problem_of_duration,
    problem_of_size,
)
from holdfast.telemetry.logs.pipeline.entries import Entry
from holdfast.telemetry.logs.pipeline.moments import Moment, moment_in, moment_of, ns_of, write_moment
from holdfast.telemetry.logs.pipeline.template_slices import take_slice
from holdfast.telemetry.metrics.promql.quoting import quote

_SPRIG: Final = (
    "b64enc", "b64dec", "lower", "upper", "title", "trunc", "substr", "contains", "hasPrefix", "hasSuffix",
    "indent", "nindent", "replace", "repeat", "trim", "trimAll", "trimSuffix", "trimPrefix", "int", "float64",
    "add", "sub", "mul", "div", "mod", "addf", "subf", "mulf", "divf", "max", "min", "maxf", "minf", "ceil",
    "floor", "round", "fromJson", "default",
)  # fmt: skip
_BAD_PERCENT: Final = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_GROUP: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
CURRENT: Final[ContextVar[Entry]] = ContextVar("holdfast_log_entry")


def _line() -> str:
    return CURRENT.get().line


def _timestamp() -> Moment:
    return moment_of(CURRENT.get().ts_ns)


def _replace_all(pattern: str, text: str, replacement: str) -> str:
    """Replace what an expression matches; `$1` and `${name}` stand for its groups, as in Go."""

    def fill(match: Any) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            known = int(name) <= len(match.groups()) if name.isdigit() else name in match.re.groupindex
            return (match.group(int(name) if name.isdigit() else name) or "") if known else ""

        return _GROUP.sub(group, replacement)

    return str(_expression(pattern).sub(fill, text))


def _replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    return str(_expression(pattern).sub(lambda _: replacement, text))


def _count(pattern: str, text: str) -> int:
    return len(_expression(pattern).findall(text))


def _expression(pattern: str) -> Any:
    expression, problem = compile_expression(pattern)
    if problem:
        raise ValueError(problem)
    return expression


def _align_left(width: int, text: str) -> str:
    return text if width < 0 else text[:width].ljust(width)


def _align_right(width: int, text: str) -> str:
    return text if width < 0 else text[max(len(text) - width, 0) :].rjust(width)


def _refusing_zero(divide: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Give a division whose error has the words of Go."""

    def checked(number: Any, by: Any) -> Any:
        try:
            return divide(number, by)
        except ZeroDivisionError:
            message = "runtime error: integer divide by zero"
            raise ValueError(message) from None

    return checked


def _seconds(text: str) -> float:
    length = parse_duration_ns(text)
    if length is None:
        raise ValueError(problem_of_duration(text))
    return length / 1e9


def _bytes(text: str) -> float:
    size = parse_size_bytes(text)
    if size is None:
        raise ValueError(problem_of_size(text))
    return float(size)


def _count_since(text: str) -> Moment:
    """Read a count since 1970: of days, seconds, milli-, micro- or nanoseconds, by its number of digits."""
    units_ns = {5: 86_400 * 10**9, 10: 10**9, 13: 10**6, 16: 1000, 19: 1}
    if not _WHOLE.fullmatch(text):
        message = f"unable to parse time '{text}': strconv.ParseInt: parsing {quote(text)}: invalid syntax"
        raise ValueError(message)
    if len(text) not in units_ns:
        message = f"unable to parse time '{text}': %!w(<nil>)"  # so Loki says it
        raise ValueError(message)
    return moment_of(int(text) * units_ns[len(text)])


def _epoch(name: str, unit_ns: int) -> Callable[[object], str]:
    """Give a function of a time; what is none is told in the form of the engine of templates."""

    def count(at: object) -> str:
        if not isinstance(at, datetime):
            message = f"argument 1 to {name}: expected Moment, got {type(at).__name__}"
            raise TypeError(message)
        return str(ns_of(at) // unit_ns)

    return count


def _decode(text: str) -> str:
    if odd := _BAD_PERCENT.search(text):
        message = f'invalid URL escape "{odd[0]}"'
        raise ValueError(message)
    return unquote_plus(text)


def _functions() -> dict[str, Callable[..., object]]:
    generic = sprig.generic_func_map()
    return {
        **{name: generic[name] for name in _SPRIG},
        "div": _refusing_zero(generic["div"]),
        "mod": _refusing_zero(generic["mod"]),
        "__line__": _line,
        "__timestamp__": _timestamp,
        "ToLower": str.lower,
        "ToUpper": str.upper,
        "Replace": lambda text, old, new, count: text.replace(old, new, count),
        "Trim": lambda text, characters: text.strip(characters),
        "TrimLeft": lambda text, characters: text.lstrip(characters),
        "TrimRight": lambda text, characters: text.rstrip(characters),
        "TrimPrefix": lambda text, prefix: text.removeprefix(prefix),
        "TrimSuffix": lambda text, suffix: text.removesuffix(suffix),
        "TrimSpace": str.strip,
        "regexReplaceAll": _replace_all,
        "regexReplaceAllLiteral": _replace_all_literal,
        "count": _count,
        "urldecode": _decode,
        "urlencode": quote_plus,
        "bytes": _bytes,
        "duration": _seconds,
        "duration_seconds": _seconds,
        "alignLeft": _align_left,
        "alignRight": _align_right,
        "unixToTime": _count_since,
        "date": write_moment,
        "slice": take_slice,
        "now": lambda: moment_of(time.time_ns()),
        "toDate": lambda layout, text: moment_in(layout, "Local", text),
        "toDateInZone": moment_in,
        "unixEpoch": _epoch("unixEpoch", 10**9),
        "unixEpochMillis": _epoch("unixEpochMillis", 10**6),
        "unixEpochNanos": _epoch("unixEpochNanos", 1),
    }


FUNCTIONS: Final = _functions()
