"""How long templates may make a text: functions that can make a long one of a short one refuse what is too long.

A query is anybody's who may read logs; `{{ repeat 2000000000 "x" }}` must not take the server's memory. Go stops widths
of `printf` at a million.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import gotpl
from gotpl.runtime.gofmt import sprintf

LONGEST: Final = 1 << 20  # letters
TOO_LONG: Final = f"the text is longer than {LONGEST} letters"
BUDGET: Final = gotpl.ExecutionBudget(max_output_chars=LONGEST, max_iterations=10_000)
_WIDTH: Final = re.compile(r"[0-9]{7,}")


def bounded(function: Callable[..., Any], size: Callable[..., int]) -> Callable[..., Any]:
    """Give a function that refuses what would become too long; `size` tells how long, of its arguments.

    Raises:
        ValueError: it would be too long.
    """

    @wraps(function)
    def checked(*arguments: Any) -> Any:
        if size(*arguments) > LONGEST:
            raise ValueError(TOO_LONG)
        return function(*arguments)

    return checked


def repeated(count: int, text: str) -> int:
    """Tell the size of `repeat`."""
    return count * len(text)


def indented(spaces: int, text: str) -> int:
    """Tell the size of `indent`."""
    return (text.count("\n") + 1) * spaces + len(text)


def aligned(width: int, text: str) -> int:
    """Tell the size of `alignLeft`."""
    return max(width, len(text))


def replaced(old: str, new: str, text: str) -> int:
    """Tell the size of `replace`."""
    return len(text) + text.count(old) * len(new)


def format_text(layout: str, *values: object) -> str:
    """Give what `printf` writes.

    Raises:
        ValueError: a width is too large.
    """
    widths = [*map(int, _WIDTH.findall(layout))]
    if "*" in layout:
        widths += [abs(value) for value in values if isinstance(value, int)]
    if any(width > LONGEST for width in widths):
        raise ValueError(TOO_LONG)
    return str(sprintf(layout, *values))
