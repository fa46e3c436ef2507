"""`line_format` and `label_format`: Go templates over the labels, with Sprig's functions and Loki's own.

The functions are those that Loki's documentation lists ("Template functions"); a template that fails is noted as an
error and leaves the line as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

import gotpl
from gotpl.funcs import sprig

from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.nodes import LabelFormat, LineFormat
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns, parse_size_bytes
from holdfast.telemetry.logs.pipeline.entries import Entry
from holdfast.telemetry.logs.pipeline.parsing import Step

TEMPLATE_ERROR: Final = "TemplateFormatErr"
_SPRIG: Final = (
    "b64enc", "b64dec", "lower", "upper", "title", "trunc", "substr", "contains", "hasPrefix", "hasSuffix",
    "indent", "nindent", "replace", "repeat", "trim", "trimAll", "trimSuffix", "trimPrefix", "int", "float64",
    "add", "sub", "mul", "div", "mod", "addf", "subf", "mulf", "divf", "max", "min", "maxf", "minf", "ceil",
    "floor", "round", "fromJson", "date", "toDate", "now", "unixEpoch", "default",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GROUP: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_current: ContextVar[Entry] = ContextVar("holdfast_log_entry")


def line_format_step(stage: LineFormat) -> Step:
    """Give the step of `| line_format`.

    Raises:
        ValueError: it is no template.
    """
    template = _compile(stage.template)

    def fill(entry: Entry) -> bool:
        rendered = _render(template, entry)
        if rendered is not None:
            entry.line = rendered
        return True

    return fill


def label_format_step(stage: LabelFormat) -> Step:
    """Give the step of `| label_format`.

    Raises:
        ValueError: one of them is no template.
    """
    assignments = [(one.label, one.source, one.template and _compile(one.template)) for one in stage.assignments]

    def fill(entry: Entry) -> bool:
        for label, source, template in assignments:
            if source is not None:
                value = entry.find(source)
                if value is not None:
                    entry.put(label, value)
                    if source != label:
                        entry.drop(source)
            else:
                rendered = "" if not template else _render(template, entry)
                if rendered is not None:
                    entry.put(label, rendered)
        return True

    return fill


def _compile(text: str) -> gotpl.Template:
    try:
        return gotpl.Template(text, functions=FUNCTIONS, missing_key="zero")
    except gotpl.TemplateError as error:
        message = f"invalid line template: {error}"
        raise ValueError(message) from error


def _render(template: gotpl.Template, entry: Entry) -> str | None:
    token = _current.set(entry)
    try:
        return str(template.render(gotpl.TypedMap(entry.labels(), "", "string", "string")))
    except gotpl.TemplateError as error:
        entry.fail(TEMPLATE_ERROR, str(error))
        return None
    finally:
        _current.reset(token)


def _line() -> str:
    return _current.get().line


def _timestamp() -> datetime:
    return _EPOCH + timedelta(microseconds=_current.get().ts_ns // 1000)


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
    return text[:width].ljust(width)


def _align_right(width: int, text: str) -> str:
    return text[-width:].rjust(width) if width > 0 else ""


def _seconds(text: str) -> float:
    length = parse_duration_ns(text)
    if length is None:
        message = f'time: invalid duration "{text}"'
        raise ValueError(message)
    return length / 1e9


def _bytes(text: str) -> float:
    size = parse_size_bytes(text)
    if size is None:
        message = f"unhandled size name: {text}"
        raise ValueError(message)
    return float(size)


def _unix_to_time(text: str) -> datetime:
    """Read a count since 1970: of days, seconds, milli-, micro- or nanoseconds, by its number of digits."""
    units = {5: 86_400 * 10**6, 10: 10**6, 13: 1000, 16: 1, 19: 0.001}
    if len(text) not in units:
        message = f"unable to parse time: {text}"
        raise ValueError(message)
    return _EPOCH + timedelta(microseconds=int(text) * units[len(text)])


def _epoch(per_second: int) -> Callable[[datetime], str]:
    return lambda at: str((at - _EPOCH) // timedelta(microseconds=1) * per_second // 10**6)


def _functions() -> dict[str, Callable[..., object]]:
    generic = sprig.generic_func_map()
    return {
        **{name: generic[name] for name in _SPRIG},
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
        "urldecode": unquote_plus,
        "urlencode": quote_plus,
        "bytes": _bytes,
        "duration": _seconds,
        "duration_seconds": _seconds,
        "alignLeft": _align_left,
        "alignRight": _align_right,
        "unixToTime": _unix_to_time,
        "unixEpochMillis": _epoch(1000),
        "unixEpochNanos": _epoch(10**9),
    }


FUNCTIONS: Final = _functions()
