"""Whether label values satisfy a matcher, as Prometheus decides it: whole values, RE2, a missing label is empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.matching import compile_whole
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

# Alternatives without anything special in them, the commonest expression: a dashboard's variable with several values.
_ALTERNATIVES: Final = re.compile(r"[^\\.+*?()\[\]{}^$]*")


def verdict(matcher: Matcher, values: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Tell for each value whether it satisfies the matcher.

    Raises:
        InvalidError: the expression is none of RE2.
    """
    fits = _test(matcher.op in {MatchOp.MATCHES, MatchOp.NOT_MATCHES}, matcher.value)
    found = np.fromiter((fits(value) for value in values), np.bool_, len(values))
    return ~found if matcher.op in {MatchOp.NOT_EQUAL, MatchOp.NOT_MATCHES} else found


@lru_cache(maxsize=1024)
def _test(is_expression: bool, wanted: str) -> Callable[[str], bool]:  # noqa: FBT001 -- the key of a cache
    if not is_expression:
        return wanted.__eq__
    if _ALTERNATIVES.fullmatch(wanted):
        return frozenset(wanted.split("|")).__contains__
    if wanted == ".*":
        return lambda _: True
    if wanted == ".+":
        return bool
    full = compile_whole(wanted).fullmatch
    return lambda value: full(value.encode("utf-8", "surrogateescape")) is not None
