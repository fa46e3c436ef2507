"""The selectors that a request gives: an error names the parameter, and the selector where there are several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse_matchers

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.api.parameters import Parameters
    from holdfast.telemetry.metrics.samples import Matcher


def read_selectors(given: Parameters, name: str = "match[]") -> tuple[tuple[Matcher, ...], ...]:
    """Read every selector that a parameter of a request gives.

    Raises:
        InvalidError: one is no selector, or would select everything.
    """
    texts = given.all(name)
    selectors = []
    for text in texts:
        try:
            selectors.append(parse_matchers(text))
        except QuerySyntaxError as error:
            hint = f"in {name}={text}" if len(texts) > 1 else error.hint
            raise InvalidError(f'invalid parameter "{name}": {error.message}', hint=hint, place=Place()) from error
    return tuple(selectors)
