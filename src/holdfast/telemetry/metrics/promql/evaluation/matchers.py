"""Whether a label's value fits a matcher; expressions are RE2 and match the whole value."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from holdfast.telemetry.metrics.samples import Matcher, MatchOp


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    return re2.compile(f"(?s:{pattern})")


def matches(matcher: Matcher, value: str) -> bool:
    """Tell whether the value fits; a label that is not there counts as empty."""
    if matcher.op is MatchOp.EQUAL:
        return value == matcher.value
    if matcher.op is MatchOp.NOT_EQUAL:
        return value != matcher.value
    is_match = _compiled(matcher.value).fullmatch(value) is not None
    return is_match == (matcher.op is MatchOp.MATCHES)
