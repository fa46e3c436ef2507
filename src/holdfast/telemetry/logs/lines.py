"""Line filters as a test of one body, for whoever filters outside the engine. Expressions are RE2, as in Loki."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import re2

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.selection import LineFilter, LineOp

LineTest = Callable[[str], bool]

_MEMORY_BYTES: Final = 8 << 20  # of one expression, so that a hostile one is refused instead of eating the memory


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    return options


_OPTIONS: Final = _options()


def compile_line(expression: str) -> re2._Regexp[bytes]:
    """Compile an expression; use `search`, on bytes of UTF-8. As in Go, `.` is any character but a line's end.

    Raises:
        InvalidError: the expression is no RE2.
    """
    try:
        return re2.compile(expression.encode("utf-8", "surrogateescape"), _OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidError(
            f"error parsing regexp: {told}: `{expression}`",
            hint="expressions are RE2: no lookaround, no backreferences",
        ) from error


def line_test(line_filter: LineFilter) -> LineTest:
    """Give the test whether a body satisfies the filter.

    Raises:
        InvalidError: an expression is no RE2.
    """
    values = line_filter.values
    match line_filter.op:
        case LineOp.CONTAINS:
            return lambda body: any(value in body for value in values)
        case LineOp.NOT_CONTAINS:
            return lambda body: not any(value in body for value in values)
        case LineOp.MATCHES:
            searches = [compile_line(value).search for value in values]
            return lambda body: any(search(_utf8(body)) for search in searches)
        case LineOp.NOT_MATCHES:
            searches = [compile_line(value).search for value in values]
            return lambda body: not any(search(_utf8(body)) for search in searches)


def _utf8(body: str) -> bytes:
    return body.encode("utf-8", "surrogateescape")
