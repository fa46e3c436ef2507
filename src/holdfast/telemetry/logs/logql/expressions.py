"""Regular expressions of queries: RE2, as Loki's; unlike those of matchers they match anywhere in a line."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2

from holdfast.telemetry.metrics.matching import as_go_says

_MEMORY_BYTES: Final = 8 << 20  # of one expression, so that a hostile one is refused instead of eating the memory


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    return options


_OPTIONS: Final = _options()


@lru_cache(maxsize=1024)
def compile_expression(pattern: str) -> tuple[Any, str]:
    """Give the compiled expression and an empty text, or None and what is wrong."""
    try:
        return re2.compile(pattern, _OPTIONS), ""
    except re2.error as error:
        return None, f"error parsing regexp: {as_go_says(error, pattern)}"
