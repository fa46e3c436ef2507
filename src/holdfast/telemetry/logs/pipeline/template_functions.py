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
from holdfast.telemetry.logs.pipeline.template_growth import (
    LONGEST,
    TOO_LONG,
    aligned,
    bounded,
    format_text,
    indented,
    repeated,
    replaced,
)
from holdfast.telemetry.logs.pipeline.template_slices import take_slice, take_substring
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
_NO_BASE64: Final = 3  # one letter too many cannot be the end of any
CURRENT: Final[ContextVar[Entry]] = ContextVar("holdfast_log_entry")


def _line() -> str:
    return CURRENT.get().line


def _timestamp() -> Moment:
    return moment_of(CURRENT.get().ts_ns)


def _replace_all(pattern: str, text: str, replacement: str) -> str:
    """Replace what an expression matches; `$1` and `${name}` stand for its groups, as in Go."""
    left = LONGEST

    def counted(piece: str) -> str:
        nonlocal left
        left -= len(piece)
        if left < 0:
            raise ValueError(TOO_LONG)
        return piece

    def fill(match: Any) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            known = int(name) <= len(match.groups()) if name.isdigit() else name in match.re.groupindex
            return counted((match.group(int(name) if name.isdigit() else name) or "") if known else "")

        return counted(_GROUP.sub(group, replacement))

    return str(_expression(pattern).sub(fill, text))


def _replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    if _count(pattern, text) * len(replacement) > LONGEST:
        raise ValueError(TOO_LONG)
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


def _from_base64(decode: Callable[..., object]) -> Callable[[str], str]:
    """Give a decoder that also takes what lacks the `=` of its end."""

    def padded(text: str) -> str:
        missing = -len(text.encode()) % 4
        return str(decode(text + "=" * missing if missing < _NO_BASE64 else text))

    return padded


def _decode(text: str) -> str:
    if odd := _BAD_PERCENT.search(text):
        message = f'invalid URL escape "{odd[0]}"'
        raise ValueError(message)
    return unquote_plus(text)


def _functions() -> dict[str, Callable[..., object]]:
    generic = sprig.generic_func_map()
    return {
        **{name: generic[name] for name in _SPRIG},
        "b64dec": _from_base64(generic["b64dec"]),
        "div": _refusing_zero(generic["div"]),
        "mod": _refusing_zero(generic["mod"]),
        "__line__": _line,
        "__timestamp__": _timestamp,
        "ToLower": str.lower,
        "ToUpper": str.upper,
        "Replace": bounded(str.replace, lambda text, old, new, count: replaced(old, new, text) if count else 0),
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
        "alignLeft": bounded(_align_left, aligned),
        "alignRight": bounded(_align_right, aligned),
        "indent": bounded(generic["indent"], indented),
        "nindent": bounded(generic["nindent"], indented),
        "printf": format_text,
        "repeat": bounded(generic["repeat"], repeated),
        "replace": bounded(generic["replace"], replaced),
        "unixToTime": _count_since,
        "date": write_moment,
        "slice": take_slice,
        "substr": take_substring,
        "now": lambda: moment_of(time.time_ns()),
        "toDate": lambda layout, text: moment_in(layout, "Local", text),
        "toDateInZone": moment_in,
        "unixEpoch": _epoch("unixEpoch", 10**9),
        "unixEpochMillis": _epoch("unixEpochMillis", 10**6),
        "unixEpochNanos": _epoch("unixEpochNanos", 1),
    }


FUNCTIONS: Final = _functions()
